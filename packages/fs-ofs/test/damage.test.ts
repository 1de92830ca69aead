import type { Task } from '@backplane/engine';
import { firstDifference } from '@backplane/file-service/testing';
import type { FileId, NewFile, Storage } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { Plant, putWord, word } from './plant.ts';
import { runs } from './seeds.ts';
import { trial, type World } from './world.ts';

const plain: NewFile = { type: 'file', mode: 0o644, uid: 0, gid: 0 };
const folder: NewFile = { type: 'directory', mode: 0o755, uid: 0, gid: 0 };
const none = 0xffffffff;

interface Planted {
  readonly w: World;
  readonly p: Plant;
  /** By name. */
  readonly files: Readonly<Record<'a' | 'b' | 'large' | 'd' | 'e' | 'inD', number>>;
}

/** A small tree, synced, with the power off. */
function planted(): Planted {
  const w = trial.world({ sectors: 2048 });
  w.attach();
  const files = w.run(
    (function* (): Task<Planted['files']> {
      const s = w.storage;
      const file = function* (parent: FileId, name: string, sizeBytes: number): Task<FileId> {
        const f = yield* s.create(parent, name, plain);
        yield* s.write(f, 0, pattern(sizeBytes, name.length), 'delayed');
        return f;
      };
      const a = yield* file(s.root, 'a', 10_000);
      const b = yield* file(s.root, 'b', 9000);
      const large = yield* file(s.root, 'large', 80_000);
      const d = yield* s.create(s.root, 'd', folder);
      const e = yield* s.create(d, 'e', folder);
      const inD = yield* file(d, 'in d', 500);
      yield* s.sync();
      return { a: a.number, b: b.number, large: large.number, d: d.number, e: e.number, inD: inD.number };
    })(),
  );
  w.crash();
  expect(w.check()).toEqual([]);
  return { w, p: new Plant(w.disk), files };
}

type Spoil = (p: Plant, f: Planted['files']) => void;

/** A directory's records, changed as they lie. */
function directory(p: Plant, number: number, change: (chunk: Uint8Array) => void): void {
  const address = p.descriptor(number).direct[0] ?? none;
  const fragment = p.fragment(address).slice();
  change(fragment);
  p.putFragment(address, fragment);
}

/** Where the record of a file number is in a chunk. */
const recordOf = (chunk: Uint8Array, file: number): number => {
  for (let at = 24; at < 512; at += word(chunk, at + 4) >>> 16) if (word(chunk, at) === file) return at;
  throw new Error(`no record of ${file}`);
};

