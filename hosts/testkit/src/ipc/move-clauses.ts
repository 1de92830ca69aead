/** Processes that go to another host: extract there, install here, and what of them goes along. */
import { ms, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import { isKernelError, message, type Received, ReplyCode, type Response } from '@backplane/slots';
import { type Check, holds, notConforming, same } from '../check.ts';
import { Mobile } from './mobile.ts';
import type { Bounds } from './under-test.ts';
import { asked, codeIn, done, type HostName, hosts, World, wordIn, words, work } from './world.ts';

/** The other process: on the host that it leaves, on that to which it goes, on a third one. */
export function everywhere(bounds: Bounds, body: (w: World, other: HostName) => void): void {
  for (const other of hosts) {
    try {
      body(new World(bounds), other);
    } catch (e) {
      if (e instanceof Error) e.message = `with the other process on ${other}: ${e.message}`;
      throw e;
    }
  }
}

/** Answers each request with its number and 1000 more, after a while; `executed` has the numbers. */
const echo =
  (executed: number[], worksNs: number) =>
  (p: Mobile['process']): Task<void> =>
    echoing(p, executed, worksNs);

function* echoing(p: Mobile['process'], executed: number[], worksNs: number): Task<void> {
  for (;;) {
    const r = yield* p.receive();
    executed.push(asked(r));
    yield* sleep(worksNs);
    same('code of the reply', yield* p.reply(r, words(0, asked(r) + 1000)), ReplyCode.ok);
  }
}

/** The kind of the `KernelError` that is thrown. */
function refusal(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    if (!isKernelError(e)) throw e;
    return e.kind;
  }
  return 'none';
}

const byNumber = (a: number, b: number): number => a - b;
/** How long it may be on no host. */
export const transits: readonly number[] = [0, ms(1), ms(20), ms(300)];

