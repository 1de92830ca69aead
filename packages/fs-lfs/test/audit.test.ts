import { describe, expect, it } from 'vitest';
import { lfsFormat } from '../src/format.ts';
import { regionSector, superblockCopySector, superblockSector } from '../src/layouts.ts';
import { buildImage, Image, numbers, segments, type Wishes } from './audit-builder.ts';

const kindsOf = (image: Image): readonly string[] => [...new Set(lfsFormat.audit(image).map((f) => f.kind))];

const { root, folder, file, large, link, twice } = numbers;
const onlyFile =
  (number: number) =>
  <D extends { readonly number: number }>(d: D, change: Partial<D>): D =>
    d.number === number ? { ...d, ...change } : d;

/** What is wrong, the kind of finding that says so, and how it is made. */
const lies: readonly (readonly [string, string, Wishes])[] = [
  ['a superblock of another version', 'superblock', { superblock: (s) => ({ ...s, version: 1 }) }],
  ['more segments than the disk has', 'superblock', { superblock: (s) => ({ ...s, segments: 1 << 20 }) }],
  ['segments of no length', 'superblock', { superblock: (s) => ({ ...s, segmentSectors: 0 }) }],
  ['more files than sectors', 'superblock', { superblock: (s) => ({ ...s, filesMax: 0xffff_ffff }) }],
  [
    'regions too small for their addresses',
    'superblock',
    { superblock: (s) => ({ ...s, regionSectors: 0 }) },
  ],
  ['a log that begins in the regions', 'superblock', { superblock: (s) => ({ ...s, logSector: 90 }) }],
  ['more sectors than there are', 'truncated', { superblock: (s) => ({ ...s, sectors: s.sectors + 1 }) }],
  ['two superblocks that differ', 'superblock', { copy: (s) => ({ ...s, createNs: 8n }) }],
  ['more map blocks than files', 'checkpoint', { checkpoint: (c) => ({ ...c, mapBlocks: 3 }) }],
  ['a log that goes on in no segment', 'checkpoint', { checkpoint: (c) => ({ ...c, segment: segments }) }],
  ['a log that goes on beyond its segment', 'checkpoint', { checkpoint: (c) => ({ ...c, offset: 129 }) }],
  ['a log that goes on where nothing ends', 'log', { checkpoint: (c) => ({ ...c, offset: c.offset - 1 }) }],
  ['a number that does not follow', 'log', { checkpoint: (c) => ({ ...c, number: c.number + 1 }) }],
  ['a checksum of no summary', 'log', { checkpoint: (c) => ({ ...c, previous: 1 }) }],
  ['a descriptor of another number', 'descriptor', { descriptor: (d) => onlyFile(file)(d, { number: 17 }) }],
  [
    'a descriptor of another generation',
    'descriptor',
    { descriptor: (d) => onlyFile(file)(d, { generation: 2 }) },
  ],
  [
    'another count of truncations',
    'descriptor',
    { descriptor: (d) => onlyFile(file)(d, { truncations: 2 }) },
  ],
  ['a descriptor of no type', 'descriptor', { descriptor: (d) => onlyFile(file)(d, { type: 50 }) }],
  ['blocks of no allowed size', 'descriptor', { descriptor: (d) => onlyFile(file)(d, { blockSectors: 9 }) }],
  ['a place beyond the descriptors', 'descriptor', { map: (n, e) => (n === file ? { ...e, slot: 12 } : e) }],
  [
    'a map entry that leads to data',
    'descriptor',
    { map: (n, e) => (n === file ? { ...e, sector: 97 } : e) },
  ],
  ['a map entry that leads nowhere', 'map', { map: (n, e) => (n === file ? { ...e, sector: 0 } : e) }],
  ['a free number with a descriptor', 'map', { map: (n, e) => (n === file ? { ...e, flags: 0 } : e) }],
  [
    'a file number that nobody may have',
    'map',
    { map: (n, e) => (n === 1 ? { ...e, flags: 2, sector: 97 } : e) },
  ],
  [
    'a pointer out of the log',
    'pointer',
    {
      descriptor: (d) =>
        onlyFile(link)(d, { direct: [{ sector: 9, sectors: 1, form: 0 }, ...d.direct.slice(1)] }),
    },
  ],
  [
    'a pointer across the end of a segment',
    'pointer',
    {
      descriptor: (d) =>
        onlyFile(link)(d, {
          direct: d.direct.map((p, i) => (i === 0 ? { ...p, sector: 96 + 127, sectors: 2 } : p)),
        }),
    },
  ],
  [
    'a block longer than blocks are',
    'pointer',
    {
      descriptor: (d) =>
        onlyFile(link)(d, { direct: d.direct.map((p, i) => (i === 0 ? { ...p, sectors: 9 } : p)) }),
    },
  ],
  [
    'a block of an unknown form',
    'pointer',
    {
      descriptor: (d) =>
        onlyFile(link)(d, { direct: d.direct.map((p, i) => (i === 0 ? { ...p, form: 2 } : p)) }),
    },
  ],
  [
    'a file that has one block twice',
    'duplicate',
    {
      descriptor: (d) =>
        onlyFile(file)(d, { direct: d.direct.map((p, i) => (i === 1 ? (d.direct[0] ?? p) : p)) }),
    },
  ],
  [
    'blocks that overlap',
    'duplicate',
    {
      descriptor: (d) =>
        onlyFile(file)(d, {
          direct: d.direct.map((p, i) =>
            i === 1 ? { ...p, sector: (d.direct[0]?.sector ?? 0) + 3, sectors: 2 } : p,
          ),
        }),
    },
  ],
  [
    'a pointer beyond the end of a file',
    'beyond',
    { descriptor: (d) => onlyFile(file)(d, { sizeBytes: 4096 }) },
  ],
  [
    'an index block beyond the end of a file',
    'beyond',
    { descriptor: (d) => onlyFile(large)(d, { sizeBytes: 4096 * 10 }) },
  ],
  [
    'an index block of another level',
    'index',
    {
      descriptor: (d) =>
        onlyFile(large)(d, {
          sizeBytes: 4096 * 600,
          indirect: d.indirect.map((p, i) => d.indirect[1 - i] ?? p),
        }),
    },
  ],
  [
    'a wild pointer in an index block',
    'pointer',
    { index: (_, p, slot) => (slot === 1 ? { ...p, sector: 0xffff_ffff } : p) },
  ],
  [
    'an index block that is somebody’s data, too',
    'duplicate',
    {
      descriptor: (d) =>
        onlyFile(large)(d, { direct: d.direct.map((p, i) => (i === 3 ? (d.indirect[0] ?? p) : p)) }),
    },
  ],
  [
    'a name that leads to no file',
    'entry',
    { entries: (_, e) => e.map((x) => (x.name === 'file' ? { ...x, file: 200 } : x)) },
  ],
  [
    'a name that leads to another generation',
    'entry',
    { entries: (_, e) => e.map((x) => (x.name === 'file' ? { ...x, generation: 9 } : x)) },
  ],
  ['two entries of one name', 'directory', { entries: (_, e) => e.map((x) => ({ ...x, name: 'one' })) }],
  [
    'a name with a slash',
    'directory',
    { entries: (_, e) => e.map((x) => ({ ...x, name: x.name.replace('o', '/') })) },
  ],
  [
    'a name of no bytes',
    'directory',
    { entries: (_, e) => e.map((x) => ({ ...x, name: x.name === 'file' ? '' : x.name })) },
  ],
  [
    '".." as an entry',
    'directory',
    { entries: (_, e) => e.map((x) => ({ ...x, name: x.name === 'file' ? '..' : x.name })) },
  ],
  ['a file that no name leads to', 'orphan', { entries: (_, e) => e.filter((x) => x.name !== 'file') }],
  [
    'a directory that no name leads to',
    'orphan',
    { entries: (_, e) => e.filter((x) => x.name !== 'folder') },
  ],
  [
    'a directory with two names',
    'tree',
    { entries: (_, e) => e.map((x) => (x.name === 'twice' ? { ...x, file: folder } : x)) },
  ],
  [
    'a directory in itself',
    'tree',
    { entries: (n, e) => (n === folder ? [...e, { name: 'self', file: folder, generation: 1 }] : e) },
  ],
  [
    'a directory that thinks it is elsewhere',
    'tree',
    { descriptor: (d) => onlyFile(folder)(d, { parent: 9 }) },
  ],
  ['a root that is no directory', 'root', { descriptor: (d) => onlyFile(root)(d, { type: 0 }) }],
  ['too few links', 'links', { descriptor: (d) => onlyFile(twice)(d, { links: 1 }) }],
  ['a directory with too many links', 'links', { descriptor: (d) => onlyFile(root)(d, { links: 4 }) }],
  [
    'a file with a name that the map has removed',
    'unlinked',
    { map: (n, e) => (n === file ? { ...e, flags: e.flags | 1 } : e) },
  ],
  [
    'too many live bytes',
    'usage',
    { usage: (s, e) => (s === 0 ? { ...e, liveBytes: e.liveBytes + 512 } : e) },
  ],
  [
    'live bytes where there are none',
    'usage',
    { usage: (s, e) => (s === 9 ? { ...e, liveBytes: 192, flags: 0 } : e) },
  ],
  ['a segment in use that is called clean', 'usage', { usage: (s, e) => (s === 0 ? { ...e, flags: 1 } : e) }],
  [
    'the segment that is next, called clean',
    'usage',
    { usage: (s, e) => ({ ...e, flags: s === 0 ? 0 : 1 }) },
  ],
  [
    'a summary that lists other bytes',
    'bytes',
    { summary: (s) => (s.number === 2 ? { ...s, blocksChecksum: s.blocksChecksum ^ 1 } : s) },
  ],
  ['a gap in the numbers', 'summary', { summary: (s) => (s.number === 3 ? { ...s, number: 30 } : s) }],
  [
    'a summary of another segment',
    'summary',
    { summary: (s) => (s.number === 1 ? { ...s, segment: 3 } : s) },
  ],
  ['an operation out of order', 'directoryLog', { operation: (r) => ({ ...r, sequence: 41 }) }],
  ['an unknown operation', 'directoryLog', { operation: (r) => ({ ...r, operation: 9 }) }],
  ['a name longer than its block', 'directoryLog', { operation: (r) => ({ ...r, nameBytes: 4000 }) }],
];