const damages: [string, string, Spoil][] = [
  [
    'a pointer out of the disk',
    'pointer',
    (p, f) => p.change(f.a, { direct: [9_999_999, ...p.descriptor(f.a).direct.slice(1)] }),
  ],
  [
    'a pointer that does not stand on a block',
    'pointer',
    (p, f) =>
      p.change(f.a, {
        direct: [(p.descriptor(f.a).direct[0] ?? 0) + 1, ...p.descriptor(f.a).direct.slice(1)],
      }),
  ],
  [
    'two files with one block',
    'duplicate',
    (p, f) =>
      p.change(f.b, { direct: [p.descriptor(f.a).direct[0] ?? 0, ...p.descriptor(f.b).direct.slice(1)] }),
  ],
  [
    'a file that has one block twice',
    'duplicate',
    (p, f) =>
      p.change(f.a, { direct: [p.descriptor(f.a).direct[1] ?? 0, ...p.descriptor(f.a).direct.slice(1)] }),
  ],
  [
    'a pointer beyond the end of a file',
    'beyond',
    (p, f) => p.change(f.a, { direct: p.descriptor(f.a).direct.map((x, i) => (i === 7 ? 600 : x)) }),
  ],
  ['an index block where none should be', 'beyond', (p, f) => p.change(f.a, { indirect: [600, none, none] })],
  [
    'an index block that is somebody’s data',
    'duplicate',
    (p, f) => p.change(f.large, { indirect: [p.descriptor(f.a).direct[0] ?? 0, none, none] }),
  ],
  ['a triple index block', 'beyond', (p, f) => p.change(f.a, { indirect: [none, none, 600] })],
  [
    'a wild pointer in an index block',
    'pointer',
    (p, f) => {
      const index = p.descriptor(f.large).indirect[0] ?? 0;
      const fragment = p.fragment(index).slice();
      putWord(fragment, 8, 123_456_789);
      p.putFragment(index, fragment);
    },
  ],
  ['a wrong number of links', 'links', (p, f) => p.change(f.a, { links: 5 })],
  ['a file that counts no links', 'links', (p, f) => p.change(f.a, { links: 0 })],
  ['a directory with a wrong number of links', 'links', (p, f) => p.change(f.d, { links: 9 })],
  ['a descriptor of no type', 'descriptor', (p, f) => p.change(f.a, { type: 99 })],
  ['a descriptor with a wrong magic number', 'descriptor', (p, f) => p.change(f.b, { magic: 0x1234 })],
  [
    'a file that no name leads to',
    'orphan',
    (p) =>
      p.change(20, {
        ...p.descriptor(5),
        magic: 0xf1d0,
        flags: 2,
        type: 0,
        links: 1,
        sizeBytes: 0,
        direct: Array(10).fill(none),
        indirect: [none, none, none],
      }),
  ],
  ['a name that leads to nothing', 'entry', (p, f) => p.change(f.inD, { flags: 1 })],
  [
    'a name that leads out of the table',
    'entry',
    (p, f) => directory(p, f.d, (c) => putWord(c, recordOf(c, f.inD), 100_000)),
  ],
  [
    'a name with a slash',
    'directory',
    (p, f) => directory(p, f.d, (c) => c.set([0x2f], recordOf(c, f.inD) + 9)),
  ],
  [
    'two entries of one name',
    'directory',
    (p, f) => directory(p, 2, (c) => c.set([0x62], recordOf(c, f.a) + 8)),
  ],
  [
    'a record of a wrong length',
    'directory',
    (p, f) => directory(p, f.d, (c) => putWord(c, recordOf(c, f.inD) + 4, (7 << 16) | 4)),
  ],
  [
    'a record longer than its chunk',
    'directory',
    (p, f) => directory(p, f.d, (c) => putWord(c, recordOf(c, f.inD) + 4, (600 << 16) | 4)),
  ],
  [
    'a name longer than its record',
    'directory',
    (p, f) => directory(p, f.d, (c) => putWord(c, recordOf(c, f.e) + 4, (12 << 16) | 200)),
  ],
  ['"." that leads elsewhere', 'directory', (p, f) => directory(p, f.d, (c) => putWord(c, 0, f.e))],
  ['".." that leads elsewhere', 'tree', (p, f) => directory(p, f.e, (c) => putWord(c, 12, 2))],
  [
    'a directory with two parents',
    'tree',
    (p, f) => directory(p, 2, (c) => putWord(c, recordOf(c, f.a), f.e)),
  ],
  [
    'a directory in itself',
    'tree',
    (p, f) =>
      directory(p, f.e, (c) => {
        putWord(c, 16, (12 << 16) | 2);
        putWord(c, 24, f.d);
        putWord(c, 28, (488 << 16) | 1);
        c.set([0x78], 32);
      }),
  ],
  ['a directory whose beginning is lost', 'directory', (p, f) => directory(p, f.d, (c) => c.fill(0))],
  ['a directory without blocks', 'directory', (p, f) => p.change(f.d, { direct: Array(10).fill(none) })],
  [
    'a directory of a size that is no number of chunks',
    'directory',
    (p, f) => p.change(f.d, { sizeBytes: 700 }),
  ],
  ['a directory of no size', 'directory', (p, f) => p.change(f.d, { sizeBytes: 0 })],
  [
    'a bit too many in a bitmap',
    'bitmap',
    (p) => {
      const map = p.block(p.header.dataMapBlock);
      map[50] = 0xff;
      p.putBlock(p.header.dataMapBlock, map);
    },
  ],
  [
    'a bit too few in a bitmap',
    'bitmap',
    (p) => p.putBlock(p.header.descriptorMapBlock, new Uint8Array(4096)),
  ],
];

describe.each(damages)('%s', (_, kind, spoil) => {
  it('is found by the audit', () => {
    const { w, p, files } = planted();
    spoil(p, files);
    expect(w.check().map((f) => f.kind)).toContain(kind);
  });

  it('is mended by the repair after a crash, which changes nothing the second time', () => {
    const { w, p, files } = planted();
    spoil(p, files);
    w.attach();
    expect(w.check()).toEqual([]);
    if (kind !== 'bitmap') expect(w.meter('storage.ofs.repairs')).toBeGreaterThan(0);
    w.run(useAll(w.storage));
    w.run(w.storage.sync());
    expect(w.check()).toEqual([]);
    w.crash();
    w.attach();
    expect(w.meter('storage.ofs.repairs')).toBe(0);
  });
});

/** Reads all that is there and makes something new. */
function* useAll(s: Storage): Task<void> {
  const queue = [s.root];
  for (let d = queue.shift(); d !== undefined; d = queue.shift())
    for (const { file } of yield* s.entries(d)) {
      const { type, sizeBytes } = yield* s.attributes(file);
      if (type === 'directory') queue.push(file);
      else yield* s.read(file, 0, Math.min(sizeBytes, 1_000_000));
    }
  const f = yield* s.create(s.root, 'new', plain);
  yield* s.write(f, 0, pattern(60_000, 1), 'delayed');
}

