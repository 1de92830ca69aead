/** Passing a request on: who answers, who may not any more, and for how long that goes on. */
import { seconds, sleep } from '@backplane/engine';
import { type Received, ReplyCode } from '@backplane/slots';
import { type Check, holds, same, within } from '../check.ts';
import type { Bounds } from './under-test.ts';
import {
  asked,
  codeIn,
  done,
  type HostName,
  type Made,
  World,
  wherever,
  wordIn,
  words,
  work,
} from './world.ts';

/** Where the client, the first and the second server are. */
const routes: readonly (readonly [HostName, HostName, HostName])[] = [
  ['one', 'one', 'one'],
  ['one', 'one', 'two'],
  ['one', 'two', 'two'],
  ['one', 'two', 'one'],
  ['one', 'two', 'three'],
];

const everyRoute = (
  bounds: Bounds,
  body: (w: World, a: HostName, b: HostName, c: HostName) => void,
): void => {
  for (const [a, b, c] of routes) {
    try {
      body(new World(bounds), a, b, c);
    } catch (e) {
      if (e instanceof Error) e.message = `from ${a} over ${b} to ${c}: ${e.message}`;
      throw e;
    }
  }
};

export const forwardClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a request that is passed on is answered by the next server, as if it had been asked',
    run: () =>
      everyRoute(bounds, (w, a, b, c) => {
        const seen: Received[] = [];
        const second = w.process(c, 'second', function* (p) {
          for (;;) {
            const r = yield* p.receive();
            seen.push(r);
            yield* p.reply(r, words(0, asked(r) + 1));
          }
        });
        const codes: number[] = [];
        const first = w.process(b, 'first', function* (p) {
          for (;;) {
            const r = yield* p.receive();
            codes.push(yield* p.forward(r, second.id, words(work, asked(r) * 2)));
          }
        });
        const client = w.process(a, 'client');
        w.run(function* () {
          for (const n of [5, 6]) {
            const response = yield* client.process.send(first.id, words(work, n));
            same('the answer', wordIn(response, 1), 2 * n + 1);
            same('who answered', response.from, second.id);
          }
        });
        w.after(seconds(1));
        same('codes', codes, [ReplyCode.ok, ReplyCode.ok]);
        same(
          'from',
          seen.map(({ from }) => from),
          [client.id, client.id],
        );
        same(
          'to',
          seen.map(({ to }) => to),
          [second.id, second.id],
        );
      }),
  },
  {
    name: 'who has passed a request on has it no longer: a reply, another forward and a discard are nonexistentEntity',
    run: () =>
      everyRoute(bounds, (w, a, b, c) => {
        const second = w.process(c, 'second', function* (p) {
          const r = yield* p.receive();
          yield* p.reply(r, words(0, 2));
        });
        const codes: number[] = [];
        const first = w.process(b, 'first', function* (p) {
          const r = yield* p.receive();
          codes.push(yield* p.forward(r, second.id, r.message));
          codes.push(yield* p.reply(r, words(0, 1)), yield* p.forward(r, second.id, r.message), p.discard(r));
        });
        const client = w.process(a, 'client');
        same(
          'the answer',
          wordIn(
            w.run(() => client.process.send(first.id, words(work))),
            1,
          ),
          2,
        );
        w.after(seconds(1));
        const none = ReplyCode.nonexistentEntity;
        same('codes', codes, [ReplyCode.ok, none, none, none]);
      }),
  },
  {
    name: 'a request passed on to a process that does not exist is nonexistentEntity for its sender',
    run: () =>
      everyRoute(bounds, (w, a, b, c) => {
        const gone = w.process(c, 'gone');
        gone.process.destroy();
        const first = w.process(b, 'first', function* (p) {
          const r = yield* p.receive();
          yield* p.forward(r, gone.id, r.message);
        });
        const client = w.process(a, 'client');
        const response = w.run(() => client.process.send(first.id, words(work)));
        same('outcome', codeIn(response), ReplyCode.nonexistentEntity);
      }),
  },
  {
    name: 'a request may be passed on to a server that is busy, and waits in its line',
    run: () =>
      everyRoute(bounds, (w, a, b, c) => {
        const order: number[] = [];
        const second = w.process(c, 'second', function* (p) {
          for (let i = 0; i < 2; i++) {
            const r = yield* p.receive();
            order.push(asked(r));
            yield* sleep(seconds(1));
            yield* p.reply(r, done);
          }
        });
        const first = w.process(b, 'first', function* (p) {
          for (;;) {
            const r = yield* p.receive();
            yield* p.forward(r, second.id, r.message);
          }
        });
        const clients = [w.process(a, 'client 0'), w.process(a, 'client 1')];
        w.run(function* () {
          const threads = clients.map(({ scope, process }, n) =>
            scope.spawn('send', process.send(n === 0 ? second.id : first.id, words(work, n))),
          );
          for (const thread of threads) same('outcome', codeIn(yield* thread.join()), ReplyCode.ok);
        });
        same('received', order.toSorted(), [0, 1]);
      }),
  },
  {
    name: 'a request is not passed on for ever: at last that is refused, and it is still to be answered',
    run: () =>
      wherever(bounds, (w, here, there) => {
        let forwards = 0;
        let refusal = -1;
        const servers: Made[] = [];
        for (const n of [0, 1])
          servers.push(
            w.process(n === 0 || there === 'one' ? there : 'three', `server ${n}`, function* (p) {
              for (;;) {
                const r = yield* p.receive();
                const other = servers[1 - n];
                const code = other === undefined ? -1 : yield* p.forward(r, other.id, r.message);
                if (code === ReplyCode.ok) {
                  forwards++;
                } else {
                  refusal = code;
                  same('code of the reply', yield* p.reply(r, words(0, 77)), ReplyCode.ok);
                }
              }
            }),
          );
        const client = w.process(here, 'client');
        const [first] = servers;
        if (first === undefined) return;
        same(
          'the answer',
          wordIn(
            w.run(() => client.process.send(first.id, words(work))),
            1,
          ),
          77,
        );
        within('forwards', forwards, 15, 15);
        holds('refused with a code', refusal > 0);
      }),
  },
];
