/**
 * What is on the disk, record by record (Sprite's original file system: disk label, domain header, summary, descriptors;
 * directory records as in 4.3BSD). Byte order is that of the machines that it ran on, big endian.
 *
 *   block 0                     disk label in its first sector, boot sectors
 *   block 1                     summary, in its first sector
 *   block 2                     domain header, in its first sector
 *   then                        descriptor bitmap, descriptors (32 a block), data bitmap, data blocks
 *
 * Pointers count fragments of 1 KB from the first data block. Every block of a file is 4 fragments on a block boundary, but
 * for the last one if it is among the first ten: that one is as many fragments of one block as its bytes need.
 */
import { array, ascii, type Layout, layout, nested, u16, u32, u64 } from '@backplane/wire';

export const blockBytes = 4096;
export const fragmentBytes = 1024;
export const fragmentsPerBlock: number = blockBytes / fragmentBytes;
export const descriptorBytes = 128;
export const descriptorsPerBlock: number = blockBytes / descriptorBytes;
export const directBlocks = 10;
export const pointersPerBlock: number = blockBytes / 4;
/** Bits in one block of a bitmap. */
export const bitsPerBlock: number = blockBytes * 8;
/** The unit in which directories are read and changed: a sector, so that a change is whole or not at all. */
export const chunkBytes = 512;
/** A pointer that leads nowhere. */
export const none = 0xffffffff;
/** File number 1 is kept for bad blocks, as it always was. */
export const rootNumber = 2;
/** What the size field holds; double indirect pointers reach 4 GB and 4 MB. */
export const fileBytesMax = 0xffffffff;
export const linksMax = 32_767;

export const summaryBlock = 1;
export const headerBlock = 2;

export const labelMagic = 0xd15cfeba;
export const headerMagic = 0xf8e7d6c5;
export const summaryMagic = 0x0f5d1e51;
export const descriptorMagic = 0xf1d0;

/** Descriptor flags. A descriptor that was never used is all zeros. */
export const freeFlag = 1;
export const allocatedFlag = 2;
/** Summary flags. */
export const cleanFlag = 1;

const checksumAt = 508;
const sealBytes = 512;
const checksum = /* @__PURE__ */ u32('makes the exclusive or of all words of the sector zero', {
  at: checksumAt,
  base: 16,
});

export interface Partition {
  readonly firstCylinder: number;
  readonly cylinders: number;
}
const partition: Layout<Partition> = /* @__PURE__ */ layout('partition', {
  firstCylinder: u32(),
  cylinders: u32('0: none'),
});

export interface DiskLabel {
  readonly magic: number;
  readonly text: string;
  readonly sectorBytes: number;
  readonly sectors: number;
  readonly cylinders: number;
  readonly sectorsPerCylinder: number;
  readonly bootSector: number;
  readonly bootSectors: number;
  readonly summarySector: number;
  readonly domainSector: number;
  readonly partitions: readonly Partition[];
  readonly checksum: number;
}
export const diskLabel: Layout<DiskLabel> = /* @__PURE__ */ layout(
  'diskLabel',
  {
    magic: u32('d15cfeba', { base: 16 }),
    text: ascii(64, 'for people'),
    sectorBytes: u32(),
    sectors: u32('of the disk'),
    cylinders: u32('areas into which allocation divides the disk, whatever its mechanics'),
    sectorsPerCylinder: u32(),
    bootSector: u32(),
    bootSectors: u32(),
    summarySector: u32(),
    domainSector: u32(),
    partitions: array(nested(partition), 8),
    checksum,
  },
  { size: sealBytes, doc: 'first sector of the disk' },
);

export interface DomainHeader {
  readonly magic: number;
  readonly version: number;
  readonly blockBytes: number;
  readonly fragmentBytes: number;
  readonly areaBlocks: number;
  readonly descriptors: number;
  readonly descriptorMapBlock: number;
  readonly descriptorMapBlocks: number;
  readonly descriptorBlock: number;
  readonly descriptorBlocks: number;
  readonly dataMapBlock: number;
  readonly dataMapBlocks: number;
  readonly dataBlock: number;
  readonly dataBlocks: number;
  readonly checksum: number;
}
export const domainHeader: Layout<DomainHeader> = /* @__PURE__ */ layout(
  'domainHeader',
  {
    magic: u32('f8e7d6c5', { base: 16 }),
    version: u32('of this format: 1'),
    blockBytes: u32(),
    fragmentBytes: u32(),
    areaBlocks: u32('data blocks of one cylinder area'),
    descriptors: u32('files that there may be, numbers 0 and 1 included'),
    descriptorMapBlock: u32(),
    descriptorMapBlocks: u32(),
    descriptorBlock: u32(),
    descriptorBlocks: u32(),
    dataMapBlock: u32(),
    dataMapBlocks: u32(),
    dataBlock: u32(),
    dataBlocks: u32(),
    checksum,
  },
  { size: sealBytes, doc: 'where things are; never rewritten' },
);

