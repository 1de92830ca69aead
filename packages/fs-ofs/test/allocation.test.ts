import type { Task } from '@backplane/engine';
import { firstDifference } from '@backplane/file-service/testing';
import type { FileId, NewFile } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { Plant } from './plant.ts';
import { trial, type World, type WorldOptions } from './world.ts';

const plain: NewFile = { type: 'file', mode: 0o644, uid: 0, gid: 0 };

function* make(w: World, name: string, sizeBytes: number): Task<FileId> {
  const f = yield* w.storage.create(w.storage.root, name, plain);
  if (sizeBytes > 0) yield* w.storage.write(f, 0, pattern(sizeBytes, sizeBytes), 'delayed');
  return f;
}

function directOf(w: World, f: FileId): number[] {
  w.run(w.storage.sync());
  return new Plant(w.disk).descriptor(f.number).direct.filter((a) => a !== 0xffffffff);
}

describe('blocks of a file', () => {
  it('lie side by side', () => {
    const w = trial.world();
    w.attach();
    const [first = 0, ...others] = directOf(w, w.run(make(w, 'a', 36_000)));
    expect(others).toEqual(others.map((_, i) => first + 4 * (i + 1)));
  });

  it('leave blocks out between them with an interleave', () => {
    const w = trial.world({ interleaveBlocks: 1 });
    w.attach();
    const [first = 0, ...others] = directOf(w, w.run(make(w, 'a', 36_864)));
    expect(others).toEqual(others.map((_, i) => first + 8 * (i + 1)));
  });

  it('begin in different cylinder areas for neighbouring files', () => {
    const w = trial.world({ sectors: 65_536, areaBlocks: 50 });
    w.attach();
    const areas = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const [first = 0] = directOf(w, w.run(make(w, `f${i}`, 8192)));
      areas.add(Math.floor(first / 200));
    }
    expect(areas.size).toBeGreaterThan(10);
  });

  it('begin near their directory when they are grouped', () => {
    const w = trial.world({ sectors: 65_536, areaBlocks: 50, placement: 'grouped' });
    w.attach();
    const [near = 0] = directOf(w, w.storage.root);
    for (let i = 0; i < 20; i++) {
      const [first = 0] = directOf(w, w.run(make(w, `f${i}`, 8192)));
      expect(Math.abs(first - near)).toBeLessThan(400);
    }
  });

  it('stay near when there is room in between only', () => {
    const w = trial.world({ sectors: 4096, areaBlocks: 50, percentFree: 0 });
    w.attach();
    const files = Array.from({ length: 80 }, (_, i) => w.run(make(w, `f${i}`, 20_480)));
    for (const [i, f] of files.entries())
      if (i % 2 === 0)
        w.run(
          (function* (): Task<void> {
            yield* w.storage.unlink(w.storage.root, `f${i}`, { directory: false });
            yield* w.storage.reclaim(f);
          })(),
        );
    w.run(w.storage.sync());
    const blocks = directOf(w, w.run(make(w, 'big', 40_960)));
    expect(blocks.length).toBe(10);
    expect(Math.max(...blocks) - Math.min(...blocks)).toBeLessThan(400);
    w.run(w.storage.sync());
    expect(w.check()).toEqual([]);
  });
});