describe('the repair after a crash', () => {
  it('raises the version of a file whose block it took away, and of no other', () => {
    const { w, p, files } = planted();
    p.change(files.b, {
      direct: [p.descriptor(files.a).direct[0] ?? 0, ...p.descriptor(files.b).direct.slice(1)],
    });
    const before = { a: p.descriptor(files.a).version, b: p.descriptor(files.b).version };
    w.attach();
    expect(p.descriptor(files.a).version).toBe(before.a);
    expect(p.descriptor(files.b).version).toBe(before.b + 1);
    const f = w.run(w.storage.lookup(w.storage.root, 'b')) ?? w.storage.root;
    const seen = w.run(w.storage.read(f, 0, 9000));
    expect(seen.subarray(0, 4096)).toEqual(new Uint8Array(4096));
    expect(firstDifference(seen.subarray(4096), pattern(9000, 1).subarray(4096))).toBe(-1);
  });

  it('frees a file that was unlinked and still open', () => {
    const { w } = planted();
    w.attach();
    const free = w.storage.usage();
    const { file } = w.run(w.storage.unlink(w.storage.root, 'large', { directory: false }));
    w.run(w.storage.sync());
    w.crash();
    w.attach();
    expect(w.check()).toEqual([]);
    expect(w.storage.usage().filesFree).toBe(free.filesFree + 1);
    expect(w.storage.usage().blocksFree).toBeGreaterThan(free.blocksFree + 15);
    expect(w.kindOf(w.storage.attributes(file))).toBe('stale');
  });

  it('is not needed after a halt, which frees what was only open', () => {
    const { w } = planted();
    w.attach();
    w.run(w.storage.unlink(w.storage.root, 'large', { directory: false }));
    const reads = () => w.disk.reads;
    const before = reads();
    w.reboot();
    expect(w.check()).toEqual([]);
    // Label, summary and header in one, and two bitmaps.
    expect(reads() - before).toBeLessThan(8);
  });

  it('is made though the disk says clean, when its free counts do not agree with its bitmaps', () => {
    const { w, p } = planted();
    w.attach();
    w.reboot();
    w.crash();
    w.attach();
    w.reboot();
    w.boot.crash();
    const map = p.block(p.header.dataMapBlock);
    map[50] = (map[50] ?? 0) ^ 0x10;
    p.putBlock(p.header.dataMapBlock, map);
    w.switchOn();
    w.attach();
    expect(w.check()).toEqual([]);
  });

  it('takes the time that reading all descriptors and directories takes', () => {
    const w = trial.world({ sectors: 8192, latencyNs: 20_000_000 });
    w.attach();
    w.run(w.storage.create(w.storage.root, 'a', plain));
    w.crash();
    w.attach();
    // 32 blocks of descriptors, 16 at a time, the root, the bitmaps: a good dozen requests of 20 ms.
    expect(w.meter('storage.ofs.attachSeconds')).toBeGreaterThan(0.1);
    expect(w.meter('storage.ofs.attachSeconds')).toBeLessThan(0.6);
    w.reboot();
    expect(w.meter('storage.ofs.attachSeconds')).toBeLessThan(0.15);
  });

  it('reads again what the disk failed to read once, and gives up after three times without having changed anything', () => {
    const { w } = planted();
    let failures = 2;
    const undo = w.disk.addRule({
      name: 'twice',
      judge: (op) => (op === 'read' && w.disk.reads > before && failures-- > 0 ? 'error' : 'pass'),
    });
    const before = w.disk.reads + 1;
    w.attach();
    undo();
    expect(w.check()).toEqual([]);
    w.crash();
    const image = w.disk.image();
    w.disk.addRule({
      name: 'always',
      judge: (op, sector) => (op === 'read' && sector > 100 ? 'error' : 'pass'),
    });
    expect(w.tryAttach()).toBe('ioError');
    expect(w.meter('storage.ofs.refused')).toBe(1);
    expect(firstDifference(w.disk.image(), image)).toBe(-1);
  });

  it('refuses a disk whose root is lost, rather than free all that is below it', () => {
    for (const spoil of [
      (p: Plant) => p.change(2, { type: 0 }),
      (p: Plant) => p.change(2, { flags: 1 }),
      (p: Plant) => p.change(2, { magic: 0 }),
      (p: Plant) => directory(p, 2, (c) => c.fill(0)),
      (p: Plant) => p.change(2, { sizeBytes: 0 }),
    ]) {
      const { w, p } = planted();
      spoil(p);
      expect(w.check().length).toBeGreaterThan(0);
      expect(w.tryAttach()).toBe('ioError');
      w.crash();
      expect(w.tryAttach()).toBe('ioError');
    }
  });
});

