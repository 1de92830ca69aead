import { sleep, type Task } from '@backplane/engine';
import { firstDifference } from '@backplane/file-service/testing';
import type { FileId, NewFile, Storage, WriteWhen } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { trial, type WorldOptions } from './world.ts';

const plain: NewFile = { type: 'file', mode: 0o644, uid: 0, gid: 0 };
const folder: NewFile = { type: 'directory', mode: 0o755, uid: 0, gid: 0 };

/** Disk writes until each of the given virtual seconds after a file of two blocks was made. */
function writesAfter(o: WorldOptions, when: WriteWhen, instants: readonly number[]): number[] {
  const w = trial.world(o);
  w.attach();
  return w.run(
    (function* (): Task<number[]> {
      const before = w.disk.writes;
      const f = yield* w.storage.create(w.storage.root, 'a', plain);
      yield* w.storage.write(f, 0, pattern(8192, 1), when);
      const found: number[] = [];
      let at = 0;
      for (const instant of instants) {
        yield* sleep((instant - at) * 1e9);
        at = instant;
        found.push(w.disk.writes - before);
      }
      return found;
    })(),
  );
}

describe('what reaches the disk, and when', () => {
  it('is nothing at first, data after the delay, descriptors and bitmaps a little later', () => {
    // Two blocks and the directory at 30 s; descriptors and two bitmaps at 35 s.
    expect(writesAfter({}, 'delayed', [0, 29, 31, 34, 36, 100])).toEqual([0, 0, 3, 3, 6, 6]);
  });

  it('takes as long as the option says', () => {
    expect(writesAfter({ writeDelaySeconds: 2 }, 'delayed', [1, 3, 8])).toEqual([0, 3, 6]);
  });

  it('is on its way at once with "soon", its descriptor later', () => {
    expect(writesAfter({ latencyNs: 1_000_000 }, 'soon', [0, 1, 36])).toEqual([0, 2, 6]);
  });

  it('is all there when "through" returns: data, descriptor, and the directory that leads to it', () => {
    expect(writesAfter({}, 'through', [0, 29])).toEqual([4, 4]);
  });

  it('is each name operation when it returns, with metadata written through; data are delayed all the same', () => {
    // Descriptor, directory; then the data and their descriptor, and the bitmaps, which a repair makes anew.
    expect(writesAfter({ metadata: 'synchronous' }, 'delayed', [0, 31, 36])).toEqual([2, 4, 7]);
  });

  it('is nothing of a file that is made and taken away in the meantime, but for its free descriptor', () => {
    const w = trial.world();
    w.attach();
    const writes = w.run(
      (function* (): Task<number> {
        const before = w.disk.writes;
        for (let i = 0; i < 20; i++) {
          const f = yield* w.storage.create(w.storage.root, `t${i}`, plain);
          yield* w.storage.write(f, 0, pattern(20_000, i), 'delayed');
          yield* w.storage.unlink(w.storage.root, `t${i}`, { directory: false });
          yield* w.storage.reclaim(f);
        }
        yield* sleep(100e9);
        return w.disk.writes - before;
      })(),
    );
    // The directory, one block of descriptors, two bitmaps at most twice.
    expect(writes).toBeLessThan(8);
  });
});