export interface Summary {
  readonly magic: number;
  readonly flags: number;
  readonly mounts: number;
  readonly freeFragments: number;
  readonly freeFiles: number;
  readonly checksum: number;
}
export const summary: Layout<Summary> = /* @__PURE__ */ layout(
  'summary',
  {
    magic: u32('0f5d1e51', { base: 16 }),
    flags: u32('', { flags: { clean: cleanFlag } }),
    mounts: u32('times that the domain was attached'),
    freeFragments: u32('true while clean'),
    freeFiles: u32('true while clean'),
    checksum,
  },
  { size: sealBytes, doc: 'rewritten when the domain is attached and when it is detached' },
);

export interface DescriptorRecord {
  readonly magic: number;
  readonly flags: number;
  readonly type: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly links: number;
  readonly deviceType: number;
  readonly version: number;
  readonly generation: number;
  readonly deviceHost: number;
  readonly deviceUnit: number;
  readonly modifyNs: bigint;
  readonly changeNs: bigint;
  readonly accessNs: bigint;
  readonly createNs: bigint;
  readonly direct: readonly number[];
  readonly indirect: readonly number[];
}
export const descriptorRecord: Layout<DescriptorRecord> = /* @__PURE__ */ layout(
  'descriptor',
  {
    magic: u16('f1d0', { base: 16 }),
    flags: u16('', { flags: { free: freeFlag, allocated: allocatedFlag } }),
    type: u16('index among the file types'),
    mode: u16('permission bits, octal'),
    uid: u32(),
    gid: u32(),
    sizeBytes: u32(),
    links: u16('directory entries that lead here'),
    deviceType: u16(),
    version: u32('rises when the file is opened for writing, and when the repair finds it damaged'),
    generation: u32('of this number; kept when it is free'),
    deviceHost: u32(),
    deviceUnit: u32(),
    modifyNs: u64('virtual time, two complement'),
    changeNs: u64(),
    accessNs: u64(),
    createNs: u64(),
    direct: array(u32(), directBlocks, 'first blocks, in fragments; ffffffff: none'),
    indirect: array(u32(), 3, 'index blocks: single, double; the third is there and never used'),
  },
  { size: descriptorBytes, doc: 'a file; one that was never used is all zeros' },
);

export interface DirectoryRecord {
  readonly file: number;
  readonly recordBytes: number;
  readonly nameBytes: number;
}
/** Before each name in a directory. The record reaches to the next one, or to the end of its chunk. */
export const directoryRecord: Layout<DirectoryRecord> = /* @__PURE__ */ layout(
  'directoryRecord',
  {
    file: u32('0: nothing here'),
    recordBytes: u16('to the next record, a multiple of 4'),
    nameBytes: u16('of the name that follows; zeros fill up to a multiple of 4, at least one'),
  },
  { doc: 'before each name in a directory; reaches to the next one, or to the end of its 512 bytes' },
);

/** One word of an index block. */
export const pointer: Layout<{ readonly to: number }> = /* @__PURE__ */ layout(
  'pointer',
  { to: u32('in fragments from the first data block; ffffffff: none') },
  { doc: 'one word of an index block, which has 1024 of them' },
);

/** Gives a sector its checksum, in place. */
export function seal(sector: Uint8Array): Uint8Array {
  pointer.set.to(sector, checksumAt, 0);
  pointer.set.to(sector, checksumAt, exclusiveOr(sector));
  return sector;
}

export function isSealed(sector: Uint8Array): boolean {
  return sector.length >= sealBytes && exclusiveOr(sector) === 0;
}

function exclusiveOr(sector: Uint8Array): number {
  let x = 0;
  for (let at = 0; at < sealBytes; at += 4) x ^= pointer.get.to(sector, at);
  return x >>> 0;
}
