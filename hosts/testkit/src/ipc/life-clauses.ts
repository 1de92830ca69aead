/** The ends of processes, of their scopes and of hosts: who is told, and who has to ask. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { ReplyCode } from '@backplane/slots';
import { type Check, holds, same, within } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { asked, codeIn, done, type Made, World, wherever, words, work } from './world.ts';

const ways: readonly (readonly [string, (made: Made) => void])[] = [
  ['is destroyed', ({ process }) => process.destroy()],
  ['loses its scope by cancellation', ({ scope }) => scope.cancel()],
  ['loses its scope by a crash', ({ scope }) => scope.crash()],
];

export const lifeClauses = (bounds: Bounds): readonly Check[] => [
  ...ways.map(
    ([way, end]): Check => ({
      name: `when a process ${way}, who waits in its line or for its reply gets nonexistentEntity`,
      run: () =>
        wherever(bounds, (w, here, there) => {
          const server = w.process(there, 'server', function* (p) {
            yield* p.receive();
            yield* p.receive();
            yield* sleep(seconds(1000));
          });
          const clients = [0, 1, 2, 3].map((n) => w.process(here, `client ${n}`));
          w.run(function* () {
            const threads = clients.map(({ scope, process }) =>
              scope.spawn('send', process.send(server.id, words(work))),
            );
            yield* sleep(seconds(10));
            end(server);
            const endedNs = w.rig.nowNs;
            let untaken = 0;
            for (const thread of threads) {
              const response = yield* thread.join();
              same('outcome', codeIn(response), ReplyCode.nonexistentEntity);
              untaken += response.untaken === true ? 1 : 0;
            }
            within('untaken, but for two that it had', untaken, 0, 2);
            within('seconds', (w.rig.nowNs - endedNs) / 1e9, 0, bounds.noticeSeconds);
            const late = yield* w.process(here, 'late').process.send(server.id, words(work));
            same('a later one', codeIn(late), ReplyCode.nonexistentEntity);
            same('untaken', late.untaken === true, true);
          });
        }),
    }),
  ),
  ...ways.map(
    ([way, end]): Check => ({
      name: `a process that ${way} is found no more, and a probe says so`,
      run: () =>
        wherever(bounds, (w, here, there) => {
          const made = w.process(there, 'process', function* (p) {
            yield* p.receive();
          });
          holds('found', w.ipc(there).find(made.id) === made.process);
          same('found elsewhere', w.ipc('three').find(made.id) === undefined, true);
          same(
            'before',
            w.run(() => w.ipc(here).probe(made.id)),
            'here',
          );
          end(made);
          w.after(seconds(1));
          same('found', w.ipc(there).find(made.id) === undefined, true);
          same(
            'after',
            w.run(() => w.ipc(here).probe(made.id)),
            'nonexistent',
          );
        }),
    }),
  ),
  ...ways.map(
    ([way, end]): Check => ({
      name: `the request of a process that ${way} is answered in vain: nonexistentEntity, and a probe says why`,
      run: () =>
        wherever(bounds, (w, here, there) => {
          const codes: (number | string)[] = [];
          const server = w.process(there, 'server', function* (p) {
            const r = yield* p.receive();
            yield* sleep(seconds(2 * bounds.noticeSeconds));
            codes.push(yield* w.ipc(there).probe(r.from), yield* p.reply(r, done));
          });
          const client = w.process(here, 'client', function* (p) {
            yield* p.send(server.id, words(work));
          });
          w.after(seconds(5));
          end(client);
          w.after(seconds(3 * bounds.noticeSeconds));
          same('codes', codes, ['nonexistent', ReplyCode.nonexistentEntity]);
        }),
    }),
  ),
  {
    name: 'a destroyed process runs on no longer: its thread leaves what it waits in and cleans up',
    run: () =>
      wherever(bounds, (w, here, there) => {
        const cleanedUp: string[] = [];
        const server = w.process(there, 'never', function* (p) {
          yield* p.receive();
          yield* sleep(seconds(10_000));
        });
        const sends = w.process(here, 'sends', function* (p): Task<void> {
          try {
            yield* p.send(server.id, words(work));
            cleanedUp.push('ran on');
          } finally {
            cleanedUp.push('sender');
          }
        });
        const receives = w.process(here, 'receives', function* (p): Task<void> {
          try {
            yield* p.receive();
            cleanedUp.push('ran on');
          } finally {
            cleanedUp.push('receiver');
          }
        });
        w.after(seconds(5));
        sends.process.destroy();
        receives.process.destroy();
        w.after(seconds(5));
        same('cleaned up', cleanedUp.toSorted(), ['receiver', 'sender']);
        holds('both have ended', sends.thread.ended && receives.thread.ended);
      }),
  },
  {
    name: 'a host that crashes is silence: retransmissionTimeout for who waits for a process there, and no answer to a probe',
    run: () => {
      const w = new World(bounds);
      const server = w.process('two', 'server', function* (p) {
        yield* p.receive();
        yield* sleep(seconds(10_000));
      });
      const clients = [
        w.process('one', 'waits'),
        w.process('one', 'is in line'),
        w.process('one', 'comes later'),
      ];
      w.run(function* () {
        const threads = clients.map(({ scope, process }, n) =>
          scope.spawn(
            'send',
            (function* (): Task<number> {
              yield* sleep(seconds(1 + 10 * n));
              return codeIn(yield* process.send(server.id, words(work)));
            })(),
          ),
        );
        yield* sleep(seconds(15));
        w.rig.crash('two');
        for (const thread of threads) same('outcome', yield* thread.join(), ReplyCode.retransmissionTimeout);
        same('probe', yield* w.ipc('one').probe(server.id), 'noAnswer');
      });
      within('seconds', w.rig.nowNs / 1e9, 0, 15 + 4 * bounds.silenceSeconds);
    },
  },
  {
    name: 'processes of a host’s next life are others: a number of the life before is not served by them',
    run: () => {
      const w = new World(bounds);
      const before = [0, 1, 2, 3].map((n) => w.server('two', `server ${n}`, (r) => words(0, asked(r))));
      w.rig.reboot('two');
      const after = [0, 1, 2, 3, 4].map((n) => w.server('two', `server ${n}`, (r) => words(0, asked(r))));
      const numbers = new Set([...before, ...after].map(({ id }) => id));
      same('numbers', numbers.size, 9);
      const { process } = w.process('one', 'client');
      w.run(function* () {
        for (const { id } of before) holds('no answer', codeIn(yield* process.send(id, words(work))) !== 0);
        for (const { id } of after) same('answer', codeIn(yield* process.send(id, words(work))), 0);
      });
    },
  },
];
