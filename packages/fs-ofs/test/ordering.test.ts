import { sleep, type Task } from '@backplane/engine';
import { firstDifference } from '@backplane/file-service/testing';
import type { FileId, NewFile, Storage } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { trial, type WorldOptions } from './world.ts';

const plain: NewFile = { type: 'file', mode: 0o644, uid: 0, gid: 0 };
const folder: NewFile = { type: 'directory', mode: 0o755, uid: 0, gid: 0 };

function* make(s: Storage, parent: FileId, name: string, bytes: Uint8Array): Task<FileId> {
  const f = yield* s.create(parent, name, plain);
  yield* s.write(f, 0, bytes, 'delayed');
  return f;
}

/** Runs what comes before, then crashes in front of every single disk write of what is under test, and looks. */
function everyWrite(
  o: WorldOptions,
  before: (s: Storage) => Task<void>,
  tested: (s: Storage) => Task<void>,
  after: (s: Storage) => Task<void>,
): number {
  for (let writes = 0; ; writes++) {
    const w = trial.world({ latencyNs: 1_000_000, ...o });
    w.attach();
    w.run(
      (function* (): Task<void> {
        yield* before(w.storage);
        yield* w.storage.sync();
      })(),
    );
    let left = writes;
    let crashed = false;
    w.disk.beforeWrite = () => {
      if (left-- > 0) return;
      crashed = true;
      w.engine.stop();
    };
    w.boot.spawn(
      'tested',
      (function* (): Task<void> {
        yield* tested(w.storage);
        yield* sleep(100_000_000_000);
        w.engine.stop();
      })(),
    );
    w.engine.run();
    w.disk.beforeWrite = null;
    w.crash();
    w.attach();
    expect(w.check(), `after ${writes} writes`).toEqual([]);
    w.run(after(w.storage));
    if (!crashed) return writes;
  }
}

const modes: WorldOptions[] = [{ metadata: 'delayed' }, { metadata: 'synchronous' }];

describe.each(modes)('with metadata $metadata, whatever write the power fails before', (mode) => {
  const old = pattern(5000, 1);
  const young = pattern(7000, 2);

  it('a renamed file has its old name or its new one, in another directory too', () => {
    const writes = everyWrite(
      mode,
      function* (s) {
        yield* s.create(s.root, 'from', folder);
        yield* s.create(s.root, 'to', folder);
        yield* make(s, (yield* s.lookup(s.root, 'from')) ?? s.root, 'a', old);
      },
      function* (s) {
        const from = (yield* s.lookup(s.root, 'from')) ?? s.root;
        const to = (yield* s.lookup(s.root, 'to')) ?? s.root;
        yield* s.rename(from, 'a', to, 'b');
      },
      function* (s) {
        const from = (yield* s.lookup(s.root, 'from')) ?? s.root;
        const to = (yield* s.lookup(s.root, 'to')) ?? s.root;
        const found = (yield* s.lookup(from, 'a')) ?? (yield* s.lookup(to, 'b'));
        if (found === undefined) throw new Error('neither name is there');
        expect(firstDifference(yield* s.read(found, 0, 10_000), old)).toBe(-1);
      },
    );
    expect(writes).toBeGreaterThan(1);
  });

  it('a name that a rename replaces leads to the old bytes or to the new ones, though the new file is new', () => {
    everyWrite(
      mode,
      function* (s) {
        yield* make(s, s.root, 'a', old);
      },
      function* (s) {
        yield* make(s, s.root, 'a.new', young);
        const { replaced } = yield* s.rename(s.root, 'a.new', s.root, 'a');
        if (replaced !== undefined) yield* s.reclaim(replaced.file);
      },
      function* (s) {
        const found = yield* s.lookup(s.root, 'a');
        if (found === undefined) throw new Error('the name is missing');
        const seen = yield* s.read(found, 0, 10_000);
        const same = firstDifference(seen, old) < 0 || firstDifference(seen, young) < 0;
        expect(same, `${seen.length} bytes`).toBe(true);
      },
    );
  });

  it('a moved directory has one parent and all that was in it', () => {
    everyWrite(
      mode,
      function* (s) {
        const from = yield* s.create(s.root, 'from', folder);
        yield* s.create(s.root, 'to', folder);
        const moved = yield* s.create(from, 'd', folder);
        yield* make(s, moved, 'a', old);
      },
      function* (s) {
        const from = (yield* s.lookup(s.root, 'from')) ?? s.root;
        const to = (yield* s.lookup(s.root, 'to')) ?? s.root;
        yield* s.rename(from, 'd', to, 'e');
      },
      function* (s) {
        const from = (yield* s.lookup(s.root, 'from')) ?? s.root;
        const to = (yield* s.lookup(s.root, 'to')) ?? s.root;
        const d = (yield* s.lookup(from, 'd')) ?? (yield* s.lookup(to, 'e'));
        const a = d && (yield* s.lookup(d, 'a'));
        if (a === undefined) throw new Error('it is lost');
        expect(firstDifference(yield* s.read(a, 0, 10_000), old)).toBe(-1);
      },
    );
  });

  it('a name that was taken away never leads to somebody else’s file', () => {
    everyWrite(
      { ...mode, bytesPerFile: 131_072, sectors: 8192 },
      function* (s) {
        const d = yield* s.create(s.root, 'd', folder);
        yield* make(s, d, 'secret', old);
        // All other numbers are taken, so that the next file has to get this one's.
        for (let i = 0; s.usage().filesFree > 0; i++) yield* s.create(s.root, `f${i}`, plain);
      },
      function* (s) {
        const d = (yield* s.lookup(s.root, 'd')) ?? s.root;
        const { file } = yield* s.unlink(d, 'secret', { directory: false });
        yield* s.reclaim(file);
        const other = yield* make(s, s.root, 'other', young);
        expect(other.number).toBe(file.number);
        expect(other.generation).not.toBe(file.generation);
        yield* s.sync(other);
      },
      function* (s) {
        const d = (yield* s.lookup(s.root, 'd')) ?? s.root;
        const secret = yield* s.lookup(d, 'secret');
        if (secret !== undefined)
          expect(firstDifference(yield* s.read(secret, 0, 10_000), old), 'it holds other bytes').toBe(-1);
        const other = yield* s.lookup(s.root, 'other');
        if (other !== undefined) expect((yield* s.attributes(other)).links).toBe(1);
      },
    );
  });

  it('blocks that a file gave back never hold somebody else’s bytes in it', () => {
    everyWrite(
      { ...mode, sectors: 340 },
      function* (s) {
        yield* make(s, s.root, 'a', pattern(90_000, 5));
      },
      function* (s) {
        const a = (yield* s.lookup(s.root, 'a')) ?? s.root;
        yield* s.truncate(a, 10_000);
        const b = yield* make(s, s.root, 'b', pattern(80_000, 6));
        yield* s.sync(b);
      },
      function* (s) {
        const a = (yield* s.lookup(s.root, 'a')) ?? s.root;
        const seen = yield* s.read(a, 0, 100_000);
        // The tail of its last block may be zeros already.
        expect(firstDifference(seen.subarray(0, 10_000), pattern(10_000, 5))).toBe(-1);
        if (seen.length === 90_000)
          expect(firstDifference(seen.subarray(12_288), pattern(90_000, 5).subarray(12_288))).toBe(-1);
        const b = yield* s.lookup(s.root, 'b');
        if (b !== undefined && (yield* s.attributes(b)).sizeBytes === 80_000)
          expect(firstDifference(yield* s.read(b, 0, 80_000), pattern(80_000, 6))).toBe(-1);
      },
    );
  });
});

