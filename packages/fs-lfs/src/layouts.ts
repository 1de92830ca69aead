/**
 * What is where on the disk, record by record, big-endian. Addresses are sectors of 512 bytes from the disk's beginning;
 * 0 leads nowhere. The structures are those of Sprite's LFS (Rosenblum, Ousterhout: The Design and Implementation of a
 * Log-Structured File System, ACM TOCS 10(1), 1992, sections 3 and 4), their fields our own.
 *
 *   sector 64   superblock, and at 72 a copy
 *   sector 80   two checkpoint regions (none on a medium that is written once)
 *   then        segments, all of one length
 *
 * A segment holds partial writes one after another. A partial write is the first sector of a summary, the blocks that the
 * summary lists, in its order, each in whole sectors, and the rest of the summary, if it is longer than a sector: so a
 * block's address is known before it is known how many will follow. The disk gets all of it in one request. Summaries
 * are numbered without gaps and each holds the checksum of the one before, so that nothing left over from an earlier
 * life of a segment is ever taken for what follows. What stands between two summaries that end a group is valid
 * together or not at all.
 *
 * Every block but those with a file's bytes begins with a `blockHeader` and has a checksum; those with a file's bytes are
 * covered by the summary's.
 */
import {
  array,
  crc32,
  type Layout,
  type LayoutFacts,
  layout,
  nested,
  u8,
  u16,
  u32,
  u64,
} from '@backplane/wire';

export const sectorBytes = 512;
/** Of the block cache, of everything with a header, and of a file's bytes unless its descriptor says more. */
export const blockBytes = 4096;
export const blockSectors: number = blockBytes / sectorBytes;
/** No address. */
export const none = 0;

export const superblockSector = 64;
export const superblockCopySector = 72;
export const regionSector = 80;

/** Numbers 0 and 1 name no file; 1 was for bad blocks. */
export const rootNumber = 2;
export const fileBytesMax = 0xffff_ffff;
export const linksMax = 32_767;

const checksum = /* @__PURE__ */ u32('of the whole record with zero in this place, CRC-32', { base: 16 });

// ---- superblock ----

export const superblockMagic = 0x4c46_5331;
export const formatVersion = 2;
export const writeOnceFlag = 1;

export interface Superblock {
  readonly magic: number;
  readonly checksum: number;
  readonly version: number;
  readonly flags: number;
  readonly sectorBytes: number;
  readonly sectors: number;
  readonly blockBytes: number;
  readonly segmentSectors: number;
  readonly segments: number;
  readonly logSector: number;
  readonly regionSectors: number;
  readonly filesMax: number;
  readonly createNs: bigint;
}
export const superblock: Layout<Superblock> = /* @__PURE__ */ layout(
  'superblock',
  {
    magic: u32('4c465331, "LFS1"', { base: 16 }),
    checksum,
    version: u32('of this format: 1'),
    flags: u32('', { flags: { writeOnce: writeOnceFlag } }),
    sectorBytes: u32('512'),
    sectors: u32('of the disk'),
    blockBytes: u32('4096'),
    segmentSectors: u32('of one segment'),
    segments: u32(),
    logSector: u32('first sector of segment 0'),
    regionSectors: u32('of one checkpoint region; the second follows the first'),
    filesMax: u32('numbers that files may have, 0 and 1 included'),
    createNs: u64('virtual time'),
  },
  { size: sectorBytes, doc: 'written once, when the disk is formatted' },
);

// ---- partial writes ----

export const summaryMagic = 0x5355_4d4d;
/** What came since the last group ended is valid with this partial write. */
export const groupEndFlag = 1;
/** What came since the last group ended is not part of this one: a crash has cut it short. */
export const groupStartFlag = 2;

export interface Summary {
  readonly magic: number;
  readonly checksum: number;
  readonly previous: number;
  readonly number: number;
  readonly segment: number;
  readonly offset: number;
  readonly next: number;
  readonly sectors: number;
  readonly bytes: number;
  readonly blocksChecksum: number;
  readonly records: number;
  readonly flags: number;
  readonly mounts: number;
  readonly timeNs: bigint;
}
export const summary: Layout<Summary> = /* @__PURE__ */ layout(
  'summary',
  {
    magic: u32('53554d4d', { base: 16 }),
    checksum: u32('of the first sector and the last ones with zero in this place, CRC-32', { base: 16 }),
    previous: u32('checksum of the summary of the partial write before', { base: 16 }),
    number: u32('of this partial write; one more than that of the one before'),
    segment: u32('in which it lies'),
    offset: u32('sectors from the segment’s beginning'),
    next: u32('segment in which the log goes on when this one is full; ffffffff: none'),
    sectors: u32('of this partial write, summary included'),
    bytes: u32('of the summary: what is over 512 follows the blocks, in whole sectors'),
    blocksChecksum: u32('of all blocks as they lie there, CRC-32', { base: 16 }),
    records: u32('file records that follow'),
    flags: u32('', { flags: { groupEnd: groupEndFlag, groupStart: groupStartFlag } }),
    mounts: u32('times that the disk had been attached'),
    timeNs: u64('virtual time at which it was closed'),
  },
  { doc: 'begins a partial write' },
);

