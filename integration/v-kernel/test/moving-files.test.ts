/** Open files of programs that move: the new host has them in its pages, and the old one has nothing of them. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { startOf } from '@backplane/file-service';
import {
  type Calls,
  done,
  entityId,
  type IpcProcess,
  isKernelError,
  noEntity,
  type Program,
  type RunningProgram,
  wellKnown,
} from '@backplane/slots';
import {
  asker,
  callProcedure,
  followFile,
  Instance,
  type InstancePlace,
  openFile,
  pagesServerIn,
  toFindDirectory,
} from '@backplane/uio';
import { uio } from '@backplane/uio-v';
import { vFileServer, vWorkstation } from '@backplane/v';
import { describe, expect, it } from 'vitest';
import { caching, openCachedOf } from './memory-world.ts';
import { hereOf, metricOf, moveOnly, moveTo, rootsAt, until } from './moving.ts';
import { World } from './world.ts';

const workstations = ['mace', 'thyme', 'sage'];
const world = (kernel = vWorkstation()): World =>
  new World({
    workstations,
    kernel,
    server: vFileServer().with({ fileCache: uio({ writes: 'through', probeSeconds: 5 }) }),
  });

const started = (w: World, on: string, program: Program): RunningProgram =>
  w.machine(on).board('systemCalls').start('test', program);

/** Bytes that no two places of a file share for long. */
const pattern = (count: number, salt: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => (i * 31 + (i >> 8) * 7 + salt) & 0xff);

/** Where this process has the file open without any pages. */
function* openedAtServer(w: World, self: IpcProcess, path: string): Task<InstancePlace> {
  const view = w.machine('sage').board('naming').view();
  return yield* view.perform<InstancePlace>(path, 'object', function* (t) {
    const who = { uid: 0, gid: 0, groups: [] };
    const how = { read: true };
    const request = {
      start: startOf(t.root),
      path: t.remainder,
      machineType: 'any',
      who,
      owner: self.id,
      how,
    };
    const answer = yield* callProcedure(asker(self), entityId(t.authority), openFile, request);
    if (answer.is !== 'done') return answer;
    const { manager, instance } = answer.value;
    return done({ manager, instance });
  });
}

function* kindOf(task: Task<unknown>): Task<string> {
  try {
    yield* task;
    return 'ok';
  } catch (e) {
    if (isKernelError(e)) return e.kind;
    throw e;
  }
}

/** The whole file, as a program of this host has it. */
function* contentAt(w: World, host: string, path: string): Task<Uint8Array> {
  let got = new Uint8Array(0);
  yield* started(w, host, function* (sys) {
    const fd = yield* sys.open(path, { read: true });
    got = (yield* sys.read(fd, 1 << 20)).slice();
    return 0;
  }).join();
  return got;
}

const readWrite = { read: true, write: true, create: true };

/** A program that stops where it is told to, to be moved, and goes on when it is told. */
class Course {
  reached = 0;
  #allowed = 0;