describe('a file that is on the disk', () => {
  it('is found after a crash, though all the directories above it are new', () => {
    const w = trial.world({ latencyNs: 1_000_000 });
    w.attach();
    const bytes = pattern(20_000, 9);
    w.run(
      (function* (): Task<void> {
        let at = w.storage.root;
        for (const name of ['a', 'b', 'c']) {
          // Enough of them that the directories grow.
          for (let i = 0; i < 60; i++) yield* w.storage.create(at, `other-${i}`, plain);
          at = yield* w.storage.create(at, name, folder);
        }
        const f = yield* w.storage.create(at, 'f', plain);
        yield* w.storage.write(f, 0, bytes, 'through');
      })(),
    );
    w.crash();
    w.attach();
    expect(w.check()).toEqual([]);
    w.run(
      (function* (): Task<void> {
        let at: FileId | undefined = w.storage.root;
        for (const name of ['a', 'b', 'c', 'f']) at = at && (yield* w.storage.lookup(at, name));
        if (at === undefined) throw new Error('it is lost');
        expect(firstDifference(yield* w.storage.read(at, 0, 30_000), bytes)).toBe(-1);
      })(),
    );
  });
});

describe('a late write', () => {
  it('of a file that was cut does not land on what others have got since', () => {
    const w = trial.world({ sectors: 340 });
    w.attach();
    const bytes = pattern(80_000, 4);
    const { storage: s } = w;
    w.run(
      (function* (): Task<void> {
        const a = yield* make(s, s.root, 'a', pattern(80_000, 1));
        yield* s.sync();
        // One block of the file hangs on its way to the disk.
        w.disk.holding = () => w.disk.held === 0;
        yield* s.write(a, 40_000, pattern(4096, 2), 'soon');
        yield* sleep(1);
        expect(w.disk.held).toBe(1);
        w.boot.spawn(
          'opens the gate',
          (function* (): Task<void> {
            yield* sleep(1_000_000_000);
            w.disk.gate.open();
          })(),
        );
        yield* s.truncate(a, 0);
        yield* s.sync(a);
        const b = yield* make(s, s.root, 'b', bytes);
        yield* s.sync(b);
        yield* sleep(2_000_000_000);
      })(),
    );
    w.crash();
    w.attach();
    const b = w.run(w.storage.lookup(w.storage.root, 'b')) ?? w.storage.root;
    expect(firstDifference(w.run(w.storage.read(b, 0, 100_000)), bytes)).toBe(-1);
  });
});