/** What the blocks of a file record hold. */
export const BlockKind = {
  /** A file's bytes, or a directory's `directoryBlock`s. */
  data: 1,
  index: 2,
  descriptors: 3,
  directoryLog: 4,
  map: 5,
  usage: 6,
  /** On a medium that is written once: what elsewhere is in a checkpoint region. */
  checkpoint: 7,
} as const;
export type BlockKind = (typeof BlockKind)[keyof typeof BlockKind];

export interface FileRecord {
  readonly kind: number;
  readonly blocks: number;
  readonly file: number;
  readonly generation: number;
  readonly truncations: number;
  readonly modifyNs: bigint;
}
export const fileRecord: Layout<FileRecord> = /* @__PURE__ */ layout(
  'fileRecord',
  {
    kind: u16('1 data, 2 index, 3 descriptors, 4 directory log, 5 map, 6 usage, 7 checkpoint'),
    blocks: u16('block records that follow'),
    file: u32('whose blocks they are; 0 for kinds 3 to 7'),
    generation: u32('of the file: with another one in the map they are dead'),
    truncations: u32('of the file: with another count in its map entry they are dead'),
    modifyNs: u64('of the file: the age of its blocks, for the cleaner'),
  },
  { doc: 'blocks of one file in a partial write' },
);

export const deflatedForm = 1;

export interface BlockRecord {
  readonly block: number;
  readonly sectors: number;
  readonly form: number;
  readonly level: number;
}
export const blockRecord: Layout<BlockRecord> = /* @__PURE__ */ layout(
  'blockRecord',
  {
    block: u32(
      'data: number within the file; index: first file block that it leads to; map, usage: its number',
    ),
    sectors: u16(),
    form: u8('0 as it is, 1 deflated'),
    level: u8('of an index block: 1 leads to data, 2 to level 1, 3 to level 2'),
  },
  { doc: 'one block, in the order in which the blocks lie after the first sector' },
);

// ---- blocks with a header ----

export const descriptorsMagic = 0x4445_5343;
export const indexMagic = 0x494e_4458;
export const directoryMagic = 0x4449_5242;
export const directoryLogMagic = 0x444c_4f47;
export const mapMagic = 0x494d_4150;
export const usageMagic = 0x5553_4147;

export interface BlockHeader {
  readonly magic: number;
  readonly checksum: number;
  readonly owner: number;
  readonly generation: number;
  readonly index: number;
  readonly count: number;
}
export const blockHeader: Layout<BlockHeader> = /* @__PURE__ */ layout(
  'blockHeader',
  {
    magic: u32('DESC, INDX, DIRB, DLOG, IMAP or USAG', { base: 16 }),
    checksum: u32('of the block in whole sectors with zero in this place, CRC-32', { base: 16 }),
    owner: u32('file number of an index or directory block, else 0'),
    generation: u32('of that file, else 0'),
    index: u32(
      'first file block that an index block leads to; number of a directory, map or usage block; else 0',
    ),
    count: u32('records that follow; of an index block its level'),
  },
  { doc: 'begins every block that does not hold bytes of a file' },
);

/** Where a block is: 8 bytes; all zeros where there is none. */
export interface Pointer {
  readonly sector: number;
  readonly sectors: number;
  readonly form: number;
}
export const pointer: Layout<Pointer> = /* @__PURE__ */ layout(
  'pointer',
  {
    sector: u32('0: nothing there, reads as zeros'),
    sectors: u16('that it takes; bytes after them are zeros'),
    form: u16('0 as it is, 1 deflated'),
  },
  { doc: 'leads to a block of a file, or to an index block' },
);

export const directPointers = 10;
export const indexLevels = 3;
export const pointersPerBlock: number = (blockBytes - blockHeader.size) / pointer.size;

