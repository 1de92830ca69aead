import { charge, seconds, settle, sleep, type Task } from '@backplane/engine';
import { zeroCost } from '@backplane/hw-machines';
import { Busy, type EntityId, type IpcProcess, type NativeText, wellKnown } from '@backplane/slots';
import { asker, ByteStream, CreateMode, Instance } from '@backplane/uio';
import {
  ask,
  awaitProgram,
  createProgram,
  entitiesIn,
  environmentAddress,
  listPrograms,
  modifyProgram,
  orNothing,
  programLevels,
  queryLoad,
  startProcess,
  terminateProgram,
} from '@backplane/v-operations';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const quiet = { server: null } as const;
const environment = new Uint8Array([7, 8, 9]);

/** Where the programs are: all of these run on mace. */
function* program(
  w: World,
  self: IpcProcess,
  here: EntityId,
  text: NativeText,
  level: (typeof programLevels)[number] = 'foreground',
): Task<EntityId> {
  const managers = w.group('mace', wellKnown.programManagers);
  const { root } = yield* ask(
    self,
    managers,
    createProgram,
    {
      text: w.cluster.natives.texts.add(text),
      level: programLevels.indexOf(level),
      pages: 2,
      start: { name: 'p', environment },
    },
    { beside: here },
  );
  return root;
}

function* started(...made: Parameters<typeof program>): Task<EntityId> {
  const [w, self, here] = made;
  const root = yield* program(...made);
  yield* ask(
    self,
    w.group('mace', wellKnown.processManagers),
    startProcess,
    { process: root },
    { beside: here },
  );
  return root;
}

const hereOf = (w: World): EntityId =>
  w.ipc('mace').create({ name: 'here', scope: w.machine('mace').scope, space: null }).id;

const metrics = (w: World): Readonly<Record<string, number>> => w.machine('mace').metrics().toRecord();

describe.each(['mace', 'thyme'])('the program manager of mace, asked from %s', (from) => {
  it('starts a program that finds its environment, and tells how it ended', () => {
    const w = new World(quiet);
    const told = w.run(function* () {
      const here = hereOf(w);
      return yield* w.on(from, function* (self) {
        const root = yield* started(w, self, here, function* ({ memory, argument }) {
          yield* sleep(seconds(1));
          const found = memory === null ? [] : yield* memory.read(environmentAddress, argument);
          return [...found].reduce((a, b) => a + b, 0);
        });
        const managers = w.group(from, wellKnown.programManagers);
        const { roots } = yield* ask(self, managers, listPrograms, {}, { beside: here });
        const { status } = yield* ask(self, managers, awaitProgram, { root }, { beside: here });
        yield* sleep(seconds(1));
        const after = yield* ask(self, managers, listPrograms, {}, { beside: here });
        return { listed: entitiesIn(roots).join() === root, status, after: after.roots.length };
      });
    });
    expect(told).toEqual({ listed: true, status: 24, after: 0 });
    expect(metrics(w)['v.spaces']).toBe(0);
  });

  it('ends one that is told to end, and suspends and resumes one', () => {
    const w = new World(quiet);
    const told = w.run(function* () {
      const here = hereOf(w);
      return yield* w.on(from, function* (self) {
        let ticks = 0;
        const root = yield* started(w, self, here, function* () {
          for (;;) {
            charge(seconds(1), Busy.user);
            yield* settle();
            ticks++;
          }
        });
        const managers = w.group(from, wellKnown.programManagers);
        const level = programLevels.indexOf('background');
        yield* sleep(seconds(10));
        yield* ask(self, managers, modifyProgram, { root, level, suspended: 1 }, { beside: here });
        const suspendedAt = ticks;
        yield* sleep(seconds(10));
        const still = ticks - suspendedAt <= 1;
        yield* ask(self, managers, modifyProgram, { root, level, suspended: 0 }, { beside: here });
        yield* sleep(seconds(10));
        const resumed = ticks - suspendedAt >= 8;
        const ending = w.machine('mace').scope.spawn('awaits', awaited(w, root, here));
        yield* sleep(seconds(1));
        yield* ask(self, managers, terminateProgram, { root }, { beside: here });
        return { still, resumed, status: yield* ending.join() };
      });
    });
    expect(told).toEqual({ still: true, resumed: true, status: -1 });
    expect([metrics(w)['v.spaces'], metrics(w)['v.processes']]).toEqual([0, 0]);
  });
});

function* awaited(w: World, root: EntityId, here: EntityId): Task<number> {
  const waiter = w.ipc('mace').create({ name: 'waiter', scope: w.machine('mace').scope, space: null });
  const managers = w.group('mace', wellKnown.programManagers);
  const { status } = yield* ask(waiter, managers, awaitProgram, { root }, { beside: here });
  waiter.destroy();
  return status;
}

