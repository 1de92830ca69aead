import { seconds, sleep, type Task } from '@backplane/engine';
import { kernelServers } from '@backplane/kernel-servers-v';
import { type EntityId, isKernelError, type NativeText, wellKnown } from '@backplane/slots';
import { vWorkstation } from '@backplane/v';
import {
  ask,
  awaitProcess,
  bindRegion,
  createGroup,
  createProcess,
  createSpace,
  delay,
  destroyProcess,
  destroySpace,
  entitiesIn,
  freezeProcess,
  getTime,
  joinGroup,
  leaveGroup,
  modifyProcess,
  priorityOf,
  processStates,
  queryGroup,
  queryProcess,
  querySpace,
  queryTeam,
  setTime,
  slewTime,
  startProcess,
  unfreezeProcess,
  wake,
} from '@backplane/v-operations';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

/** Nobody else changes clocks or processes. */
const bare = vWorkstation()
  .without('fileCache')
  .without('systemCalls')
  .with({ servers: { kernel: kernelServers() } });

const places = [
  ['on the same host', 'mace'],
  ['from another host', 'thyme'],
] as const;

function* kindOfFailure(task: Task<unknown>): Task<string> {
  try {
    yield* task;
    return 'ok';
  } catch (e) {
    if (isKernelError(e)) return e.kind;
    throw e;
  }
}

/** A process of mace, as its process server makes it, beside which everything is asked. */
function* beside(w: World): Task<EntityId> {
  return w.ipc('mace').create({ name: 'here', scope: w.machine('mace').scope, space: null }).id;
}

