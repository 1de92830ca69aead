import type { Task } from '@backplane/engine';
import { firstDifference } from '@backplane/file-service/testing';
import { isKernelError, type NewFile } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { decodeUtf8 } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { descriptorRecord, diskLabel, domainHeader, summary } from '../src/index.ts';
import { Plant, word } from './plant.ts';
import { trial, type World } from './world.ts';

const plain: NewFile = { type: 'file', mode: 0o644, uid: 7, gid: 8 };

/** The exclusive or of the words of a sector. */
const exclusiveOr = (sector: Uint8Array): number => {
  let x = 0;
  for (let at = 0; at < 512; at += 4) x ^= word(sector, at);
  return x;
};

describe('on the disk', () => {
  it('the label is in sector 0, with its magic number and a checksum that makes all words cancel', () => {
    const w = trial.world();
    w.attach();
    const sector = w.disk.inspect(0, 1);
    expect(word(sector, 0)).toBe(0xd15cfeba);
    expect(exclusiveOr(sector)).toBe(0);
    const label = diskLabel.decode(sector);
    expect(label).toMatchObject({
      sectorBytes: 512,
      sectors: 8192,
      summarySector: 8,
      domainSector: 16,
      bootSector: 1,
      bootSectors: 7,
    });
    expect(label.partitions[0]?.cylinders).toBe(label.cylinders);
    expect(label.cylinders * label.sectorsPerCylinder).toBeGreaterThanOrEqual(8192);
  });

  it('the header says where things are: bitmap of descriptors, descriptors, bitmap of fragments, data', () => {
    const w = trial.world({ sectors: 65_536, bytesPerFile: 8192, areaBlocks: 50 });
    w.attach();
    const h = domainHeader.decode(w.disk.inspect(16, 1));
    // 8192 blocks: a descriptor for two, 32 in a block.
    expect(h).toMatchObject({
      blockBytes: 4096,
      fragmentBytes: 1024,
      areaBlocks: 50,
      descriptors: 4096,
      descriptorMapBlock: 3,
      descriptorMapBlocks: 1,
      descriptorBlock: 4,
      descriptorBlocks: 128,
      dataMapBlock: 132,
      dataMapBlocks: 1,
      dataBlock: 133,
      dataBlocks: 8059,
    });
    expect(exclusiveOr(w.disk.inspect(16, 1))).toBe(0);
  });

  it('the summary says clean from a halt until the disk is attached again', () => {
    const w = trial.world();
    const flags = () => summary.decode(w.disk.inspect(8, 1)).flags;
    w.attach();
    expect(flags()).toBe(0);
    w.run(w.storage.create(w.storage.root, 'a', plain));
    w.run(w.storage.sync());
    expect(flags()).toBe(0);
    w.reboot();
    expect(flags()).toBe(0);
    expect(summary.decode(w.disk.inspect(8, 1)).mounts).toBe(2);
    expect(w.meter('storage.ofs.repairs')).toBe(0);
  });

  it('a descriptor has 128 bytes, field by field', () => {
    const bytes = descriptorRecord.encode({
      magic: 0xf1d0,
      flags: 2,
      type: 1,
      mode: 0o1755,
      uid: 0x01020304,
      gid: 0x05060708,
      sizeBytes: 0x11121314,
      links: 0x2122,
      deviceType: 0x2324,
      version: 0x31323334,
      generation: 0x41424344,
      deviceHost: 0x51525354,
      deviceUnit: 0x61626364,
      modifyNs: 0x0102030405060708n,
      changeNs: 2n,
      accessNs: 3n,
      createNs: 4n,
      direct: [10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
      indirect: [20, 21, 0xffffffff],
    });
    const hex = [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
    expect(hex).toBe(
      'f1d00002' +
        '000103ed' +
        '01020304' +
        '05060708' +
        '11121314' +
        '21222324' +
        '31323334' +
        '41424344' +
        '51525354' +
        '61626364' +
        '0102030405060708' +
        '0000000000000002' +
        '0000000000000003' +
        '0000000000000004' +
        '0000000a0000000b0000000c0000000d0000000e0000000f00000010000000110000001200000013' +
        '0000001400000015ffffffff' +
        '00000000',
    );
  });

  it('a directory is as in 4.3BSD: records with file, length, length of the name, name', () => {
    const w = trial.world();
    w.attach();
    w.run(
      (function* (): Task<void> {
        yield* w.storage.create(w.storage.root, 'file', plain);
        yield* w.storage.create(w.storage.root, 'xyz', { ...plain, type: 'directory' });
        yield* w.storage.sync();
      })(),
    );
    const p = new Plant(w.disk);
    const chunk = p.fragment(p.descriptor(2).direct[0] ?? -1).subarray(0, 512);
    const records: string[] = [];
    for (let at = 0; at < 512; ) {
      const lengths = word(chunk, at + 4);
      const name = decodeUtf8(chunk.subarray(at + 8, at + 8 + (lengths & 0xffff)));
      expect(chunk[at + 8 + (lengths & 0xffff)]).toBe(0);
      records.push(`${word(chunk, at)} ${lengths >>> 16} ${lengths & 0xffff} ${name}`);
      at += lengths >>> 16;
    }
    expect(records).toEqual(['2 12 1 .', '2 12 2 ..', '3 16 4 file', '4 472 3 xyz']);
  });

  it('a file of up to ten blocks needs no index block, the next one one, and 4 MB a second level', () => {
    const w = trial.world({ sectors: 40_000 });
    w.attach();
    const pointersOf = (sizeBytes: number, name: string): readonly boolean[] => {
      w.run(
        (function* (): Task<void> {
          const f = yield* w.storage.create(w.storage.root, name, plain);
          yield* w.storage.write(f, sizeBytes - 1, pattern(1, 1), 'delayed');
          yield* w.storage.sync();
        })(),
      );
      const found = w.run(w.storage.lookup(w.storage.root, name));
      const { direct, indirect } = new Plant(w.disk).descriptor(found?.number ?? 0);
      return [(direct[9] ?? 0) !== 0xffffffff, ...indirect.map((x) => x !== 0xffffffff)];
    };
    const block = 4096;
    expect(pointersOf(10 * block, 'a')).toEqual([true, false, false, false]);
    expect(pointersOf(10 * block + 1, 'b')).toEqual([false, true, false, false]);
    expect(pointersOf((10 + 1024) * block, 'c')).toEqual([false, true, false, false]);
    expect(pointersOf((10 + 1024) * block + 1, 'd')).toEqual([false, false, true, false]);
  });

  it('a file may have 4 GB less a byte, and no more', () => {
    const w = trial.world({ sectors: 40_000 });
    w.attach();
    const max = w.storage.fileBytesMax;
    expect(max).toBe(0xffffffff);
    const f = w.run(w.storage.create(w.storage.root, 'a', plain));
    w.run(w.storage.write(f, max - 5000, pattern(5000, 1), 'delayed'));
    expect(w.kindOf(w.storage.write(f, max, pattern(1, 1), 'delayed'))).toBe('tooLarge');
    expect(w.kindOf(w.storage.truncate(f, max + 1))).toBe('tooLarge');
    w.reboot();
    expect(w.check()).toEqual([]);
    const seen = w.run(w.storage.read(f, max - 5001, 6000));
    expect(seen).toEqual(new Uint8Array([0, ...pattern(5000, 1)]));
    w.run(w.storage.truncate(f, 4096 * 1034 + 1));
    w.run(w.storage.truncate(f, 3));
    w.run(w.storage.sync());
    expect(w.check()).toEqual([]);
  });

  it('every type of object is kept, devices with their numbers and links with their targets', () => {
    const w = trial.world();
    w.attach();
    const device = { host: 14, type: 3, unit: 0x10002 };
    w.run(
      (function* (): Task<void> {
        const { root } = w.storage;
        yield* w.storage.create(root, 'tty', { ...plain, type: 'device', device });
        yield* w.storage.create(root, 'pdev', { ...plain, type: 'pseudoDevice', device });
        yield* w.storage.create(root, 'pipe', { ...plain, type: 'namedPipe' });
        yield* w.storage.create(root, 'link', { ...plain, type: 'symlink', target: '/ü/b' });
        yield* w.storage.create(root, 'remote', { ...plain, type: 'remoteLink', target: 'x'.repeat(3000) });
      })(),
    );
    w.reboot();
    expect(w.check()).toEqual([]);
    const of = (name: string) =>
      w.run(
        (function* (): Task<[object, string]> {
          const f = (yield* w.storage.lookup(w.storage.root, name)) ?? w.storage.root;
          const a = yield* w.storage.attributes(f);
          return [a, decodeUtf8(yield* w.storage.read(f, 0, 10_000))];
        })(),
      );
    expect(of('tty')[0]).toMatchObject({ type: 'device', device, sizeBytes: 0 });
    expect(of('pdev')[0]).toMatchObject({ type: 'pseudoDevice', device });
    expect(of('pipe')[0]).toMatchObject({ type: 'namedPipe' });
    expect(of('link')).toMatchObject([{ type: 'symlink', sizeBytes: 5 }, '/ü/b']);
    expect(of('remote')).toMatchObject([{ type: 'remoteLink', sizeBytes: 3000 }, 'x'.repeat(3000)]);
  });

  it('times are kept to the nanosecond, and what a descriptor cannot hold is refused', () => {
    const w = trial.world();
    w.attach();
    const f = w.run(w.storage.create(w.storage.root, 'a', plain));
    const times = { modifyNs: -5, changeNs: 2 ** 53 - 1, accessNs: 0, createNs: 123_456_789_012_345 };
    w.run(w.storage.setAttributes(f, { ...times, uid: 0xffffffff, version: 77, mode: 0o170644 }));
    for (const wrong of [
      { uid: -1 },
      { gid: 2 ** 32 },
      { version: 1.5 },
      { modifyNs: 2 ** 63 },
      { createNs: 0.5 },
    ])
      expect(w.kindOf(w.storage.setAttributes(f, wrong))).toBe('badArgument');
    const host = { host: -1, type: 0, unit: 0 };
    expect(w.kindOf(w.storage.create(w.storage.root, 'd', { ...plain, type: 'device', device: host }))).toBe(
      'badArgument',
    );
    w.reboot();
    expect(w.run(w.storage.attributes(f))).toMatchObject({
      ...times,
      uid: 0xffffffff,
      version: 77,
      mode: 0o644,
    });
    expect(w.check()).toEqual([]);
  });
});

describe('a disk that holds something else', () => {
  const attach = (spoil: (w: World) => void): string => {
    const w = trial.world({ sectors: 1024 });
    w.attach();
    w.run(w.storage.create(w.storage.root, 'a', plain));
    w.reboot();
    w.crash();
    spoil(w);
    const before = w.disk.image();
    w.attach();
    if (w.meter('storage.ofs.refused') === 1) expect(firstDifference(w.disk.image(), before)).toBe(-1);
    return w.run(
      (function* (): Task<string> {
        try {
          yield* w.storage.attributes(w.storage.root);
          return 'attached';
        } catch (e) {
          return isKernelError(e, 'ioError') ? e.message : String(e);
        }
      })(),
    );
  };

  it('is not touched', () => {
    expect(attach((w) => w.disk.load(0, new Uint8Array(512).fill(1)))).toMatch(/disk label/);
    expect(attach((w) => w.disk.load(0, new Uint8Array(512)))).toMatch(/label/);
    expect(attach((w) => w.disk.load(16, new Uint8Array(512).fill(7)))).toMatch(/header/);
  });

  it('is not taken for this file system where the header has a checksum and makes no sense', () => {
    const spoilt = (change: object) =>
      attach((w) => {
        const h = { ...domainHeader.decode(w.disk.inspect(16, 1)), ...change, checksum: 0 };
        const sector = domainHeader.encode(h);
        const sum = exclusiveOr(sector);
        new DataView(sector.buffer).setUint32(508, sum);
        w.disk.load(16, sector);
      });
    expect(spoilt({})).toBe('attached');
    for (const change of [
      { dataBlocks: 0xffffffff },
      { dataBlocks: 0 },
      { descriptors: 5 },
      { descriptorBlock: 3 },
      { areaBlocks: 0 },
      { dataMapBlocks: 0 },
      { blockBytes: 8192 },
      { version: 2 },
    ])
      expect(spoilt(change), JSON.stringify(change)).toMatch(/no sense/);
  });
});