describe('the audit', () => {
  it('finds nothing wrong with a sound disk', () => {
    expect(lfsFormat.audit(buildImage())).toEqual([]);
    expect(lfsFormat.recognizes(buildImage())).toBe(true);
  });

  it.each(lies)('finds %s (%s)', (_, kind, wishes) => {
    expect(kindsOf(buildImage(wishes))).toContain(kind);
  });

  it('says where: structure and sector', () => {
    const image = buildImage();
    const sector = image.place(`directory ${folder}`);
    image.bytes[sector * 512 + 100] = 0xff;
    const found = lfsFormat.audit(image);
    expect(found).toContainEqual({
      kind: 'directory',
      where: 'directory 3',
      text: 'block 0 is not valid',
      sector,
    });
  });
});

describe('damage', () => {
  it('of one checkpoint region of two is none', () => {
    const image = buildImage();
    image.bytes.copyWithin((regionSector + 8) * 512, regionSector * 512, (regionSector + 8) * 512);
    image.bytes[regionSector * 512 + 20] = 0xff;
    expect(lfsFormat.audit(image)).toEqual([]);
    image.bytes[(regionSector + 8) * 512 + 20] = 0xff;
    expect(kindsOf(image)).toEqual(['checkpoint']);
  });

  it('of one superblock of two is found, and the other one counts', () => {
    for (const sector of [superblockSector, superblockCopySector]) {
      const image = buildImage();
      image.bytes[sector * 512 + 20] = 0xff;
      expect(lfsFormat.audit(image)).toMatchObject([{ kind: 'superblock', sector }]);
    }
  });

  it('of any sector that a dump shows is found, whichever bit it is, but for the regions and the log’s end', () => {
    const shown = [...lfsFormat.dump(buildImage())].filter(
      (r) => !/region|addresses|after the checkpoint|partial write 9|operation|log block/.test(r.what),
    );
    const sectors = [...new Set(shown.map((r) => r.sector))];
    expect(sectors.length).toBeGreaterThan(15);
    for (const sector of sectors)
      for (const bit of [0, 77, 1500, 4095]) {
        const image = buildImage();
        const byte = sector * 512 + (bit >>> 3);
        image.bytes[byte] = (image.bytes[byte] ?? 0) ^ (1 << (bit & 7));
        expect(kindsOf(image).length, `bit ${bit} of sector ${sector}`).toBeGreaterThan(0);
      }
  });

  it('of a file’s bytes is found, too: summaries cover them', () => {
    const image = buildImage();
    const sector = image.place('summary 1') + 3;
    image.bytes[sector * 512] = (image.bytes[sector * 512] ?? 0) ^ 1;
    expect(kindsOf(image)).toEqual(['bytes']);
  });

  it('at the end of the log only ends it earlier', () => {
    const image = buildImage();
    const last = Math.max(...[...image.places].map(([what, s]) => (what.startsWith('summary') ? s : 0)));
    image.bytes.fill(0, last * 512, (last + 1) * 512);
    expect(lfsFormat.audit(image)).toEqual([]);
  });

  it('makes nothing throw and nothing endless, whatever the bytes are', () => {
    const sound = buildImage();
    let found = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const image = mutated(sound, seed);
      try {
        lfsFormat.recognizes(image);
        if (lfsFormat.audit(image).length > 0) found++;
        let records = 0;
        for (const r of lfsFormat.dump(image)) if (r.rows().length > 0) records++;
        expect(records).toBeLessThan(20_000);
      } catch (e) {
        throw new Error(`seed ${seed}`, { cause: e });
      }
    }
    expect(found).toBeGreaterThan(200);
  });
});

/** A sound disk with a few bytes, words or sectors changed, cut or longer. */
function mutated({ bytes: sound, places }: Image, seed: number): Image {
  let state = seed * 2654435761;
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const bytes = sound.slice();
  const sectors = [...places.values(), superblockSector, superblockCopySector, regionSector];
  for (let i = below(4); i >= 0; i--) {
    const sector = sectors[below(sectors.length)] ?? 0;
    const byte = sector * 512 + below(below(2) === 0 ? 96 : 512);
    if (below(8) === 0) bytes.fill(below(256), sector * 512, (sector + 1) * 512);
    else bytes[byte] = below(256);
  }
  const length = below(6) === 0 ? below(bytes.length) : bytes.length;
  return new Image(bytes.slice(0, length - (length % 512)));
}