describe.each(places)('the process server, asked %s', (_, from) => {
  const make = function* (
    w: World,
    self: Parameters<typeof ask>[0],
    text: NativeText,
    o: { readonly space?: number; readonly priority?: number; readonly here: EntityId },
  ): Task<EntityId> {
    const number = textOf(w, text);
    const managers = w.group(from, wellKnown.processManagers);
    const { process } = yield* ask(
      self,
      managers,
      createProcess,
      { space: o.space ?? 0, text: number, argument: 7, priority: o.priority ?? 0, name: 'p' },
      { beside: o.here },
    );
    return process;
  };

  it('makes a process that runs when it is started, and tells its status to who awaits it', () => {
    const w = new World({ server: null, kernel: bare });
    const told = w.run(function* () {
      const here = yield* beside(w);
      return yield* w.on(from, function* (self) {
        const managers = w.group(from, wellKnown.processManagers);
        let ran = false;
        const p = yield* make(
          w,
          self,
          function* ({ argument }) {
            ran = true;
            yield* sleep(seconds(2));
            return argument + 35;
          },
          { here },
        );
        yield* sleep(seconds(1));
        const before = ran;
        const { state } = yield* ask(self, managers, queryProcess, { process: p }, { beside: p });
        yield* ask(self, managers, startProcess, { process: p }, { beside: p });
        const { status } = yield* ask(self, managers, awaitProcess, { process: p }, { beside: p });
        const after = yield* kindOfFailure(
          ask(self, managers, queryProcess, { process: p }, { beside: here }),
        );
        return { before, state: processStates[state], ran, status, after };
      });
    });
    expect(told).toEqual({ before: false, state: 'new', ran: true, status: 42, after: 'noProcess' });
  });

  it('ends a process, whatever it is doing, with its clean-up', () => {
    const w = new World({ server: null, kernel: bare });
    const log: string[] = [];
    const status = w.run(function* () {
      const here = yield* beside(w);
      return yield* w.on(from, function* (self) {
        const managers = w.group(from, wellKnown.processManagers);
        const p = yield* make(
          w,
          self,
          function* () {
            try {
              yield* sleep(seconds(1000));
              return 0;
            } finally {
              log.push('cleaned up');
            }
          },
          { here },
        );
        yield* ask(self, managers, startProcess, { process: p }, { beside: p });
        w.machine('mace').scope.spawn(
          'killer',
          (function* (): Task<void> {
            yield* sleep(seconds(1));
            const other = w
              .ipc('mace')
              .create({ name: 'killer', scope: w.machine('mace').scope, space: null });
            yield* ask(other, managers, destroyProcess, { process: p }, { beside: p });
          })(),
        );
        return (yield* ask(self, managers, awaitProcess, { process: p }, { beside: p })).status;
      });
    });
    expect([status, log]).toEqual([-1, ['cleaned up']]);
    expect(w.machine('mace').metrics().toRecord()['v.processes']).toBe(0);
  });

  it('freezes and thaws: a frozen process neither answers nor goes on', () => {
    const w = new World({ server: null, kernel: bare });
    const seen = w.run(function* () {
      const here = yield* beside(w);
      return yield* w.on(from, function* (self) {
        const managers = w.group(from, wellKnown.processManagers);
        const beats: number[] = [];
        const p = yield* make(
          w,
          self,
          function* ({ process }) {
            for (let i = 0; i < 4; i++) {
              const request = yield* process.receive();
              beats.push(w.cluster.engine.nowNs);
              yield* process.reply(request, request.message);
            }
            return 0;
          },
          { here, priority: priorityOf('foreground') },
        );
        const poke = function* (): Task<void> {
          yield* self.send(p, { control: new Uint8Array(32), segment: new Uint8Array(0) });
        };
        yield* ask(self, managers, startProcess, { process: p }, { beside: p });
        yield* poke();
        yield* ask(self, managers, freezeProcess, { process: p }, { beside: p });
        const frozen = yield* ask(self, managers, queryProcess, { process: p }, { beside: p });
        const frozenAt = w.cluster.engine.nowNs;
        w.machine('mace').scope.spawn(
          'thaw',
          (function* (): Task<void> {
            yield* sleep(seconds(5));
            const other = w.ipc('mace').create({ name: 'thaw', scope: w.machine('mace').scope, space: null });
            yield* ask(other, managers, unfreezeProcess, { process: p }, { beside: p });
          })(),
        );
        yield* poke();
        return {
          state: processStates[frozen.state],
          waited: w.cluster.engine.nowNs - frozenAt >= seconds(5),
          beats: beats.length,
        };
      });
    });
    expect(seen).toEqual({ state: 'frozen', waited: true, beats: 2 });
  });

  it('changes a priority, and knows the processes of a space', () => {
    const w = new World({ server: null, kernel: bare });
    const told = w.run(function* () {
      const here = yield* beside(w);
      return yield* w.on(from, function* (self) {
        const managers = w.group(from, wellKnown.processManagers);
        const memory = w.group(from, wellKnown.memoryManagers);
        const { space } = yield* ask(self, memory, createSpace, { name: 'team' }, { beside: here });
        const rest: NativeText = function* () {
          yield* sleep(seconds(1000));
          return 0;
        };
        const [a, b] = [
          yield* make(w, self, rest, { here, space }),
          yield* make(w, self, rest, { here, space }),
        ];
        yield* ask(
          self,
          managers,
          modifyProcess,
          { process: a, priority: priorityOf('guest', 3) },
          { beside: a },
        );
        const { priority } = yield* ask(self, managers, queryProcess, { process: a }, { beside: a });
        const { processes } = yield* ask(self, managers, queryTeam, { space }, { beside: here });
        yield* ask(self, memory, destroySpace, { space }, { beside: here });
        const gone = yield* kindOfFailure(
          ask(self, managers, queryProcess, { process: a }, { beside: here }),
        );
        return { priority, both: entitiesIn(processes).join() === [a, b].join(), gone };
      });
    });
    expect(told).toEqual({ priority: priorityOf('guest', 3), both: true, gone: 'noProcess' });
  });

  it('says that there is no such text, process, or space', () => {
    const w = new World({ server: null, kernel: bare });
    const kinds = w.run(function* () {
      const here = yield* beside(w);
      return yield* w.on(from, function* (self) {
        const managers = w.group(from, wellKnown.processManagers);
        const create = (text: number, space: number): Task<unknown> =>
          ask(
            self,
            managers,
            createProcess,
            { space, text, argument: 0, priority: 0, name: 'p' },
            { beside: here },
          );
        const kinds: string[] = [];
        kinds.push(yield* kindOfFailure(create(999_999, 0)));
        kinds.push(
          yield* kindOfFailure(
            create(
              textOf(w, function* () {
                return 0;
              }),
              77,
            ),
          ),
        );
        kinds.push(
          yield* kindOfFailure(ask(self, managers, startProcess, { process: here }, { beside: here })),
        );
        return kinds;
      });
    });
    expect(kinds).toEqual(['badArgument', 'badArgument', 'noProcess']);
  });
});

