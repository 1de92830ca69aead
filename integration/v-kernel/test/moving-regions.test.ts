/** Programs whose memory is a file, and that move: each host has the file open for itself, and no store is lost or made twice. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { zeroCost } from '@backplane/hw-machines';
import {
  type AddressSpace,
  type EntityId,
  type IpcProcess,
  isKernelError,
  type NativeText,
  wellKnown,
} from '@backplane/slots';
import { uio } from '@backplane/uio-v';
import { vFileServer, vWorkstation } from '@backplane/v';
import {
  ask,
  awaitProgram,
  type BoundObject,
  bindRegion,
  createProgram,
  programLevels,
  queryProgram,
  startProcess,
  unbindRegion,
} from '@backplane/v-operations';
import { describe, expect, it } from 'vitest';
import { objectOf } from './bound-object.ts';
import { metricOf, moveTo, until } from './moving.ts';
import { World } from './world.ts';

const first = 16;
const pages = 6;
const readWrite = { read: true, write: true, create: true };

const world = (): World =>
  new World({
    type: { ...zeroCost, pageBytes: 1024 },
    workstations: ['mace', 'thyme', 'sage'],
    kernel: vWorkstation(),
    server: vFileServer().with({ fileCache: uio({ writes: 'through', probeSeconds: 5 }) }),
  });

/** A program of mace with a page of its own, and these regions; it does not run yet. */
function* madeOn(
  w: World,
  self: IpcProcess,
  text: NativeText,
  regions: readonly { readonly first: number; readonly pages: number; readonly object: BoundObject }[],
): Task<EntityId> {
  const here = { beside: self.id };
  const start = { name: 'mapper', environment: new Uint8Array(0) };
  const level = programLevels.indexOf('foreground');
  const request = { text: w.cluster.natives.texts.add(text), level, pages: 1, start };
  const { root } = yield* ask(self, w.group('mace', wellKnown.programManagers), createProgram, request, here);
  const { space } = yield* ask(
    self,
    w.group('mace', wellKnown.programManagers),
    queryProgram,
    { root },
    here,
  );
  for (const r of regions)
    yield* ask(
      self,
      w.group('mace', wellKnown.memoryManagers),
      bindRegion,
      { ...r, space, writable: 1 },
      here,
    );
  return root;
}

function* start(w: World, self: IpcProcess, root: EntityId): Task<void> {
  const managers = w.group('mace', wellKnown.processManagers);
  yield* ask(self, managers, startProcess, { process: root }, { beside: self.id });
}

function* ended(w: World, self: IpcProcess, root: EntityId): Task<number> {
  const managers = w.group('mace', wellKnown.programManagers);
  return (yield* ask(self, managers, awaitProgram, { root }, { beside: root })).status;
}

/** The file, as a program of this host has it that reads it by messages. */
function* contentAt(w: World, host: string, path: string): Task<Uint8Array> {
  let got = new Uint8Array(0);
  yield* w
    .machine(host)
    .board('systemCalls')
    .start('reader', function* (sys) {
      const fd = yield* sys.open(path, { read: true });
      got = (yield* sys.read(fd, 1 << 20)).slice();
      return 0;
    })
    .join();
  return got;
}

/** Makes the file, of so many bytes. */
function* filled(w: World, path: string, bytes: Uint8Array): Task<void> {
  yield* w
    .machine('sage')
    .board('systemCalls')
    .start('writer', function* (sys) {
      const fd = yield* sys.open(path, readWrite);
      yield* sys.write(fd, bytes);
      yield* sys.close(fd);
      return 0;
    })
    .join();
}

function* restartServer(w: World): Task<void> {
  w.machine('allspice').crash();
  yield* sleep(seconds(4));
  w.machine('allspice').boot();
  yield* w.machine('allspice').running();
}

const sizeBytes = 5432; // in the sixth page
const initial = Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 13) & 0xff);

/** Stores into some pages in each round, and compares all that it loads with what it should be. */
const storing = (rounds: number, expected: Uint8Array, seen: { wrong: number; round: number }): NativeText =>
  function* ({ memory }) {
    if (memory === null) return -1;
    for (let round = 1; round <= rounds; round++) {
      for (const at of [round, 1024 * (round % 5) + 100, sizeBytes - 2]) {
        const bytes = Uint8Array.of(round, round + 1);
        yield* memory.write(first * memory.pageBytes + at, bytes);
        expected.set(bytes, at);
      }
      yield* memory.write(0, Uint8Array.of(round)); // memory of its own
      seen.wrong += yield* differences(memory, expected);
      if (((yield* memory.read(0, 1))[0] ?? -1) !== round) seen.wrong++;
      seen.round = round;
      yield* sleep(seconds(0.5));
    }
    return 0;
  };

function* differences(memory: AddressSpace, expected: Uint8Array): Task<number> {
  const got = yield* memory.read(first * memory.pageBytes, expected.length);
  return got.reduce((n, byte, at) => n + (byte === expected[at] ? 0 : 1), 0);
}