describe('fragments', () => {
  const freeFragments = (w: World): number => {
    // Everything below the limit is counted in blocks; the bitmap tells fragments.
    w.run(w.storage.sync());
    const p = new Plant(w.disk);
    const map = p.block(p.header.dataMapBlock);
    let free = 0;
    for (let i = 0; i < p.header.dataBlocks * 4; i++)
      if (((map[i >>> 3] ?? 0) & (0x80 >> (i & 7))) === 0) free++;
    return free;
  };

  it.each([
    [0, 0],
    [1, 1],
    [1024, 1],
    [1025, 2],
    [3072, 3],
    [3073, 4],
    [4096, 4],
    [4097, 5],
    [40_960, 40],
    [40_961, 48],
  ])('of a file of %i bytes are %i, with its index block', (sizeBytes, fragments) => {
    const w = trial.world();
    w.attach();
    const before = freeFragments(w);
    w.run(make(w, 'a', sizeBytes));
    expect(before - freeFragments(w)).toBe(fragments);
    expect(w.check()).toEqual([]);
  });

  it('of several small files share a block', () => {
    const w = trial.world();
    w.attach();
    const addresses = [1000, 2000, 1000, 900].map((n, i) => directOf(w, w.run(make(w, `f${i}`, n)))[0] ?? -1);
    expect(new Set(addresses).size).toBe(4);
    const blocks = new Set(addresses.map((a) => Math.floor(a / 4)));
    expect(blocks.size).toBeLessThan(4);
  });

  it('grow where they are if they can, and move if they cannot; the bytes stay', () => {
    const w = trial.world();
    w.attach();
    const a = w.run(make(w, 'a', 1000));
    const [before] = directOf(w, a);
    w.run(w.storage.write(a, 1000, pattern(1000, 9), 'delayed'));
    expect(directOf(w, a)).toEqual([before]);
    const b = w.run(make(w, 'b', 1000));
    expect(Math.floor((directOf(w, b)[0] ?? 0) / 4)).toBe(Math.floor((before ?? 0) / 4));
    w.run(w.storage.write(a, 2000, pattern(2000, 8), 'delayed'));
    const [moved] = directOf(w, a);
    expect(moved).not.toBe(before);
    expect((moved ?? 1) % 4).toBe(0);
    w.reboot();
    expect(w.check()).toEqual([]);
    const expected = new Uint8Array([...pattern(1000, 1000), ...pattern(1000, 9), ...pattern(2000, 8)]);
    expect(firstDifference(w.run(w.storage.read(a, 0, 9000)), expected)).toBe(-1);
    expect(firstDifference(w.run(w.storage.read(b, 0, 9000)), pattern(1000, 1000))).toBe(-1);
  });

  it('show zeros where a file was made longer over what others had left there', () => {
    const w = trial.world({ sectors: 400 });
    w.attach();
    const old = w.run(make(w, 'old', 100_000));
    w.run(
      (function* (): Task<void> {
        yield* w.storage.sync();
        yield* w.storage.unlink(w.storage.root, 'old', { directory: false });
        yield* w.storage.reclaim(old);
        yield* w.storage.sync();
      })(),
    );
    const f = w.run(make(w, 'f', 100));
    w.run(w.storage.truncate(f, 3900));
    w.reboot();
    const seen = w.run(w.storage.read(f, 0, 5000));
    expect(seen.length).toBe(3900);
    expect(firstDifference(seen.subarray(0, 100), pattern(100, 100))).toBe(-1);
    expect(seen.subarray(100).every((b) => b === 0)).toBe(true);
  });
});