describe.each(places)('the memory server, asked %s', (_, from) => {
  it('binds and tells regions, and processes find them in their memory', () => {
    const w = new World({ server: null, kernel: bare });
    const told = w.run(function* () {
      const here = yield* beside(w);
      return yield* w.on(from, function* (self) {
        const memory = w.group(from, wellKnown.memoryManagers);
        const managers = w.group(from, wellKnown.processManagers);
        const { space, pageBytes } = yield* ask(
          self,
          memory,
          createSpace,
          { name: 'team' },
          { beside: here },
        );
        yield* ask(
          self,
          memory,
          bindRegion,
          { space, first: 4, pages: 2, writable: 1, object: null },
          { beside: here },
        );
        const overlap = yield* kindOfFailure(
          ask(
            self,
            memory,
            bindRegion,
            { space, first: 5, pages: 1, writable: 1, object: null },
            { beside: here },
          ),
        );
        const text = textOf(w, function* ({ memory: mine }) {
          yield* sleep(seconds(1));
          if (mine === null) return 1;
          yield* mine.write(4 * pageBytes + 10, new Uint8Array([1, 2, 3]));
          return (yield* mine.read(4 * pageBytes + 12, 1))[0] ?? 0;
        });
        const { process } = yield* ask(
          self,
          managers,
          createProcess,
          { space, text, argument: 0, priority: 0, name: 'p' },
          { beside: here },
        );
        yield* ask(self, managers, startProcess, { process }, { beside: here });
        const { status } = yield* ask(self, managers, awaitProcess, { process }, { beside: here });
        const query = yield* ask(self, memory, querySpace, { space }, { beside: here });
        return { overlap, status, regions: [...query.regions], resident: query.residentPages };
      });
    });
    expect(told).toEqual({
      overlap: 'badArgument',
      status: 3,
      regions: [0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 1],
      resident: 1,
    });
  });
});

describe.each(places)('the communication server, asked %s', (_, from) => {
  it('makes groups, and puts processes in and out', () => {
    const w = new World({ server: null, kernel: bare });
    const told = w.run(function* () {
      const here = yield* beside(w);
      return yield* w.on(from, function* (self) {
        const groups = w.group(from, wellKnown.communicationManagers);
        const { group } = yield* ask(self, groups, createGroup, {}, { beside: here });
        yield* ask(self, groups, joinGroup, { group, process: here }, { beside: here });
        const { count, members } = yield* ask(self, groups, queryGroup, { group }, { beside: here });
        yield* ask(self, groups, leaveGroup, { group, process: here }, { beside: here });
        const after = yield* kindOfFailure(ask(self, groups, queryGroup, { group }, { beside: here }));
        return { count, member: entitiesIn(members)[0] === here, after };
      });
    });
    expect(told).toEqual({ count: 1, member: true, after: 'notFound' });
  });
});

describe.each(places)('the time server, asked %s', (_, from) => {
  it('tells the time, is set and slewed, and never goes back while it is slewed', () => {
    const w = new World({ server: null, kernel: bare });
    const told = w.run(function* () {
      const here = yield* beside(w);
      return yield* w.on(from, function* (self) {
        const time = w.group(from, wellKnown.timeServers);
        const now = function* (): Task<number> {
          return (yield* ask(self, time, getTime, {}, { beside: here })).nowNs;
        };
        const start = yield* now();
        yield* ask(self, time, setTime, { nowNs: start + seconds(100) }, { beside: here });
        const ahead = Math.round(((yield* now()) - start) / 1e9);
        yield* ask(self, time, slewTime, { microseconds: -1_000_000 }, { beside: here });
        let monotone = true;
        let last = yield* now();
        const slewedFrom = { clock: last, true: w.cluster.engine.nowNs };
        for (let i = 0; i < 60; i++) {
          yield* sleep(seconds(1));
          const next = yield* now();
          monotone &&= next > last;
          last = next;
        }
        const lost = w.cluster.engine.nowNs - slewedFrom.true - (last - slewedFrom.clock);
        return {
          year: new Date(start / 1e6).getUTCFullYear(),
          ahead,
          monotone,
          lost: Math.round(lost / 1e9),
        };
      });
    });
    expect(told).toEqual({ year: 1988, ahead: 100, monotone: true, lost: 1 });
  });

  it('delays, and wakes who delays', () => {
    const w = new World({ server: null, kernel: bare });
    const told = w.run(function* () {
      return yield* w.on('mace', function* (sleeper) {
        const time = w.group('mace', wellKnown.timeServers);
        const slept = yield* ask(sleeper, time, delay, { spanNs: seconds(3) }, { beside: sleeper.id });
        const sleptAt = w.cluster.engine.nowNs;
        w.machine(from).scope.spawn(
          'waker',
          (function* (): Task<void> {
            yield* sleep(seconds(2));
            const other = w.ipc(from).create({ name: 'waker', scope: w.machine(from).scope, space: null });
            yield* ask(
              other,
              w.group(from, wellKnown.timeServers),
              wake,
              { process: sleeper.id },
              { beside: sleeper.id },
            );
          })(),
        );
        const woken = yield* ask(sleeper, time, delay, { spanNs: seconds(30) }, { beside: sleeper.id });
        const waited = Math.round((w.cluster.engine.nowNs - sleptAt) / 1e9);
        return { slept: slept.woken, woken: woken.woken, waited };
      });
    });
    expect(told).toEqual({ slept: 0, woken: 1, waited: 2 });
  });
});

const textOf = (w: World, text: NativeText): number => w.cluster.natives.texts.add(text);