describe('a program with a region of a file that moves', () => {
  it.each([
    ['to another host and back', false],
    ['to another host and back, while the file server is killed in between', true],
  ])('loads and stores on: %s', (_, kills) => {
    const w = world();
    const expected = initial.slice();
    const seen = { wrong: 0, round: 0 };
    const told = w.run(function* () {
      yield* filled(w, '/f', initial);
      const status = yield* w.on('mace', function* (self) {
        const object = yield* objectOf(w, self, '/f');
        const root = yield* madeOn(w, self, storing(200, expected, seen), [{ first, pages, object }]);
        yield* start(w, self, root);
        for (const to of ['thyme', 'sage', 'mace', 'thyme']) {
          yield* sleep(seconds(2));
          if (kills) yield* restartServer(w);
          yield* moveTo(w, self, root, to);
        }
        return yield* ended(w, self, root);
      });
      return { status, files: [yield* contentAt(w, 'mace', '/f'), yield* contentAt(w, 'sage', '/f')] };
    });
    expect(seen).toEqual({ wrong: 0, round: 200 });
    expect(told.status).toBe(0);
    // As long as it was, too.
    expect(told.files).toEqual([expected, expected]);
  });

  it('has lost no store when the host that it left dies at once, and asks nothing of it', () => {
    const w = world();
    const expected = initial.slice();
    const seen = { wrong: 0, round: 0 };
    const file = w.run(function* () {
      yield* filled(w, '/f', initial);
      yield* w.on('mace', function* (self) {
        const object = yield* objectOf(w, self, '/f');
        const root = yield* madeOn(w, self, storing(12, expected, seen), [{ first, pages, object }]);
        yield* start(w, self, root);
        yield* sleep(seconds(2));
        yield* moveTo(w, self, root, 'thyme');
      });
      w.machine('mace').crash();
      yield* until(() => seen.round === 12 && metricOf(w, 'thyme', 'v.programs') === 0);
      return yield* contentAt(w, 'sage', '/f');
    });
    expect(seen).toEqual({ wrong: 0, round: 12 });
    expect(file).toEqual(expected);
  });

  it('takes along what each of several regions is bound to, side by side, cut, and private', () => {
    const w = world();
    const shown: number[][] = [];
    const told = w.run(function* () {
      yield* filled(
        w,
        '/a',
        new Uint8Array(4096).map((_, i) => 10 + (i >> 10)),
      );
      yield* filled(
        w,
        '/b',
        new Uint8Array(4096).map((_, i) => 20 + (i >> 10)),
      );
      yield* w.on('mace', function* (self) {
        const here = { beside: self.id };
        let moved = false;
        const text: NativeText = function* ({ memory }) {
          if (memory === null) return -1;
          const at = (page: number): number => page * memory.pageBytes;
          yield* memory.write(at(24), Uint8Array.of(77)); // a copy of its own of page 0 of /b
          yield* memory.write(at(21), Uint8Array.of(88)); // page 1 of /b
          while (!moved) yield* sleep(seconds(0.1));
          const bytes: number[] = [];
          for (const page of [16, 18, 19, 20, 21, 24, 25])
            bytes.push((yield* memory.read(at(page), 1))[0] ?? -1);
          shown.push(bytes);
          try {
            yield* memory.read(at(17), 1);
          } catch (e) {
            if (!isKernelError(e)) throw e;
            shown.push([17]);
          }
          return 0;
        };
        const [a, b, c] = [
          yield* objectOf(w, self, '/a'),
          yield* objectOf(w, self, '/b'),
          yield* objectOf(w, self, '/b'),
        ];
        const root = yield* madeOn(w, self, text, [
          { first: 16, pages: 4, object: a },
          { first: 20, pages: 4, object: b },
          { first: 24, pages: 4, object: { ...c, private: true } },
        ]);
        const managers = w.group('mace', wellKnown.programManagers);
        const { space } = yield* ask(self, managers, queryProgram, { root }, here);
        const memory = w.group('mace', wellKnown.memoryManagers);
        yield* ask(self, memory, unbindRegion, { space, first: 17, pages: 1 }, here);
        yield* start(w, self, root);
        yield* sleep(seconds(1));
        yield* moveTo(w, self, root, 'thyme');
        moved = true;
        yield* ended(w, self, root);
      });
      return [yield* contentAt(w, 'sage', '/b')].map((bytes) => [0, 1024, 2048].map((i) => bytes[i]));
    });
    expect(shown).toEqual([[10, 12, 13, 20, 88, 77, 88], [17]]);
    expect(told).toEqual([[20, 88, 22]]);
  });

  it('stays where it is, and runs on, when nobody knows a name for the object', () => {
    const w = world();
    const expected = initial.slice();
    const seen = { wrong: 0, round: 0 };
    const kind = w.run(function* () {
      yield* filled(w, '/f', initial);
      return yield* w.on('mace', function* (self) {
        const object = yield* objectOf(w, self, '/f', 'an object');
        const root = yield* madeOn(w, self, storing(8, expected, seen), [{ first, pages, object }]);
        yield* start(w, self, root);
        yield* sleep(seconds(1));
        let kind = 'ok';
        try {
          yield* moveTo(w, self, root, 'thyme');
        } catch (e) {
          if (!isKernelError(e)) throw e;
          kind = e.kind;
        }
        yield* ended(w, self, root);
        return kind;
      });
    });
    expect(kind).toBe('unsupported');
    expect(seen).toEqual({ wrong: 0, round: 8 });
    expect(metricOf(w, 'thyme', 'v.spaces')).toBe(0);
  });
});
