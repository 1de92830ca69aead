/** Servers whose requests run a procedure: at once, up to a limit, on threads that end with the process. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { MessageFlag, message, ReplyCode } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, same } from '../check.ts';
import { pagesOf } from './pages.ts';
import type { Bounds } from './under-test.ts';
import {
  asked,
  codeIn,
  done,
  type HostName,
  type Made,
  type World,
  wherever,
  wordIn,
  words,
  work,
} from './world.ts';

/** Clients that all send their number at once; what each got, and after how many seconds. */
function atOnce(
  w: World,
  here: HostName,
  server: Made,
  count: number,
): readonly (readonly [number, number])[] {
  const beganNs = w.rig.nowNs;
  return w.run(function* () {
    const threads = Array.from({ length: count }, (_, n) => {
      const { scope, process } = w.process(here, `client ${n}`);
      return scope.spawn(
        'send',
        (function* (): Task<readonly [number, number]> {
          yield* sleep(seconds(0.1) * n);
          const response = yield* process.send(server.id, words(work, n));
          return [wordIn(response, 1), Math.floor((w.rig.nowNs - beganNs) / 1e9 / 10) * 10];
        })(),
      );
    });
    const got: (readonly [number, number])[] = [];
    for (const thread of threads) got.push(yield* thread.join());
    return got;
  });
}

export const procedureClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'each request runs the procedure at once, beside the others',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.process(there, 'server');
        server.process.serve(
          function* (r) {
            yield* sleep(seconds(10));
            return words(0, asked(r) + 100);
          },
          { concurrent: 10 },
        );
        const got = atOnce(w, here, server, 6);
        same(
          'answers',
          got.map(([answer]) => answer),
          [100, 101, 102, 103, 104, 105],
        );
        same(
          'after tens of seconds',
          got.map(([, at]) => at),
          [10, 10, 10, 10, 10, 10],
        );
      }),
  },
  {
    name: 'beyond the limit requests wait in line',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.process(there, 'server');
        let [running, most] = [0, 0];
        server.process.serve(
          function* (r) {
            most = Math.max(most, ++running);
            yield* sleep(seconds(10));
            running--;
            return words(0, asked(r));
          },
          { concurrent: 2 },
        );
        const got = atOnce(w, here, server, 6);
        same(
          'answers',
          got.map(([answer]) => answer),
          [0, 1, 2, 3, 4, 5],
        );
        same(
          'after tens of seconds',
          got.map(([, at]) => at),
          [10, 10, 20, 20, 30, 30],
        );
        same('at once', most, 2);
      }),
  },
  {
    name: 'requests that were in line before the process serves are served',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.process(there, 'server', function* (p) {
          yield* sleep(seconds(5));
          p.serve(function* (r) {
            return words(0, asked(r));
          });
        });
        same(
          'answers',
          atOnce(w, here, server, 4).map(([answer]) => answer),
          [0, 1, 2, 3],
        );
      }),
  },
  {
    name: 'a procedure passes a request on, moves bytes, or does without a reply',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const other = w.server(here, 'other', () => words(0, 33));
        const server = w.process(there, 'server');
        server.process.serve(function* (r) {
          if (asked(r) === 1) return 'discard';
          if (asked(r) === 2) {
            yield* server.process.forward(r, other.id, r.message);
            return 'discard';
          }
          return words(yield* server.process.moveBytesTo(r, 0, pattern(50, 4)));
        });
        const memory = pagesOf(1);
        const { process } = w.process(here, 'client', undefined, memory);
        w.run(function* () {
          same(
            'without',
            codeIn(yield* process.send(server.id, words(work, 1))),
            ReplyCode.responseDiscarded,
          );
          same('passed on', wordIn(yield* process.send(server.id, words(work, 2)), 1), 33);
          const grant = { read: false, write: true, address: 0, bytes: 50 };
          same('moved', codeIn(yield* process.send(server.id, words(work, 3), { grant })), ReplyCode.ok);
        });
        same('memory', digest(memory.bytes.slice(0, 50)), digest(pattern(50, 4)));
      }),
  },
  {
    name: 'a conditional message is taken while fewer procedures run than the limit',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.process(there, 'server');
        server.process.serve(
          function* () {
            yield* sleep(seconds(10));
            return done;
          },
          { concurrent: 1 },
        );
        const conditional = message({ code: work, flags: MessageFlag.conditional });
        const [first, second] = [w.process(here, 'first'), w.process(here, 'second')];
        w.run(function* () {
          const thread = first.scope.spawn('send', first.process.send(server.id, conditional));
          yield* sleep(seconds(5));
          same(
            'beyond',
            codeIn(yield* second.process.send(server.id, conditional)),
            ReplyCode.notAwaitingMessage,
          );
          same('within', codeIn(yield* thread.join()), ReplyCode.ok);
        });
      }),
  },
  {
    name: 'procedures end with their process, and who waits for them is told',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const server = w.process(there, 'server');
        let ended = 0;
        server.process.serve(
          function* () {
            yield* sleep(seconds(100));
            ended++;
            return done;
          },
          { concurrent: 1 },
        );
        const clients = [0, 1, 2].map((n) => w.process(here, `client ${n}`));
        w.run(function* () {
          const threads = clients.map(({ scope, process }) =>
            scope.spawn('send', process.send(server.id, words(work))),
          );
          yield* sleep(seconds(10));
          server.process.destroy();
          for (const thread of threads)
            same('outcome', codeIn(yield* thread.join()), ReplyCode.nonexistentEntity);
        });
        w.after(seconds(200));
        same('procedures that ran to their end', ended, 0);
      }),
  },
];