export interface DescriptorRecord {
  readonly number: number;
  readonly generation: number;
  readonly truncations: number;
  readonly type: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly parent: number;
  readonly version: number;
  readonly sizeBytes: number;
  readonly blockSectors: number;
  readonly deviceHost: number;
  readonly deviceType: number;
  readonly deviceUnit: number;
  readonly modifyNs: bigint;
  readonly changeNs: bigint;
  readonly createNs: bigint;
  readonly accessNs: bigint;
  readonly direct: readonly Pointer[];
  readonly indirect: readonly Pointer[];
}
export const descriptorRecord: Layout<DescriptorRecord> = /* @__PURE__ */ layout(
  'descriptor',
  {
    number: u32('of the file'),
    generation: u32('of the number'),
    truncations: u32('times that the file was cut to nothing'),
    type: u16('index among the file types'),
    mode: u16('permission bits'),
    uid: u32(),
    gid: u32(),
    links: u32('directory entries that lead here; a directory has 2 and one for each subdirectory'),
    parent: u32('of a directory: number of the one that it is in'),
    version: u32('rises when the file is opened for writing'),
    sizeBytes: u32(),
    blockSectors: u32('of one block of this file: 8, 16, 32, 64 or 128'),
    deviceHost: u32(),
    deviceType: u32(),
    deviceUnit: u32(),
    modifyNs: u64('virtual time'),
    changeNs: u64(),
    createNs: u64(),
    accessNs: u64('when the descriptor was written; the map has the newest'),
    direct: array(nested(pointer), directPointers, 'first blocks'),
    indirect: array(nested(pointer), indexLevels, 'index blocks of levels 1, 2 and 3'),
  },
  { doc: 'a file' },
);
export const descriptorBytes: number = descriptorRecord.size;
export const descriptorsPerBlock: number = Math.floor((blockBytes - blockHeader.size) / descriptorBytes);

/** Numbers whose files have no name left and were still in use: recovery frees them. */
export const unlinkedFlag = 1;
export const allocatedFlag = 2;

export interface MapEntry {
  readonly sector: number;
  readonly slot: number;
  readonly flags: number;
  readonly generation: number;
  readonly truncations: number;
  readonly accessNs: bigint;
}
export const mapEntry: Layout<MapEntry> = /* @__PURE__ */ layout(
  'mapEntry',
  {
    sector: u32('of the block that has the descriptor; 0: none'),
    slot: u16('place of the descriptor in that block, from 0'),
    flags: u16('', { flags: { unlinked: unlinkedFlag, allocated: allocatedFlag } }),
    generation: u32('of the number; kept when it is free'),
    truncations: u32('of the file'),
    accessNs: u64('last read, virtual time: here, so that reading rewrites no descriptor'),
  },
  { doc: 'one file number; map block n has numbers from n * 169' },
);
export const mapEntriesPerBlock: number = Math.floor((blockBytes - blockHeader.size) / mapEntry.size);

/** May be written from the checkpoint on that says so. */
export const cleanFlag = 1;
/** A write into it has failed: not used again. */
export const badFlag = 2;

export interface UsageEntry {
  readonly liveBytes: number;
  readonly flags: number;
  readonly youngestNs: bigint;
  readonly writtenNs: bigint;
}
export const usageEntry: Layout<UsageEntry> = /* @__PURE__ */ layout(
  'usageEntry',
  {
    liveBytes: u32(
      'that something leads to: sectors of blocks, 4096 of a map or usage block, 192 of a descriptor',
    ),
    flags: u32('', { flags: { clean: cleanFlag, bad: badFlag } }),
    youngestNs: u64('modify time of the youngest block in it'),
    writtenNs: u64('virtual time at which the log last wrote into it'),
  },
  { doc: 'one segment; usage block n has segments from n * 169' },
);
export const usageEntriesPerBlock: number = Math.floor((blockBytes - blockHeader.size) / usageEntry.size);

export interface DirectoryRecord {
  readonly file: number;
  readonly generation: number;
  readonly nameBytes: number;
}
export const directoryRecord: Layout<DirectoryRecord> = /* @__PURE__ */ layout(
  'directoryRecord',
  {
    file: u32('that the name leads to'),
    generation: u32('of that file'),
    nameBytes: u16('of the name that follows, in UTF-8'),
  },
  { doc: 'one name; "." and ".." are not written down' },
);

// ---- directory operation log ----

export const DirectoryOperation = { create: 1, link: 2, unlink: 3, rename: 4, free: 5 } as const;