export const moveClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a process that moves answers who asked it before: those in line and the one that it has, each once',
    run: () =>
      everywhere(bounds, (w, other) => {
        for (const transitNs of transits) {
          const executed: number[] = [];
          const server = new Mobile(w, 'one', 'server', echo(executed, ms(50)));
          w.run(function* () {
            const sends: Thread<Response>[] = [];
            for (const n of [1, 2, 3, 4]) {
              const { process, scope } = w.process(other, `client ${n}`);
              sends.push(scope.spawn('send', process.send(server.id, words(work, n))));
            }
            yield* sleep(ms(70));
            holds('it is not busy', yield* server.move('two', transitNs));
            const got: number[] = [];
            for (const send of sends) got.push(wordIn(yield* send.join(), 1));
            same('the replies', got, [1001, 1002, 1003, 1004]);
          });
          same('executed', executed.toSorted(byNumber), [1, 2, 3, 4]);
          same('here', w.ipc('one').find(server.id) === undefined, true);
          same('there', w.ipc('two').find(server.id) === server.process, true);
        }
      }),
  },
  {
    name: 'a process that moves gets the reply that it waits for, and its request is executed once',
    run: () =>
      everywhere(bounds, (w, other) => {
        for (const transitNs of transits)
          for (const leavesNs of [0, ms(20), ms(49.9), ms(70)]) {
            const executed: number[] = [];
            const server = w.process(other, 'server', echo(executed, ms(50)));
            const got: number[] = [];
            const client = new Mobile(w, 'one', 'client', function* (p) {
              for (const n of [1, 2, 3]) got.push(wordIn(yield* p.send(server.id, words(work, n)), 1));
            });
            w.run(function* () {
              yield* sleep(leavesNs);
              holds('it is not busy', yield* client.move('two', transitNs));
              yield* client.thread.join();
            });
            const when = `left after ${leavesNs / 1e6} ms, for ${transitNs / 1e6} ms`;
            same(
              `replies and executed (${when})`,
              [got, executed],
              [
                [1001, 1002, 1003],
                [1, 2, 3],
              ],
            );
          }
      }),
  },
  {
    name: 'what a process received before it moved it answers, passes on and discards afterwards as before',
    run: () =>
      everywhere(bounds, (w, other) => {
        const last = w.server(other, 'last', (r) => words(0, asked(r) + 2000));
        const codes: number[] = [];
        const server = new Mobile(w, 'one', 'server', function* (p) {
          const requests: Received[] = [];
          for (let i = 0; i < 3; i++) requests.push(yield* p.receive());
          yield* sleep(seconds(1));
          const [a, b, c] = requests.toSorted((x, y) => asked(x) - asked(y));
          if (a === undefined || b === undefined || c === undefined) return;
          codes.push(yield* p.reply(a, words(0, asked(a))), yield* p.forward(b, last.id, b.message));
          codes.push(p.discard(c), yield* p.reply(a, done));
        });
        w.run(function* () {
          const sends: Thread<Response>[] = [];
          for (const n of [1, 2, 3]) {
            const { process, scope } = w.process(other, `client ${n}`);
            sends.push(scope.spawn('send', process.send(server.id, words(work, n))));
          }
          yield* sleep(ms(500));
          holds('it is not busy', yield* server.move('two'));
          const got: number[][] = [];
          for (const send of sends) {
            const response = yield* send.join();
            got.push([codeIn(response), wordIn(response, 1)]);
          }
          same('the replies', got, [
            [ReplyCode.ok, 1],
            [ReplyCode.ok, 2002],
            [ReplyCode.responseDiscarded, 0],
          ]);
        });
        same('codes', codes, [0, 0, 0, ReplyCode.nonexistentEntity]);
      }),
  },
  {
    name: 'procedures that run, and requests beyond their limit, go along',
    run: () =>
      everywhere(bounds, (w, other) => {
        const executed: number[] = [];
        const server = new Mobile(w, 'one', 'server');
        server.process.serve(
          function* (r) {
            executed.push(asked(r));
            yield* sleep(ms(100));
            return words(0, asked(r) + 1000);
          },
          { concurrent: 2 },
        );
        w.run(function* () {
          const sends: Thread<Response>[] = [];
          for (const n of [1, 2, 3, 4, 5]) {
            const { process, scope } = w.process(other, `client ${n}`);
            sends.push(scope.spawn('send', process.send(server.id, words(work, n))));
          }
          yield* sleep(ms(30));
          holds('it is not busy', yield* server.move('two', ms(1)));
          const got: number[] = [];
          for (const send of sends) got.push(wordIn(yield* send.join(), 1));
          same('the replies', got, [1001, 1002, 1003, 1004, 1005]);
        });
        same('executed', executed.toSorted(byNumber), [1, 2, 3, 4, 5]);
      }),
  },
  {
    name: 'a send that moves keeps its own time limit',
    run: () =>
      everywhere(bounds, (w, other) => {
        const server = w.process(other, 'server', function* (p) {
          yield* p.receive();
          yield* sleep(seconds(1000));
        });
        let [code, atNs] = [-1, 0];
        const client = new Mobile(w, 'one', 'client', function* (p) {
          code = codeIn(yield* p.send(server.id, words(work), { timeoutNs: seconds(5) }));
          atNs = w.rig.nowNs;
        });
        const startNs = w.rig.nowNs;
        w.run(function* () {
          yield* sleep(seconds(2));
          holds('it is not busy', yield* client.move('two'));
          yield* sleep(seconds(1));
          yield* client.move('three');
          yield* client.thread.join();
        });
        same('outcome', code, ReplyCode.userTimeout);
        same('seconds', Math.round((atNs - startNs) / 1e9), 5);
      }),
  },
  {
    name: 'a process that has moved is in its groups, and leaves them when it is told to',
    run: () => {
      for (const to of ['two', 'three'] as const) {
        const w = new World(bounds);
        const group = w.ipc('three').mintGroup();
        const member = new Mobile(w, 'one', 'member', echo([], 0));
        const leave = member.process.join(group);
        const { process } = w.process('three', 'client');
        w.run(function* () {
          holds('it is not busy', yield* member.move(to));
          const response = yield* process.send(group, words(work, 7));
          same('who answered', [response.from, wordIn(response, 1)], [member.id, 1007]);
          leave();
          same('then', codeIn(yield* process.send(group, words(work, 7))), ReplyCode.retransmissionTimeout);
        });
      }
    },
  },
  {
    name: 'a process that has moved is found where it is, and by probes from everywhere',
    run: () => {
      const w = new World(bounds);
      const p = new Mobile(w, 'one', 'p');
      for (const to of ['two', 'three', 'one', 'three'] as const) {
        w.run(() => p.moveSoon(to));
        same(
          'where it is found',
          hosts.filter((host) => w.ipc(host).find(p.id) === p.process),
          [to],
        );
        for (const host of hosts)
          same(
            'probed',
            w.run(() => w.ipc(host).probe(p.id)),
            'here',
          );
      }
    },
  },
  {
    name: 'a process that has moved lives on when its old host crashes, with its threads, and dies with its new one',
    run: () => {
      const w = new World(bounds);
      const server = new Mobile(w, 'one', 'server', echo([], 0));
      const { process } = w.process('three', 'client');
      w.run(() => server.moveSoon('two'));
      w.rig.crash('one');
      same('outcome', codeIn(w.run(() => process.send(server.id, words(work, 1)))), ReplyCode.ok);
      w.rig.crash('two');
      holds('dead', codeIn(w.run(() => process.send(server.id, words(work, 2)))) !== ReplyCode.ok);
      same('its thread', server.thread.ended, true);
    },
  },
  {
    name: 'a process that has moved dies with the scope that it was given there, and by destroy',
    run: () => {
      for (const end of ['scope', 'destroy'] as const) {
        const w = new World(bounds);
        const server = new Mobile(w, 'one', 'server', echo([], 0));
        const { process } = w.process('one', 'client');
        w.run(() => server.moveSoon('two'));
        same('before', codeIn(w.run(() => process.send(server.id, words(work, 1)))), ReplyCode.ok);
        if (end === 'scope') server.scope.cancel();
        else server.process.destroy();
        w.after(seconds(1));
        same('its thread', server.thread.ended, true);
        same('found', w.ipc('two').find(server.id) === undefined, true);
        const code = codeIn(w.run(() => process.send(server.id, words(work, 2))));
        same('outcome', code, ReplyCode.nonexistentEntity);
      }
    },
  },
  {
    name: 'a process goes only if it is here and frozen',
    run: () => {
      const w = new World(bounds);
      const p = new Mobile(w, 'one', 'p');
      same(
        'not frozen',
        refusal(() => w.ipc('one').extract(p.id)),
        'badArgument',
      );
      p.process.freeze();
      same(
        'not here',
        refusal(() => w.ipc('two').extract(p.id)),
        'badArgument',
      );
      const moving = w.ipc('one').extract(p.id);
      same(
        'gone',
        refusal(() => w.ipc('one').extract(p.id)),
        'badArgument',
      );
      if (moving === 'busy') throw notConforming('a process that does nothing', 'it goes', moving);
      p.arrive('two', moving);
      holds('it is there', w.ipc('two').extract(p.id) !== 'busy');
    },
  },
  {
    name: 'a process arrives frozen, with what hangs on it',
    run: () =>
      everywhere(bounds, (w, other) => {
        const executed: number[] = [];
        const server = new Mobile(w, 'one', 'server', echo(executed, 0));
        const local = { its: 'own' };
        server.process.local = local;
        const client = w.process(other, 'client');
        w.after(seconds(1));
        server.process.freeze();
        const moving = w.ipc('one').extract(server.id);
        if (moving === 'busy') throw notConforming('a process that only receives', 'it goes', moving);
        server.arrive('two', moving);
        holds('what hangs on it', w.ipc('two').find(server.id)?.local === local);
        const send = client.scope.spawn('send', client.process.send(server.id, words(work, 1)));
        w.after(seconds(20));
        same('while it is frozen', [send.ended, executed], [false, []]);
        server.process.unfreeze();
        same('outcome', codeIn(w.run(() => send.join())), ReplyCode.ok);
        same('executed', executed, [1]);
      }),
  },
  {
    name: 'a state that is none is refused with badArgument',
    run: () => {
      const w = new World(bounds);
      for (const spoil of [
        () => new Uint8Array(0),
        (state: Uint8Array) => state.slice(0, state.length - 1),
      ]) {
        const p = new Mobile(w, 'one', 'p');
        p.process.freeze();
        const moving = w.ipc('one').extract(p.id);
        if (moving === 'busy') throw notConforming('a process that does nothing', 'it goes', moving);
        const { process, state } = moving;
        same(
          'refused',
          refusal(() => p.arrive('two', { process, state: spoil(state) })),
          'badArgument',
        );
        same('found', w.ipc('two').find(p.id) === undefined, true);
        p.arrive('two', moving);
        same('with its state', w.ipc('two').find(p.id) === p.process, true);
      }
    },
  },
  {
    name: 'a process is announced where it arrives, each time, to those who still listen',
    run: () => {
      const w = new World(bounds);
      const seen: string[] = [];
      const undo = hosts.map((host) =>
        w
          .ipc(host)
          .onArrival(({ id }) => seen.push(`${id} at ${host}, ${w.ipc(host).find(id) !== undefined}`)),
      );
      const p = new Mobile(w, 'one', 'p');
      for (const to of ['two', 'one', 'three'] as const) w.run(() => p.moveSoon(to));
      same(
        'seen',
        seen,
        ['two', 'one', 'three'].map((host) => `${p.id} at ${host}, true`),
      );
      for (const stop of undo) stop();
      w.run(() => p.moveSoon('one'));
      same('when nobody listens', seen.length, 3);
    },
  },
];

export const noMoveClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'over a transport whose entities do not move, no process leaves: unsupported, and it goes on where it is',
    run: () => {
      const w = new World(bounds);
      same('the transport has no `moves`', w.entities('one').moves === undefined, true);
      const server = new Mobile(w, 'one', 'server', echo([], 0));
      w.after(seconds(1));
      server.process.freeze();
      same(
        'refused',
        refusal(() => w.ipc('one').extract(server.id)),
        'unsupported',
      );
      server.process.unfreeze();
      same('found', w.ipc('one').find(server.id) === server.process, true);
      for (const host of hosts) {
        const { process } = w.process(host, 'client');
        const response = w.run(() => process.send(server.id, message({ code: work, words: [1] })));
        same(`outcome for ${host}`, [codeIn(response), wordIn(response, 1)], [ReplyCode.ok, 1001]);
      }
    },
  },
];