describe('time on a host with several programs', () => {
  /** Seconds that each of them has computed, of 30. */
  function shares(levels: readonly (typeof programLevels)[number][]): number[] {
    const w = new World(quiet);
    const ticks = levels.map(() => 0);
    w.run(function* () {
      yield* w.on('mace', function* (self) {
        for (const [i, level] of levels.entries())
          yield* started(
            w,
            self,
            self.id,
            function* () {
              for (;;) {
                charge(seconds(0.05), Busy.user);
                yield* settle();
                ticks[i] = (ticks[i] ?? 0) + 0.05;
              }
            },
            level,
          );
        yield* sleep(seconds(30));
      });
    });
    return ticks.map(Math.round);
  }

  it('is shared evenly within a level', () => {
    expect(shares(['foreground', 'foreground', 'foreground'])).toEqual([10, 10, 10]);
  });

  it('goes to the better level', () => {
    expect(shares(['guest', 'background', 'foreground'])).toEqual([0, 0, 30]);
  });
});

describe('the programs of a host', () => {
  it('are read as a file, from any host', () => {
    const w = new World(quiet);
    const text = w.run(function* () {
      const here = hereOf(w);
      return yield* w.on('thyme', function* (self) {
        const root = yield* started(w, self, here, function* () {
          yield* sleep(seconds(100));
          return 0;
        });
        const managers = w.group('thyme', wellKnown.programManagers);
        const open = yield* Instance.create(asker(self), managers, { mode: CreateMode.read, beside: here });
        const bytes = yield* new ByteStream(open, zeroCost.costs).read(1000);
        yield* open.release();
        return new TextDecoder().decode(bytes) === `${root} foreground running p\n`;
      });
    });
    expect(text).toBe(true);
  });
});

describe('a question for a host that takes a program', () => {
  it('is answered by all that are willing', () => {
    const w = new World({ ...quiet, workstations: ['mace', 'thyme', 'sage'] });
    const answers = w.run(() =>
      w.on('mace', function* (self) {
        const managers = w.group('mace', wellKnown.programManagers);
        const q = { memoryBytes: 100_000, guest: 1, machineType: '' };
        const { message } = yield* self.send(managers, queryLoad.request(q));
        const replies = [queryLoad.replied(message)];
        for (
          let next = yield* self.nextReply(seconds(1));
          next !== undefined;
          next = yield* self.nextReply(seconds(1))
        )
          replies.push(queryLoad.replied(next.message));
        return replies;
      }),
    );
    expect(new Set(answers.map((a) => a.manager)).size).toBe(3);
    expect(answers.every((a) => a.freeBytes >= 100_000)).toBe(true);
  });

  it('is not answered for a program that fits nowhere', () => {
    const w = new World(quiet);
    const answer = w.run(() =>
      w.on('mace', (self) =>
        orNothing(
          ask(self, w.group('mace', wellKnown.programManagers), queryLoad, {
            memoryBytes: 0xf000_0000,
            guest: 1,
            machineType: '',
          }),
        ),
      ),
    );
    expect(answer).toBeUndefined();
  });
});

describe('a program that nobody starts', () => {
  it('goes when who wanted it has died', () => {
    const w = new World(quiet);
    const left = w.run(function* () {
      yield* w.on('mace', function* (self) {
        yield* program(w, self, self.id, function* () {
          return 0;
        });
      });
      yield* sleep(seconds(70));
      return metrics(w)['v.programs'];
    });
    expect(left).toBe(0);
  });
});

describe('ten thousand programs, one after the other', () => {
  it('leave no process, space, entity or frame behind', () => {
    const w = new World({ ...quiet, workstations: ['mace'] });
    const count = process.env['BACKPLANE_FULL'] === undefined ? 500 : 10_000;
    const counts = (): number[] =>
      ['v.programs', 'v.processes', 'v.spaces', 'ipc.processes', 'vm.residentPages'].map(
        (name) => metrics(w)[name] ?? 0,
      );
    const [before, after] = w.run(() =>
      w.on('mace', function* (self) {
        const once = function* (): Task<void> {
          const root = yield* program(w, self, self.id, function* ({ memory }) {
            if (memory !== null) yield* memory.write(5000, environment);
            return 0;
          });
          const ending = w.machine('mace').scope.spawn('awaits', awaited(w, root, self.id));
          yield* sleep(seconds(0.001));
          yield* ask(
            self,
            w.group('mace', wellKnown.processManagers),
            startProcess,
            { process: root },
            { beside: self.id },
          );
          yield* ending.join();
        };
        yield* once();
        const before = counts();
        for (let i = 0; i < count; i++) yield* once();
        return [before, counts()];
      }),
    );
    expect(after?.slice(0, 3)).toEqual([0, 0, 0]);
    expect(after).toEqual(before);
  });
});