export interface DirectoryLogRecord {
  readonly operation: number;
  readonly type: number;
  readonly mode: number;
  readonly sequence: number;
  readonly timeNs: bigint;
  readonly file: number;
  readonly generation: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly directory: number;
  readonly directoryGeneration: number;
  readonly directoryLinks: number;
  readonly nameBytes: number;
  readonly oldNameBytes: number;
}
export const directoryLogRecord: Layout<DirectoryLogRecord> = /* @__PURE__ */ layout(
  'directoryLogRecord',
  {
    operation: u8('1 create, 2 link, 3 unlink, 4 rename, 5 free'),
    type: u8('of the file: index among the file types'),
    mode: u16('of a file that is created'),
    sequence: u32('one more than that of the record before'),
    timeNs: u64('virtual time of the operation'),
    file: u32('that the name leads to, or led to'),
    generation: u32('of that file'),
    links: u32('of the file afterwards'),
    uid: u32('of a file that is created'),
    gid: u32('of a file that is created'),
    directory: u32('that has the name; of a rename the one that has it afterwards'),
    directoryGeneration: u32(),
    directoryLinks: u32('of that directory afterwards'),
    nameBytes: u16('of the name, which follows in UTF-8'),
    oldNameBytes: u16('of a rename: of the old name, which follows the rename part; else 0'),
  },
  { doc: 'one operation on names; stands in the log before every block that shows its effect' },
);

export interface RenamePart {
  readonly from: number;
  readonly fromGeneration: number;
  readonly fromLinks: number;
  readonly replaced: number;
  readonly replacedGeneration: number;
  readonly replacedLinks: number;
}
export const renamePart: Layout<RenamePart> = /* @__PURE__ */ layout(
  'renamePart',
  {
    from: u32('directory that had the old name'),
    fromGeneration: u32(),
    fromLinks: u32('of that directory afterwards'),
    replaced: u32('file that had the new name before; 0: none'),
    replacedGeneration: u32(),
    replacedLinks: u32('of that file afterwards'),
  },
  { doc: 'follows the name in the record of a rename' },
);

// ---- checkpoint ----

export const checkpointMagic = 0x4348_4b50;
/** Written at an orderly halt: nothing follows it. */
export const detachedFlag = 1;
/** No segment. */
export const noSegment = 0xffff_ffff;

export interface Checkpoint {
  readonly magic: number;
  readonly checksum: number;
  readonly serial: number;
  readonly flags: number;
  readonly timeNs: bigint;
  readonly mounts: number;
  readonly segment: number;
  readonly offset: number;
  readonly next: number;
  readonly number: number;
  readonly previous: number;
  readonly sequence: number;
  readonly mapBlocks: number;
  readonly usageBlocks: number;
}
export const checkpoint: Layout<Checkpoint> = /* @__PURE__ */ layout(
  'checkpoint',
  {
    magic: u32('43484b50', { base: 16 }),
    checksum: u32('of the region in whole sectors as far as it is used, with zero in this place, CRC-32', {
      base: 16,
    }),
    serial: u32('the valid region with the higher one counts'),
    flags: u32('', { flags: { detached: detachedFlag } }),
    timeNs: u64('virtual time'),
    mounts: u32('times that the disk has been attached'),
    segment: u32(
      'in which the log goes on; in a block in the log: in which it lies itself, and so on for the next four',
    ),
    offset: u32('sectors from the beginning of that segment'),
    next: u32('segment after that one; ffffffff: none'),
    number: u32('that the next partial write has'),
    previous: u32('checksum of the last summary; 0: none', { base: 16 }),
    sequence: u32('that the next directory log record has'),
    mapBlocks: u32('addresses of map blocks that follow, 4 bytes each; 0: all entries zero'),
    usageBlocks: u32('addresses of usage blocks that follow those; 0: all segments clean'),
  },
  { doc: 'a checkpoint region, or on a medium that is written once a block in the log' },
);
/** One of the addresses after a checkpoint. */
export const address: Layout<{ readonly sector: number }> = /* @__PURE__ */ layout('address', {
  sector: u32(),
});

/** In the order in which one leads to the next. */
export const layouts: readonly LayoutFacts[] = [
  superblock,
  checkpoint,
  address,
  summary,
  fileRecord,
  blockRecord,
  blockHeader,
  mapEntry,
  usageEntry,
  descriptorRecord,
  pointer,
  directoryRecord,
  directoryLogRecord,
  renamePart,
];

const checksumAt = 4;

/** Gives a record or block its checksum, in place: all records here have it in their second word. */
export function seal(bytes: Uint8Array): Uint8Array {
  address.set.sector(bytes, checksumAt, 0);
  address.set.sector(bytes, checksumAt, crc32(bytes));
  return bytes;
}

/** Does its checksum fit? The bytes may belong to somebody else and are not touched. */
export function isSealed(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const rest = crc32(bytes.subarray(8), crc32(zeros, crc32(bytes.subarray(0, checksumAt))));
  return rest === address.get.sector(bytes, checksumAt);
}
const zeros: Uint8Array = new Uint8Array(4);