  /** Of the program. */
  *stop(sys: Calls): Task<void> {
    const at = ++this.reached;
    while (this.#allowed < at) yield* sys.sleep(seconds(0.1));
  }

  /** Returns when the program waits there for the n-th time. */
  *stopped(n: number): Task<void> {
    yield* until(() => this.reached >= n);
    if (this.reached !== n) throw new Error(`stop ${this.reached} instead of ${n}`);
  }

  goOn(): void {
    this.#allowed++;
  }
}

describe('the open files of a program that moves', () => {
  it('have lost nothing when the host that it left dies at once, and it reads and writes on', () => {
    const w = world();
    const course = new Course();
    const [before, after] = [pattern(50_001, 1), pattern(9_000, 2)];
    let tookNs = 0;
    const told = w.run(function* () {
      const seen: unknown[] = [];
      started(w, 'mace', function* (sys) {
        const fd = yield* sys.open('/f', readWrite);
        yield* sys.write(fd, before);
        yield* course.stop(sys);
        const startNs = yield* sys.time();
        seen.push(sys.machine, yield* sys.readAt(fd, 0, 1 << 20));
        yield* sys.writeAt(fd, 20_000, after);
        yield* sys.write(fd, Uint8Array.of(1, 2, 3)); // where it stood
        seen.push((yield* sys.statOpen(fd)).sizeBytes);
        yield* sys.close(fd);
        tookNs = (yield* sys.time()) - startNs;
        yield* course.stop(sys);
        return 0;
      });
      yield* course.stopped(1);
      const dirty = metricOf(w, 'mace', 'vm.dirtyPages');
      yield* moveOnly(w, 'mace', 'thyme');
      w.machine('mace').crash();
      course.goOn();
      yield* course.stopped(2);
      return { dirty, seen, file: yield* contentAt(w, 'sage', '/f') };
    });
    const expected = new Uint8Array(50_004);
    expected.set(before);
    expected.set(after, 20_000);
    expected.set([1, 2, 3], 50_001);
    expect(told.dirty).toBeGreaterThan(0);
    expect(told.seen).toEqual(['thyme', before, 50_004]);
    expect(tookNs).toBeLessThan(seconds(1)); // it has asked nobody who is dead
    expect(told.file).toEqual(expected);
  });

  it('are read in the pages of the host where it is, and the old host has none of them', () => {
    const w = world();
    const course = new Course();
    const figures = (): Record<string, number> => ({
      mace: metricOf(w, 'mace', 'vm.hits'),
      thyme: metricOf(w, 'thyme', 'vm.hits'),
      callbacks: metricOf(w, 'allspice', 'uio.pageCallbacks'),
    });
    const told = w.run(function* () {
      const bytes = pattern(4096, 3);
      let equal = true;
      const running = started(w, 'mace', function* (sys) {
        const fd = yield* sys.open('/f', readWrite);
        yield* sys.write(fd, bytes);
        yield* course.stop(sys);
        for (let round = 0; round < 101; round++) {
          if (round === 1) yield* course.stop(sys);
          const got = yield* sys.readAt(fd, 0, 4096);
          equal &&= got.every((b, i) => b === bytes[i]);
        }
        yield* course.stop(sys);
        yield* sys.close(fd);
        return 0;
      });
      yield* course.stopped(1);
      yield* moveOnly(w, 'mace', 'thyme');
      const left = ['vm.publishedFiles', 'vm.objects'].map((m) => metricOf(w, 'mace', m));
      const taken = ['vm.publishedFiles', 'vm.takenFiles'].map((m) => metricOf(w, 'thyme', m));
      const instances = metricOf(w, 'allspice', 'uio.instances');
      course.goOn();
      yield* course.stopped(2); // the pages are here
      const from = figures();
      course.goOn();
      yield* course.stopped(3);
      const to = figures();
      course.goOn();
      yield* running.join();
      const grown = Object.fromEntries(Object.entries(to).map(([k, n]) => [k, n - (from[k] ?? 0)]));
      return { left, taken, instances, grown, equal, closed: metricOf(w, 'thyme', 'vm.publishedFiles') };
    });
    const { mace, thyme, callbacks } = told.grown;
    expect([mace, callbacks]).toEqual([0, 0]);
    expect(thyme).toBeGreaterThanOrEqual(100);
    expect(told).toMatchObject({ left: [0, 0], taken: [1, 1], instances: 1, equal: true, closed: 0 });
  });

  it('stay one file with what programs of both hosts have in their pages', () => {
    const w = world();
    const bytes = 6000;
    const rounds = 60;
    const told = w.run(function* () {
      const wrong: string[] = [];
      /** Each has every third byte, writes rounds into all of them, and sees those of the others grow. */
      const writer = (mine: number): Program =>
        function* (sys) {
          const fd = yield* sys.open('/f', readWrite);
          const before = new Uint8Array(bytes);
          for (let round = 1; round <= rounds; round++) {
            for (let at = mine; at < bytes; at += 600) yield* sys.writeAt(fd, at, Uint8Array.of(round));
            yield* sys.sleep(seconds(0.05));
            const now = yield* sys.readAt(fd, 0, bytes);
            for (let at = 0; at < now.length; at++) {
              const [had = 0, has = 0] = [before[at], now[at]];
              if (at % 600 === mine ? has !== round : has < had)
                wrong.push(`${mine} in ${round}: ${at} is ${has}`);
            }
            before.set(now);
          }
          yield* sys.close(fd);
          return 0;
        };
      const mover = started(w, 'mace', writer(0));
      yield* sleep(seconds(0.2));
      yield* w.on('sage', function* (self) {
        const [root] = yield* rootsAt(w, self, 'mace');
        if (root === undefined) throw new Error('nobody runs');
        const others = [started(w, 'mace', writer(1)), started(w, 'thyme', writer(2))];
        for (const to of ['thyme', 'mace', 'thyme', 'mace']) {
          yield* sleep(seconds(0.4));
          yield* moveTo(w, self, root, to);
        }
        for (const other of [mover, ...others]) yield* other.join();
      });
      return { wrong, file: yield* contentAt(w, 'sage', '/f') };
    });
    expect(told.wrong).toEqual([]);
    expect(told.file).toEqual(
      Uint8Array.from({ length: bytes - 600 + 3 }, (_, at) => (at % 600 < 3 ? rounds : 0)),
    );
  });

  it('keep their locks, and live on when they were removed', () => {
    const w = world();
    const course = new Course();
    const told = w.run(function* () {
      const seen: unknown[] = [];
      const running = started(w, 'mace', function* (sys) {
        const locked = yield* sys.open('/l', readWrite);
        yield* sys.lock(locked, 'exclusive', { wait: true });
        const removed = yield* sys.open('/r', readWrite);
        yield* sys.write(removed, pattern(3000, 5));
        yield* sys.unlink('/r');
        yield* course.stop(sys);
        const got = yield* sys.readAt(removed, 0, 5000);
        yield* sys.write(removed, pattern(10, 6));
        seen.push(got, (yield* sys.statOpen(removed)).sizeBytes);
        yield* sys.lock(locked, 'none', { wait: true });
        yield* course.stop(sys);
        return 0;
      });
      const tried = (): Task<number> =>
        started(w, 'sage', function* (sys) {
          const fd = yield* sys.open('/l', { read: true, write: true });
          seen.push(yield* kindOf(sys.lock(fd, 'shared', { wait: false })));
          return 0;
        }).join();
      yield* course.stopped(1);
      yield* moveOnly(w, 'mace', 'thyme');
      w.machine('mace').crash();
      yield* sleep(seconds(30)); // the server has asked after the owners meanwhile
      yield* tried();
      course.goOn();
      yield* course.stopped(2);
      yield* tried();
      course.goOn();
      yield* until(() => running.ended);
      return seen;
    });
    expect(told).toEqual(['wouldBlock', pattern(3000, 5), 3010, 'ok']);
  });

  it('are found after several moves without a use, and closed there', () => {
    const w = world();
    const course = new Course();
    const told = w.run(function* () {
      const seen: unknown[] = [];
      const running = started(w, 'mace', function* (sys) {
        const [a, b] = [yield* sys.open('/a', readWrite), yield* sys.open('/b', readWrite)];
        yield* sys.write(a, pattern(100, 7));
        yield* course.stop(sys);
        seen.push(sys.machine, yield* sys.readAt(a, 0, 100));
        yield* course.stop(sys);
        yield* sys.close(a);
        yield* sys.close(b);
        return 0;
      });
      yield* course.stopped(1);
      for (const [from, to] of [
        ['mace', 'thyme'],
        ['thyme', 'sage'],
        ['sage', 'mace'],
      ] as const) {
        yield* moveOnly(w, from, to);
        yield* sleep(seconds(1)); // it asks for the time there
      }
      course.goOn();
      yield* course.stopped(2);
      yield* moveOnly(w, 'mace', 'thyme');
      course.goOn();
      yield* running.join();
      return { seen, open: workstations.map((m) => metricOf(w, m, 'vm.publishedFiles')) };
    });
    expect(told).toEqual({ seen: ['mace', pattern(100, 7)], open: [0, 0, 0] });
  });

  it('are read and written on when their server dies after the move, or just before', () => {
    const w = world();
    const course = new Course();
    const restart = function* (): Task<void> {
      w.machine('allspice').crash();
      yield* sleep(seconds(3));
      w.machine('allspice').boot();
      yield* w.machine('allspice').running();
    };
    const told = w.run(function* () {
      const seen: Uint8Array[] = [];
      const running = started(w, 'mace', function* (sys) {
        const fd = yield* sys.open('/f', readWrite);
        for (let round = 0; round < 3; round++) {
          yield* sys.write(fd, pattern(5000, round));
          yield* course.stop(sys);
          seen.push(yield* sys.readAt(fd, 0, 1 << 20));
        }
        yield* sys.close(fd);
        return 0;
      });
      yield* course.stopped(1);
      yield* restart();
      yield* moveOnly(w, 'mace', 'thyme');
      course.goOn();
      yield* course.stopped(2);
      yield* restart();
      course.goOn();
      yield* course.stopped(3);
      w.machine('mace').crash();
      course.goOn();
      yield* until(() => running.ended || seen.length === 3);
      return { seen, file: yield* contentAt(w, 'sage', '/f') };
    });
    const written = [0, 1, 2].map((round) => pattern(5000, round));
    const whole = (n: number): Uint8Array => Uint8Array.from(written.slice(0, n).flatMap((p) => [...p]));
    expect(told.seen).toEqual([whole(1), whole(2), whole(3)]);
    expect(told.file).toEqual(whole(3));
  });
});

describe('a memory server that is asked for a file of another host', () => {
  it('has it handed over, and leaves what a file server has where that is', () => {
    const w = world(caching());
    const told = w.run(() =>
      w.on('sage', function* (self) {
        const instance = yield* openCachedOf(w, 'mace', self, 'f');
        yield* instance.append(pattern(1000, 8));
        const asks = asker(self);
        const directories = w.group('sage', wellKnown.cacheDirectories);
        const found = yield* asks.send(directories, toFindDirectory(hereOf(w, 'thyme')));
        const pages = pagesServerIn(found) ?? noEntity;
        const from = { manager: instance.manager, instance: instance.number };
        const first = yield* callProcedure(asks, pages, followFile, from);
        const second = yield* callProcedure(asks, pages, followFile, from);
        const moved = new Instance(asks, { ...instance.description, ...first });
        const got = yield* moved.read({ block: 0, first: 0 }, 1000);
        const atServer = yield* openedAtServer(w, self, '/f');
        return {
          there: first.manager === pages,
          same: first.instance === second.instance,
          old: yield* kindOf(instance.query()),
          got,
          stays: yield* callProcedure(asks, pages, followFile, atServer),
          atServer,
        };
      }),
    );
    expect(told).toMatchObject({ there: true, same: true, old: 'stale', got: pattern(1000, 8) });
    expect(told.stays).toEqual(told.atServer);
  });
});
