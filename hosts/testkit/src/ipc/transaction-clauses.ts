/** Send, receive, reply: what is exchanged, who waits for whom, and what a server does wrong. */
import { seconds, sleep, type Task, type Thread } from '@backplane/engine';
import { MessageFlag, message, type Received, ReplyCode } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { asked, codeIn, done, type Made, wherever, wordIn, words, work } from './world.ts';

const text = (bytes: Uint8Array): string => [...bytes].join(' ');

export const transactionClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a request arrives as it was sent, and its reply as it was given: 32 bytes, and segments of every size',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const seen: Received[] = [];
        const server = w.process(there, 'server', function* (p) {
          for (;;) {
            const r = yield* p.receive();
            seen.push(r);
            const { segment } = r.message;
            yield* p.reply(
              r,
              message({ code: 0x80_0001, words: [1, 2, 3, 4, 5, 6], segment: segment.toReversed() }),
            );
          }
        });
        const client = w.process(here, 'client');
        w.run(function* () {
          for (const bytes of [0, 1, 511, 512, 513, 1000, 1024, 1536, 4096, 8192, 16_383, 16_384]) {
            const sent = message({ code: work, words: [9, 8, 7, 6, 5, 4], segment: pattern(bytes, 3) });
            const response = yield* client.process.send(server.id, sent);
            const r = seen.pop();
            same('from and to', [r?.from ?? '', r?.to ?? ''], [client.id, server.id]);
            same('the request', text(r?.message.control ?? new Uint8Array(0)), text(sent.control));
            same('its segment', digest(r?.message.segment ?? new Uint8Array(0)), digest(sent.segment));
            same('who answered', response.from, server.id);
            same('the outcome', codeIn(response), 0x80_0001);
            same(
              'words of the reply',
              [1, 2, 3, 4, 5, 6].map((i) => wordIn(response, i)),
              [1, 2, 3, 4, 5, 6],
            );
            same('segment of the reply', digest(response.message.segment), digest(sent.segment.toReversed()));
          }
        });
      }),
  },
  {
    name: 'the sender is blocked until the reply, however long that takes',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.process(there, 'server', function* (p) {
          const r = yield* p.receive();
          yield* sleep(seconds(1000));
          yield* p.reply(r, done);
        });
        let got = -1;
        w.process(here, 'client', function* (p) {
          got = codeIn(yield* p.send(server.id, words(work)));
        });
        w.after(seconds(999));
        same('answered early', got, -1);
        w.after(seconds(30));
        same('outcome', got, ReplyCode.ok);
      }),
  },
  {
    name: 'a message to a process that is not receiving yet waits for it',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.process(there, 'server', function* (p) {
          yield* sleep(seconds(100));
          yield* p.reply(yield* p.receive(), done);
        });
        const client = w.process(here, 'client');
        same('outcome', codeIn(w.run(() => client.process.send(server.id, words(work)))), ReplyCode.ok);
      }),
  },
  {
    name: 'a server may reply later, and to several in any order: each gets its own',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.process(there, 'server', function* (p) {
          const requests = [yield* p.receive(), yield* p.receive(), yield* p.receive()];
          for (const r of requests.toReversed()) same('code', yield* p.reply(r, words(0, asked(r) * 10)), 0);
        });
        const got: number[] = [];
        w.run(function* () {
          const threads: Thread<void>[] = [];
          for (const n of [1, 2, 3])
            threads.push(
              w.process(here, `client ${n}`, function* (p) {
                got[n] = wordIn(yield* p.send(server.id, words(work, n)), 1);
              }).thread,
            );
          for (const thread of threads) yield* thread.join();
        });
        same('answers', got.slice(1), [10, 20, 30]);
      }),
  },
  {
    name: 'a process that does not exist is nonexistentEntity',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const [client, gone] = [w.process(here, 'client'), w.process(there, 'gone')];
        gone.process.destroy();
        const response = w.run(() => client.process.send(gone.id, words(work)));
        same('outcome', codeIn(response), ReplyCode.nonexistentEntity);
        same('who was asked', response.from, gone.id);
      }),
  },
  {
    name: 'after its time limit a send ends with userTimeout; the reply comes too late, and not to the next send either',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const codes: number[] = [];
        const server = w.process(there, 'server', function* (p) {
          const [first, second] = [yield* p.receive(), yield* p.receive()];
          codes.push(yield* p.reply(first, words(0, 111)), yield* p.reply(second, words(0, 222)));
        });
        const client = w.process(here, 'client');
        w.run(function* () {
          const { process } = client;
          const late = yield* process.send(server.id, words(work), { timeoutNs: seconds(2) });
          same('outcome', codeIn(late), ReplyCode.userTimeout);
          same('the next', wordIn(yield* process.send(server.id, words(work)), 1), 222);
        });
        w.after(seconds(1));
        same('codes of the replies', codes, [ReplyCode.nonexistentEntity, ReplyCode.ok]);
      }),
  },
  {
    name: 'a request is answered once: a second reply is nonexistentEntity, and so is one by somebody else',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const codes: number[] = [];
        const other = w.process(there, 'other');
        const server = w.process(there, 'server', function* (p) {
          const r = yield* p.receive();
          codes.push(yield* other.process.reply(r, words(0, 5)));
          codes.push(yield* p.reply(r, words(0, 6)), yield* p.reply(r, words(0, 7)), p.discard(r));
        });
        const client = w.process(here, 'client');
        same(
          'the reply',
          wordIn(
            w.run(() => client.process.send(server.id, words(work))),
            1,
          ),
          6,
        );
        w.after(seconds(1));
        const none = ReplyCode.nonexistentEntity;
        same('codes', codes, [none, ReplyCode.ok, none, none]);
      }),
  },
  {
    name: 'a request to one process that is discarded is responseDiscarded for its sender',
    run: () =>
      wherever(bounds, (w, here, there) => {
        let code = -1;
        const server = w.process(there, 'server', function* (p) {
          code = p.discard(yield* p.receive());
        });
        const client = w.process(here, 'client');
        same(
          'outcome',
          codeIn(w.run(() => client.process.send(server.id, words(work)))),
          ReplyCode.responseDiscarded,
        );
        same('code', code, ReplyCode.ok);
      }),
  },
  {
    name: 'a datagram does not block its sender, and there is nobody to reply to',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const got: number[] = [];
        const server = w.process(there, 'server', function* (p) {
          for (;;) {
            const r = yield* p.receive();
            got.push(asked(r), yield* p.reply(r, done));
          }
        });
        const client = w.process(here, 'client');
        w.run(function* () {
          for (const n of [1, 2]) {
            const datagram = message({ code: work, words: [n], flags: MessageFlag.datagram });
            same('outcome', codeIn(yield* client.process.send(server.id, datagram)), ReplyCode.ok);
            yield* sleep(seconds(0.1));
          }
        });
        w.after(seconds(10));
        same('received, and codes', got, [1, ReplyCode.nonexistentEntity, 2, ReplyCode.nonexistentEntity]);
      }),
  },
  {
    name: 'processes that are servers and clients at once serve a chain of any length',
    run: () =>
      wherever(bounds, (w, here, there) => {
        let next: Made = w.server(here, 'last', (r) => words(0, asked(r)));
        for (let i = 0; i < 12; i++) {
          const { id } = next;
          next = w.process(i % 2 === 0 ? there : here, `link ${i}`, function* (p): Task<void> {
            for (;;) {
              const r = yield* p.receive();
              const { message: answer } = yield* p.send(id, words(work, asked(r) + 1));
              yield* p.reply(r, answer);
            }
          });
        }
        const client = w.process(here, 'client');
        w.run(function* () {
          for (let i = 0; i < 5; i++)
            same('links', wordIn(yield* client.process.send(next.id, words(work, 100 * i)), 1), 100 * i + 12);
        });
      }),
  },
];
