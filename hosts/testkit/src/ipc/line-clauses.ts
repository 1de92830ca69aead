/** Who is received next: the line of a process, receiving from one sender only, conditional messages. */
import { seconds, sleep, type Task, type Thread } from '@backplane/engine';
import { MessageFlag, message, ReplyCode } from '@backplane/slots';
import { type Check, holds, same } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { asked, codeIn, done, type HostName, type World, wherever, words, work } from './world.ts';

/** Clients that send their number to the server, a second apart. */
function* oneAfterTheOther(w: World, hosts: readonly HostName[], server: { id: string }): Task<void> {
  const threads: Thread<void>[] = [];
  for (const [n, host] of hosts.entries()) {
    threads.push(
      w.process(host, `client ${n}`, function* (p) {
        same('outcome', codeIn(yield* p.send(server.id as never, words(work, n))), ReplyCode.ok);
      }).thread,
    );
    yield* sleep(seconds(1));
  }
  for (const thread of threads) yield* thread.join();
}

const conditional = (n: number) => message({ code: work, words: [n], flags: MessageFlag.conditional });

export const lineClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'requests wait in line and are received in the order of their arrival, wherever they come from',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const order: number[] = [];
        const server = w.process(there, 'server', function* (p) {
          yield* sleep(seconds(20));
          for (;;) {
            const r = yield* p.receive();
            order.push(asked(r));
            yield* p.reply(r, done);
          }
        });
        w.run(() => oneAfterTheOther(w, [here, there, here, 'three', there, 'three', here], server));
        same('order', order, [0, 1, 2, 3, 4, 5, 6]);
      }),
  },
  {
    name: 'what is more urgent is received first',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const order: number[] = [];
        const server = w.process(there, 'server', function* (p) {
          yield* sleep(seconds(20));
          for (let i = 0; i < 6; i++) {
            const r = yield* p.receive();
            order.push(asked(r));
            yield* p.reply(r, done);
          }
        });
        const entities = w.entities(here);
        w.run(function* () {
          const threads: Thread<void>[] = [];
          for (const priority of [12, 8, 0, 15, 5, 8]) {
            const client = entities.mint();
            entities.attach(client, { arrived: () => 'taken' });
            const send = function* (): Task<void> {
              yield* entities.send(client, server.id, words(work, priority), { priority });
            };
            threads.push(w.rig.spawn(here, send()));
            yield* sleep(seconds(1));
          }
          for (const thread of threads) yield* thread.join();
        });
        same('order of priorities', order, [0, 5, 8, 8, 12, 15]);
      }),
  },
  {
    name: 'receiveFrom takes the next request of that process, and leaves the others in line in their order',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const order: number[] = [];
        const made = [0, 1, 2].map((n) => w.process(here, `client ${n}`));
        const [first, second, third] = made.map(({ id }) => id);
        if (first === undefined || second === undefined || third === undefined) return;
        const server = w.process(there, 'server', function* (p) {
          yield* sleep(seconds(20));
          for (const from of [second, third, null]) {
            const r = from === null ? yield* p.receive() : yield* p.receiveFrom(from);
            if (r === 'nonexistentEntity') return;
            order.push(asked(r));
            yield* p.reply(r, done);
          }
        });
        w.run(function* () {
          const threads: Thread<unknown>[] = [];
          for (const [n, { process, scope }] of made.entries()) {
            threads.push(scope.spawn('send', process.send(server.id, words(work, n))));
            yield* sleep(seconds(1));
          }
          for (const thread of threads) yield* thread.join();
        });
        same('order', order, [1, 2, 0]);
      }),
  },
  {
    name: 'receiveFrom waits for that process while others come and wait in line',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const order: number[] = [];
        const wanted = w.process(here, 'wanted');
        const server = w.process(there, 'server', function* (p) {
          for (let i = 0; i < 2; i++) {
            const r = i === 0 ? yield* p.receiveFrom(wanted.id) : yield* p.receive();
            if (r === 'nonexistentEntity') return;
            order.push(asked(r));
            yield* p.reply(r, done);
          }
        });
        const other = w.process(here, 'other');
        w.run(function* () {
          const waiting = other.scope.spawn('send', other.process.send(server.id, words(work, 1)));
          yield* sleep(seconds(100));
          yield* wanted.process.send(server.id, words(work, 2));
          yield* waiting.join();
        });
        same('order', order, [2, 1]);
      }),
  },
  {
    name: 'receiveFrom is nonexistentEntity when there is no such process, and when it dies while it is waited for',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const wanted = w.process(here, 'wanted');
        const found: string[] = [];
        const server = w.process(there, 'server', function* (p) {
          for (let i = 0; i < 2; i++) {
            const r = yield* p.receiveFrom(wanted.id);
            found.push(r === 'nonexistentEntity' ? r : 'a request');
          }
        });
        w.after(seconds(100));
        same('while it lives', found, []);
        wanted.process.destroy();
        w.after(seconds(2 * bounds.noticeSeconds));
        same('when it has died', found, ['nonexistentEntity', 'nonexistentEntity']);
        holds('the server has ended', server.thread.ended);
      }),
  },
  {
    name: 'a conditional message is taken by a process that is receiving',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.server(there, 'server', () => done);
        const client = w.process(here, 'client');
        w.after(seconds(1));
        same('outcome', codeIn(w.run(() => client.process.send(server.id, conditional(1)))), ReplyCode.ok);
      }),
  },
  {
    name: 'a conditional message to a process that is not receiving is notAwaitingMessage, and is never received',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const got: number[] = [];
        const server = w.process(there, 'server', function* (p) {
          yield* sleep(seconds(10));
          for (;;) {
            const r = yield* p.receive();
            got.push(asked(r));
            yield* p.reply(r, done);
          }
        });
        const { process } = w.process(here, 'client');
        w.run(function* () {
          same(
            'outcome',
            codeIn(yield* process.send(server.id, conditional(1))),
            ReplyCode.notAwaitingMessage,
          );
          same('outcome', codeIn(yield* process.send(server.id, words(work, 2))), ReplyCode.ok);
        });
        same('received', got, [2]);
      }),
  },
  {
    name: 'who receives from another process only is not receiving a conditional message',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const [client, wanted] = [w.process(here, 'client'), w.process(here, 'wanted')];
        const server = w.process(there, 'server', function* (p) {
          const r = yield* p.receiveFrom(wanted.id);
          if (r !== 'nonexistentEntity') yield* p.reply(r, done);
        });
        w.after(seconds(10));
        const send = ({ process }: typeof client): number =>
          codeIn(w.run(() => process.send(server.id, conditional(1))));
        same('somebody else', send(client), ReplyCode.notAwaitingMessage);
        same('the wanted one', send(wanted), ReplyCode.ok);
      }),
  },
];
