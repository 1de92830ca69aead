import { type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import { lossRule } from '@backplane/hw-ethernet';
import type { IpcProcess } from '@backplane/slots';
import { kindOf, pattern, sameBytes } from '@backplane/slots/testing';
import { asker, ByteStream, endOfStream, Instance } from '@backplane/uio';
import { uio } from '@backplane/uio-v';
import { vFileServer } from '@backplane/v';
import { describe, expect, it } from 'vitest';
import { openFileOf } from './uio-files.ts';
import { World } from './world.ts';

const readWrite = { read: true, write: true, create: true };
const free = { streamNsPerByte: 0, copyNsPerByte: 0 };

const world = (seed = 1): World =>
  new World({ seed, server: vFileServer().with({ fileCache: uio({ writes: 'through', probeSeconds: 5 }) }) });

const metric = (w: World, name: string): number => w.cluster.metrics()[name] ?? Number.NaN;

/** A program that opens a file and does nothing more; it can be ended. */
function* program(
  w: World,
  on: string,
  path: string,
): Task<{ readonly self: IpcProcess; readonly file: Instance }> {
  const { scope } = w.machine(on);
  const self = w.ipc(on).create({ name: 'program', scope, space: null });
  const opening = scope.spawn('program', openFileOf(w, on, self, path, readWrite));
  return { self, file: yield* opening.join() };
}

describe('a file that a program has open', () => {
  it('is closed when the program dies, unless it was handed on', () => {
    const w = world();
    w.run(function* () {
      const before = metric(w, 'uio.instances');
      const one = yield* program(w, 'mace', 'a');
      const two = yield* program(w, 'mace', 'b');
      const heir = yield* program(w, 'thyme', 'a');
      expect(metric(w, 'uio.instances') - before).toBe(3);
      yield* w.on('mace', function* (self) {
        yield* (yield* Instance.of(asker(self), two.file.manager, two.file.number)).setOwner(heir.self.id);
      });
      one.self.destroy();
      two.self.destroy();
      yield* sleep(seconds(10));
      expect([metric(w, 'uio.instances') - before, metric(w, 'uio.collected')]).toEqual([2, 1]);
      w.machine('thyme').crash();
      w.machine('thyme').boot();
      yield* sleep(seconds(60));
      expect(metric(w, 'uio.instances') - before).toBe(0);
    });
  });

  it('is opened again when its server comes back, and has what was written', () => {
    const w = world();
    w.run(() =>
      w.on('mace', function* (self) {
        const file = yield* openFileOf(w, 'mace', self, 'f', readWrite);
        const [manager, number] = [file.manager, file.number];
        yield* file.append(pattern(5000, 1));
        w.machine('allspice').crash();
        w.machine('allspice').boot();
        expect(yield* file.read({ block: 1, first: 0 }, 2000)).toEqual(pattern(5000, 1).subarray(1024, 3024));
        expect(file.manager).not.toBe(manager);
        expect(yield* kindOf(Instance.of(asker(self), manager, number))).toBe('peerDown');
        yield* file.append(pattern(10, 2));
        expect((yield* file.query()).sizeBytes).toBe(5010);
      }),
    );
  });

  it('has locks of blocks, which one program has at a time', () => {
    const w = world();
    w.run(() =>
      w.on('mace', function* (self) {
        const a = yield* openFileOf(w, 'mace', self, 'f', readWrite);
        const b = yield* openFileOf(w, 'mace', self, 'f', readWrite);
        const other = yield* openFileOf(w, 'mace', self, 'g', readWrite);
        yield* a.lock({ block: 0, blocks: 8 }, 'exclusive');
        expect(yield* kindOf(b.lock({ block: 7, blocks: 2 }, 'shared'))).toBe('wouldBlock');
        yield* other.lock({ block: 0, blocks: 0 }, 'exclusive');
        yield* a.lock({ block: 0, blocks: 8 }, 'none');
        yield* b.lock({ block: 0, blocks: 0 }, 'exclusive');
      }),
    );
  });

  it('says what it was opened for, and is not used otherwise', () => {
    const w = world();
    w.run(() =>
      w.on('mace', function* (self) {
        const open = (how: object): Task<Instance> => openFileOf(w, 'mace', self, 'f', how);
        yield* (yield* open(readWrite)).append(pattern(100, 1));
        const reader = yield* open({ read: true });
        const writer = yield* open({ write: true });
        const adder = yield* open({ append: true });
        expect(yield* kindOf(reader.append(pattern(1, 1)))).toBe('unsupported');
        expect(yield* kindOf(writer.read({ block: 0, first: 0 }))).toBe('unsupported');
        expect(yield* adder.write({ block: 0, first: 0 }, pattern(1, 2))).toEqual({ block: 0, first: 101 });
        expect(reader.description.sizeBytes).toBe(100);
        expect((yield* reader.query()).sizeBytes).toBe(101);
      }),
    );
  });
});

describe('files of several programs, byte by byte', () => {
  it.each([1, 2, 3, 4, 5, 6])('are as they would be without a network that loses, seed %s', (seed) => {
    const w = world(seed);
    const { engine } = w.cluster;
    w.cluster.medium.addRule(lossRule(engine, engine.random('loss'), { probability: 0.05 }));
    w.run(function* () {
      const random = engine.random('course');
      const courses = ['mace', 'thyme', 'mace'].map((on, n) =>
        w.machine(on).scope.spawn(
          'course',
          w.on(on, (self) => course(w, on, self, `file${n}`, random)),
        ),
      );
      for (const c of courses) yield* c.join();
    });
  });

  /** Random steps on a stream, and the same on an array. */
  function* course(w: World, on: string, self: IpcProcess, path: string, random: RandomStream): Task<void> {
    const s = new ByteStream(yield* openFileOf(w, on, self, path, readWrite), free);
    let model = new Uint8Array(0);
    for (let step = 0; step < 60; step++) {
      const at = random.below(model.length + 1);
      const what = random.below(3);
      if (what === 0) {
        const bytes = pattern(1 + random.below(12_000), step);
        s.seek(at);
        yield* s.write(bytes);
        const longer = new Uint8Array(Math.max(model.length, at + bytes.length));
        longer.set(model);
        longer.set(bytes, at);
        model = longer;
      } else if (what === 1) {
        s.seek(at);
        const count = random.below(30_000);
        expect(sameBytes(yield* s.read(count), model.subarray(at, at + count)), `step ${step}`).toBe(true);
      } else {
        s.seek(at);
        expect(yield* s.getByte(), `step ${step}`).toBe(model[at] ?? endOfStream);
      }
    }
    yield* s.flush();
    s.seek(0);
    expect(sameBytes(yield* s.read(model.length + 1), model)).toBe(true);
    yield* s.close();
  }
});

describe('10,000 files that were opened and closed', () => {
  it('leave nothing behind at their server', () => {
    const w = world();
    w.run(function* () {
      const before = metric(w, 'uio.instances');
      yield* w.on('allspice', function* (self) {
        const view = w.machine('allspice').board('naming').view();
        for (let n = 0; n < 10_000; n++) {
          const file = yield* openFileOf(w, 'allspice', self, `f${n % 3}`, readWrite, view);
          if (n % 100 === 0) yield* file.lock({ block: 0, blocks: 0 }, 'exclusive');
          yield* file.release();
        }
      });
      expect(metric(w, 'uio.instances')).toBe(before);
    });
  });
});