describe('a disk that gets full', () => {
  const fill = (o: WorldOptions): { readonly w: World; readonly written: number } => {
    const w = trial.world({ sectors: 2048, ...o });
    w.attach();
    const f = w.run(make(w, 'big', 0));
    let written = 0;
    while (w.kindOf(w.storage.write(f, written, pattern(4096, written), 'delayed')) === 'ok') written += 4096;
    return { w, written };
  };

  it('keeps a tenth of its blocks free', () => {
    const { w, written } = fill({});
    const { header } = new Plant(w.disk);
    const usable = Math.floor(header.dataBlocks * 0.9);
    // The root directory and an index block are in it.
    expect(written / 4096).toBeGreaterThan(usable - 4);
    expect(written / 4096).toBeLessThan(usable);
    expect(w.storage.usage()).toMatchObject({ blockBytes: 4096, blocksFree: 0 });
    expect(w.storage.usage().blocks).toBe(usable);
  });

  it('gives out everything when it is told to', () => {
    const { w, written } = fill({ percentFree: 0 });
    expect(written / 4096).toBeGreaterThan(new Plant(w.disk).header.dataBlocks - 4);
  });

  it('has changed nothing when it says so, and has room again when something goes', () => {
    const { w, written } = fill({});
    const s = w.storage;
    w.run(s.sync());
    const f = w.run(s.lookup(s.root, 'big')) ?? s.root;
    expect(w.kindOf(s.write(f, written - 2000, pattern(10_000, 1), 'delayed'))).toBe('noSpace');
    expect(w.run(s.attributes(f)).sizeBytes).toBe(written);
    expect(firstDifference(w.run(s.read(f, written - 4096, 9999)), pattern(4096, written - 4096))).toBe(-1);
    // A directory takes a fragment, of which a few are left.
    let d = 0;
    while (w.kindOf(s.create(s.root, `d${d}`, { ...plain, type: 'directory' })) === 'ok') d++;
    expect(d).toBeLessThan(4);
    expect(w.run(s.lookup(s.root, `d${d}`))).toBeUndefined();
    w.run(s.truncate(f, 8192));
    // What was given back is there at once, though the disk has to hear of it first.
    expect(w.kindOf(s.write(f, 8192, pattern(written - 20_000, 2), 'delayed'))).toBe('ok');
    w.reboot();
    expect(w.check()).toEqual([]);
  });

  it('is full of files when the descriptors are used up', () => {
    const w = trial.world({ bytesPerFile: 65_536 });
    w.attach();
    const { filesFree } = w.storage.usage();
    expect(filesFree).toBe(64 - 3);
    for (let i = 0; i < filesFree; i++) w.run(w.storage.create(w.storage.root, `f${i}`, plain));
    expect(w.storage.usage().filesFree).toBe(0);
    expect(w.kindOf(w.storage.create(w.storage.root, 'one more', plain))).toBe('noSpace');
    const f = w.run(w.storage.lookup(w.storage.root, 'f7')) ?? w.storage.root;
    w.run(w.storage.unlink(w.storage.root, 'f7', { directory: false }));
    w.run(w.storage.reclaim(f));
    expect(w.storage.usage().filesFree).toBe(1);
    const next = w.run(w.storage.create(w.storage.root, 'one more', plain));
    expect(next.number).toBe(f.number);
    expect(w.kindOf(w.storage.attributes(f))).toBe('stale');
    w.reboot();
    expect(w.check()).toEqual([]);
    expect(w.kindOf(w.storage.attributes(f))).toBe('stale');
    expect(w.kindOf(w.storage.attributes(next))).toBe('ok');
  });

  it('is refused when it is too small for a file system', () => {
    const w = trial.world({ sectors: 64 });
    expect(() => w.attach()).toThrow();
  });
});

describe('many files', () => {
  it('are found again, more of them than there are handles, in one large directory', () => {
    const w = trial.world({ sectors: 40_000, cachePlaces: 400 });
    w.attach();
    const files = 2600;
    w.run(
      (function* (): Task<void> {
        for (let i = 0; i < files; i++) {
          const f = yield* w.storage.create(w.storage.root, `file number ${i}`, plain);
          yield* w.storage.write(f, 0, pattern(10, i), 'delayed');
          if (i % 500 === 499) yield* w.storage.sync();
        }
        for (let i = 0; i < files; i += 2) {
          const name = `file number ${i}`;
          const { file } = yield* w.storage.unlink(w.storage.root, name, { directory: false });
          yield* w.storage.reclaim(file);
        }
        yield* w.storage.sync();
      })(),
    );
    expect(w.check()).toEqual([]);
    w.reboot();
    w.run(
      (function* (): Task<void> {
        const entries = yield* w.storage.entries(w.storage.root);
        expect(entries.length).toBe(files / 2);
        for (let i = 1; i < files; i += 2) {
          const f = yield* w.storage.lookup(w.storage.root, `file number ${i}`);
          if (f === undefined) throw new Error(`file ${i} is lost`);
          if (i % 100 === 1) expect(yield* w.storage.read(f, 0, 100)).toEqual(pattern(10, i));
        }
        // Room that names have left is used again.
        const { sizeBytes } = yield* w.storage.attributes(w.storage.root);
        for (let i = 0; i < 500; i++) yield* w.storage.create(w.storage.root, `again number ${i}`, plain);
        expect((yield* w.storage.attributes(w.storage.root)).sizeBytes).toBe(sizeBytes);
      })(),
    );
  });
});