describe('a write-back', () => {
  it('that overlaps a new write of the same block does not make the new bytes forgotten', () => {
    const w = trial.world({ cacheWriteNs: 10_000_000, writeDelaySeconds: 0.05 });
    w.attach();
    const f = w.run(
      (function* (): Task<FileId> {
        const file = yield* w.storage.create(w.storage.root, 'a', plain);
        yield* w.storage.sync();
        yield* w.storage.write(file, 0, pattern(4096, 1), 'delayed');
        w.disk.holding = () => w.disk.held === 0;
        // It leaves while the next write is on its way into the cache, and arrives after it.
        yield* sleep(45_000_000);
        yield* w.storage.write(file, 0, pattern(4096, 2), 'delayed');
        expect(w.disk.held).toBe(1);
        yield* sleep(1_000_000);
        w.disk.gate.open();
        return file;
      })(),
    );
    w.reboot();
    expect(firstDifference(w.run(w.storage.read(f, 0, 4096)), pattern(4096, 2))).toBe(-1);
  });

  it('that is late does not take the new place of a block that was cut off and written again', () => {
    const w = trial.world({ writeDelaySeconds: 0.05 });
    w.attach();
    const f = w.run(
      (function* (): Task<FileId> {
        const file = yield* w.storage.create(w.storage.root, 'a', plain);
        yield* w.storage.sync();
        yield* w.storage.write(file, 0, pattern(4096, 1), 'delayed');
        w.disk.holding = () => w.disk.held === 0;
        yield* sleep(60_000_000);
        expect(w.disk.held).toBe(1);
        yield* w.storage.truncate(file, 0);
        yield* w.storage.write(file, 0, pattern(4096, 2), 'delayed');
        w.disk.gate.open();
        yield* sleep(1_000_000);
        return file;
      })(),
    );
    w.reboot();
    expect(firstDifference(w.run(w.storage.read(f, 0, 4096)), pattern(4096, 2))).toBe(-1);
  });

  it('of data keeps nobody from reading and writing the file', () => {
    const w = trial.world();
    w.attach();
    const f = w.run(
      (function* (): Task<FileId> {
        const file = yield* w.storage.create(w.storage.root, 'a', plain);
        yield* w.storage.write(file, 0, pattern(32_768, 1), 'delayed');
        w.disk.holding = () => true;
        const synced = w.boot.spawn('sync', w.storage.sync(file));
        yield* sleep(1_000_000);
        expect(w.disk.held).toBe(1);
        yield* w.storage.write(file, 32_768, pattern(10_000, 2), 'delayed');
        const read = yield* w.storage.read(file, 0, 32_768);
        expect(firstDifference(read, pattern(32_768, 1))).toBe(-1);
        w.disk.holding = null;
        w.disk.gate.open();
        yield* synced.join();
        return file;
      })(),
    );
    // What came meanwhile is on the disk, too: the descriptor leads to it.
    w.crash();
    w.attach();
    expect(w.check()).toEqual([]);
    expect(firstDifference(w.run(w.storage.read(f, 32_768, 10_000)), pattern(10_000, 2))).toBe(-1);
  });

  it('ends under a writer who is faster than the disk', () => {
    const w = trial.world({ latencyNs: 10_000_000 });
    w.attach();
    w.run(
      (function* (): Task<void> {
        const file = yield* w.storage.create(w.storage.root, 'a', plain);
        w.boot.spawn(
          'writer',
          (function* (): Task<void> {
            for (let at = 0; ; at = (at + 4096) % (40 * 4096)) {
              yield* w.storage.write(file, at, pattern(4096, 1), 'delayed');
              yield* sleep(1_000_000);
            }
          })(),
        );
        yield* sleep(100_000_000);
        yield* w.storage.sync(file);
      })(),
    );
    w.crash();
    w.attach();
    expect(w.check()).toEqual([]);
    const f = w.run(w.storage.lookup(w.storage.root, 'a')) ?? w.storage.root;
    expect(firstDifference(w.run(w.storage.read(f, 0, 4096)), pattern(4096, 1))).toBe(-1);
  });

  it('that fails leaves the bytes where they are, and they go when the disk is well again', () => {
    const w = trial.world();
    w.attach();
    const undo = w.disk.addRule({
      name: 'no writes',
      judge: (operation) => (operation === 'write' ? 'error' : 'pass'),
    });
    w.run(
      (function* (): Task<void> {
        const f = yield* w.storage.create(w.storage.root, 'a', plain);
        yield* w.storage.write(f, 0, pattern(30_000, 1), 'delayed');
        yield* sleep(80e9);
        expect(yield* kindOf(w.storage.sync(f))).toBe('ioError');
        expect(yield* kindOf(w.storage.sync())).toBe('ioError');
        expect(firstDifference(yield* w.storage.read(f, 0, 30_000), pattern(30_000, 1))).toBe(-1);
        undo();
        yield* sleep(60e9);
      })(),
    );
    expect(w.meter('storage.ofs.writeBackErrors')).toBeGreaterThan(0);
    w.crash();
    w.attach();
    expect(w.check()).toEqual([]);
    const f = w.run(w.storage.lookup(w.storage.root, 'a')) ?? w.storage.root;
    expect(firstDifference(w.run(w.storage.read(f, 0, 30_000)), pattern(30_000, 1))).toBe(-1);
  });

  it('that fails for a directory keeps the numbers of what it named from being used again', () => {
    const w = trial.world();
    w.attach();
    w.run(
      (function* (): Task<void> {
        const s: Storage = w.storage;
        const d = yield* s.create(s.root, 'd', folder);
        const f = yield* s.create(d, 'secret', plain);
        yield* s.sync();
        const free = s.usage().filesFree;
        // The directory's block is the only one that cannot be written.
        let sector = -1;
        const { beforeWrite } = w.disk;
        w.disk.beforeWrite = (at, data) => {
          if (data.length === 1024 && sector < 0) sector = at;
        };
        yield* s.create(d, 'x', plain);
        yield* s.sync(d);
        w.disk.beforeWrite = beforeWrite;
        const undo = w.disk.addRule({
          name: 'directory',
          judge: (op, at) => (op === 'write' && at === sector ? 'error' : 'pass'),
        });
        yield* s.unlink(d, 'secret', { directory: false });
        yield* s.reclaim(f);
        yield* sleep(60e9);
        const next = yield* s.create(s.root, 'next', plain);
        expect(next.number).not.toBe(f.number);
        undo();
        yield* sleep(60e9);
        expect(s.usage().filesFree).toBe(free - 1);
      })(),
    );
    w.reboot();
    expect(w.check()).toEqual([]);
  });
});

describe('accesses to the disk for each file of 1 KB that is created, written and closed', () => {
  const perFile = (metadata: 'delayed' | 'synchronous'): number => {
    const w = trial.world({ metadata, sectors: 65_536 });
    w.attach();
    const files = 500;
    return w.run(
      (function* (): Task<number> {
        const before = w.disk.writes + w.disk.reads;
        for (let i = 0; i < files; i++) {
          const f = yield* w.storage.create(w.storage.root, `f${i}`, plain);
          yield* w.storage.write(f, 0, pattern(1024, i), 'delayed');
        }
        yield* w.storage.sync();
        return (w.disk.writes + w.disk.reads - before) / files;
      })(),
    );
  };

  it('are little more than one with delayed metadata', () => {
    expect(perFile('delayed')).toBeGreaterThan(1);
    expect(perFile('delayed')).toBeLessThan(1.2);
  });

  it('are a little more than three, two of them before the file is there, with metadata written through', () => {
    expect(perFile('synchronous')).toBeGreaterThan(3);
    expect(perFile('synchronous')).toBeLessThan(3.3);
  });
});
