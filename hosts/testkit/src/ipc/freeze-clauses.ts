/** A frozen process takes part in nothing, and nobody fails because of it. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { MessageFlag, message, ReplyCode } from '@backplane/slots';
import { type Check, holds, same } from '../check.ts';
import { pagesOf } from './pages.ts';
import type { Bounds } from './under-test.ts';
import { asked, codeIn, done, wherever, words, work } from './world.ts';

export const freezeClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'who sends to a frozen process waits, and is served when it is thawed, in the order of the line',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const order: number[] = [];
        const server = w.process(there, 'server', function* (p) {
          yield* sleep(seconds(5));
          for (;;) {
            const r = yield* p.receive();
            order.push(asked(r));
            yield* p.reply(r, done);
          }
        });
        const clients = [0, 1, 2].map((n) => w.process(here, `client ${n}`));
        w.run(function* () {
          const threads = clients.map(({ scope, process }, n) =>
            scope.spawn(
              'send',
              (function* (): Task<number> {
                yield* sleep(seconds(0.5) * n);
                return codeIn(yield* process.send(server.id, words(work, n)));
              })(),
            ),
          );
          yield* sleep(seconds(2));
          server.process.freeze();
          const late = w.process(here, 'late');
          threads.push(
            late.scope.spawn(
              'send',
              (function* (): Task<number> {
                return codeIn(yield* late.process.send(server.id, words(work, 3)));
              })(),
            ),
          );
          yield* sleep(seconds(300));
          same('received while it was frozen', order, []);
          server.process.unfreeze();
          for (const thread of threads) same('outcome', yield* thread.join(), ReplyCode.ok);
        });
        same('order', order, [0, 1, 2, 3]);
      }),
  },
  {
    name: 'a process that is receiving when it is frozen receives when it is thawed',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.server(there, 'server', () => done);
        const client = w.process(here, 'client');
        w.run(function* () {
          yield* sleep(seconds(1));
          server.process.freeze();
          const thread = client.scope.spawn('send', client.process.send(server.id, words(work)));
          yield* sleep(seconds(60));
          same('while it was frozen', thread.ended, false);
          server.process.unfreeze();
          same('outcome', codeIn(yield* thread.join()), ReplyCode.ok);
        });
      }),
  },
  {
    name: 'a frozen sender does not go on when its reply comes: it does when it is thawed',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.process(there, 'server', function* (p) {
          const r = yield* p.receive();
          yield* sleep(seconds(10));
          same('code', yield* p.reply(r, words(0, 4)), ReplyCode.ok);
        });
        let got = -1;
        const client = w.process(here, 'client', function* (p) {
          got = codeIn(yield* p.send(server.id, words(work)));
        });
        w.after(seconds(5));
        client.process.freeze();
        w.after(seconds(100));
        same('while it was frozen', got, -1);
        client.process.unfreeze();
        w.after(seconds(1));
        same('outcome', got, ReplyCode.ok);
      }),
  },
  {
    name: 'a frozen process sends nothing and answers nothing until it is thawed',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const events: string[] = [];
        const other = w.server(there, 'other', () => {
          events.push('other received');
          return done;
        });
        const server = w.process(there, 'server', function* (p) {
          const r = yield* p.receive();
          yield* sleep(seconds(10));
          yield* p.send(other.id, words(work));
          yield* p.reply(r, done);
        });
        const client = w.process(here, 'client', function* (p) {
          events.push(`answered ${codeIn(yield* p.send(server.id, words(work)))}`);
        });
        w.after(seconds(5));
        server.process.freeze();
        w.after(seconds(100));
        same('while it was frozen', events, []);
        server.process.unfreeze();
        w.after(seconds(10));
        same('then', events, ['other received', 'answered 0']);
        holds('ended', client.thread.ended);
      }),
  },
  {
    name: 'who waits for a frozen process that is destroyed gets nonexistentEntity',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.server(there, 'server', () => done);
        const client = w.process(here, 'client');
        w.run(function* () {
          yield* sleep(seconds(1));
          server.process.freeze();
          const thread = client.scope.spawn('send', client.process.send(server.id, words(work)));
          yield* sleep(seconds(20));
          server.process.destroy();
          same('outcome', codeIn(yield* thread.join()), ReplyCode.nonexistentEntity);
        });
      }),
  },
  {
    name: 'a send to a frozen process ends after its own time limit',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const got: number[] = [];
        const server = w.server(there, 'server', (r) => {
          got.push(asked(r));
          return done;
        });
        const { process } = w.process(here, 'client');
        w.run(function* () {
          server.process.freeze();
          const late = yield* process.send(server.id, words(work, 1), { timeoutNs: seconds(20) });
          same('outcome', codeIn(late), ReplyCode.userTimeout);
          server.process.unfreeze();
          same('the next', codeIn(yield* process.send(server.id, words(work, 2))), ReplyCode.ok);
        });
        same('received', got, [2]);
      }),
  },
  {
    name: 'the memory of a frozen process is left alone: moves wait until it is thawed',
    run: () =>
      wherever(bounds, (w, here, there) => {
        let code = -1;
        const server = w.process(there, 'server', function* (p) {
          const r = yield* p.receive();
          yield* sleep(seconds(10));
          code = yield* p.moveBytesTo(r, 0, new Uint8Array(8).fill(7));
          yield* p.reply(r, done);
        });
        const memory = pagesOf(1);
        const grant = { read: true, write: true, address: 0, bytes: 8 };
        const client = w.process(
          here,
          'client',
          function* (p) {
            yield* p.send(server.id, words(work), { grant });
          },
          memory,
        );
        w.after(seconds(5));
        client.process.freeze();
        w.after(seconds(60));
        same('memory while it was frozen', memory.bytes[0] ?? -1, 0);
        client.process.unfreeze();
        w.after(seconds(60));
        same('code and memory', [code, memory.bytes[0] ?? -1], [ReplyCode.ok, 7]);
        holds('ended', client.thread.ended);
      }),
  },
  {
    name: 'a conditional message to a process that was receiving when it was frozen is taken after the thaw',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.server(there, 'server', () => done);
        const client = w.process(here, 'client');
        w.run(function* () {
          yield* sleep(seconds(1));
          server.process.freeze();
          const conditional = message({ code: work, flags: MessageFlag.conditional });
          const thread = client.scope.spawn('send', client.process.send(server.id, conditional));
          yield* sleep(seconds(20));
          same('while it was frozen', thread.ended, false);
          server.process.unfreeze();
          same('outcome', codeIn(yield* thread.join()), ReplyCode.ok);
        });
      }),
  },
];