describe('hostile bytes', () => {
  /** Where a bit may be turned: everything but the bytes of files. */
  const metadata = (p: Plant): number[] => {
    const h = p.header;
    const blocks = [1];
    for (let b = h.descriptorMapBlock; b < h.descriptorBlock + 2; b++) blocks.push(b);
    for (let b = h.dataMapBlock; b < h.dataBlock; b++) blocks.push(b);
    for (const n of [2, ...Array.from({ length: 40 }, (_, i) => i + 3)]) {
      const d = p.descriptor(n);
      if (d.flags !== 2) continue;
      if (d.type === 1) blocks.push(h.dataBlock + Math.floor((d.direct[0] ?? 0) / 4));
      if (d.indirect[0] !== none) blocks.push(h.dataBlock + Math.floor((d.indirect[0] ?? 0) / 4));
    }
    return blocks;
  };

  it('on a disk that was not detached are mended, or refused with an I/O error: nothing else is ever thrown', () => {
    let mended = 0;
    let refused = 0;
    for (let seed = 1; seed <= runs(15); seed++) {
      const { w, p } = planted();
      const random = w.engine.random('hostile', `${seed}`);
      const blocks = metadata(p);
      for (let i = random.below(4); i >= 0; i--) {
        const b = random.pick(blocks);
        const bytes = p.block(b);
        const at = random.below(random.chance(0.5) ? 600 : 4096);
        bytes[at] = random.chance(0.5) ? (bytes[at] ?? 0) ^ (1 << random.below(8)) : random.below(256);
        p.putBlock(b, bytes);
      }
      w.check();
      const kind = w.tryAttach();
      if (kind === 'ok') {
        expect(w.check(), `seed ${seed}`).toEqual([]);
        w.run(useAll(w.storage));
        mended++;
      } else {
        expect(kind, `seed ${seed}`).toBe('ioError');
        refused++;
      }
    }
    expect(mended).toBeGreaterThan(5);
    expect(mended + refused).toBe(runs(15));
  });

  it('on a disk that says clean give errors of the kernel, whatever is done', () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= runs(15); seed++) {
      const { w, p } = planted();
      w.attach();
      const random = w.engine.random('hostile', `${seed}`);
      w.reboot();
      const { descriptorBlock, dataMapBlock, dataBlock } = p.header;
      const blocks = metadata(p).filter((b) => b >= descriptorBlock && (b < dataMapBlock || b >= dataBlock));
      w.boot.crash();
      for (let i = 0; i < 6; i++) {
        const b = random.pick(blocks);
        const bytes = p.block(b);
        bytes[random.below(700)] = random.below(256);
        p.putBlock(b, bytes);
      }
      // The summary of the last halt, put back.
      w.disk.load(8, cleanSummary(w));
      w.switchOn();
      w.attach();
      expect(w.meter('storage.ofs.repairs')).toBe(0);
      for (let i = 0; i < 60; i++) kinds.add(w.kindOf(anything(w.storage, random)));
      w.check();
    }
    expect([...kinds]).toContain('ioError');
    expect([...kinds]).toContain('ok');
  });
});

/** The summary sector as a halt leaves it, from a twin that was halted. */
function cleanSummary(w: World): Uint8Array {
  const sector = w.disk.inspect(8, 1);
  const view = new DataView(sector.buffer);
  const flags = view.getUint32(4);
  view.setUint32(4, 1);
  view.setUint32(508, view.getUint32(508) ^ flags ^ 1);
  return sector;
}

function* anything(
  s: Storage,
  random: { below(n: number): number; pick<T>(a: readonly T[]): T },
): Task<unknown> {
  const names = ['a', 'b', 'large', 'd', 'e', 'in d', 'new', '..', '.'];
  let at = s.root;
  for (let depth = random.below(3); depth > 0; depth--) at = (yield* s.lookup(at, random.pick(names))) ?? at;
  const name = random.pick(names);
  const f = (yield* s.lookup(at, name)) ?? at;
  switch (random.below(10)) {
    case 0:
      return yield* s.entries(at);
    case 1:
      return yield* s.read(f, random.below(90_000), 5000);
    case 2:
      return yield* s.write(f, random.below(90_000), pattern(5000, 1), 'delayed');
    case 3:
      return yield* s.truncate(f, random.below(90_000));
    case 4:
      return yield* s.create(at, name, random.below(2) === 0 ? plain : folder);
    case 5: {
      const { file, linksLeft } = yield* s.unlink(at, name, { directory: random.below(2) === 0 });
      return linksLeft === 0 ? yield* s.reclaim(file) : null;
    }
    case 6:
      return yield* s.rename(at, name, s.root, random.pick(names));
    case 7:
      return yield* s.link(at, random.pick(names), f);
    case 8:
      return yield* kindOf(s.sync());
    default:
      return yield* s.attributes(f);
  }
}
