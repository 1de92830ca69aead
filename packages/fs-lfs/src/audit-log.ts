/**
 * Partial writes, read from outside. One that is valid says who it is: its segment, its place there, its number, and the
 * checksum of the one before. What is left over from an earlier life of the segment says something else.
 */
import { crc32 } from '@backplane/wire';
import type { Surface } from './audit-surface.ts';
import { hasMagic, sectorsFor } from './audit-surface.ts';
import {
  type BlockRecord,
  blockRecord,
  type FileRecord,
  fileRecord,
  groupEndFlag,
  groupStartFlag,
  isSealed,
  noSegment,
  type Summary,
  sectorBytes,
  summary,
  summaryMagic,
} from './layouts.ts';

/** A block that a summary lists, and where it lies. */
export interface ListedBlock {
  readonly file: FileRecord;
  readonly record: BlockRecord;
  readonly sector: number;
}

export interface PartialWrite {
  /** First sector on the disk. */
  readonly sector: number;
  readonly summary: Summary;
  readonly blocks: readonly ListedBlock[];
  /** The summary's bytes without those of the blocks between them. */
  readonly text: Uint8Array;
}

/** Which partial write is meant: none but this one counts. */
export interface Expected {
  readonly number: number;
  readonly previous: number;
}

export interface LogPlace {
  readonly segment: number;
  readonly offset: number;
}

/** What came before it without an end does not count. */
export const startsGroup = (w: PartialWrite): boolean => (w.summary.flags & groupStartFlag) !== 0;

export const endsGroup = (w: PartialWrite): boolean => (w.summary.flags & groupEndFlag) !== 0;

/** The partial write at a place, if its summary is valid. Its blocks have not been looked at. */
function partialWriteAt(
  surface: Surface,
  { segment, offset }: LogPlace,
  expected: Expected | null,
): PartialWrite | null {
  const room = surface.plan.segmentSectors - offset;
  const sector = surface.sectorOf(segment) + offset;
  if (room < 1 || surface.segmentOf(sector) !== segment) return null;
  const first = surface.read(sector, 1);
  if (first === null || !hasMagic(first, summaryMagic)) return null;
  const s = summary.decode(first);
  const tail = sectorsFor(Math.max(0, s.bytes - sectorBytes));
  const isMeant =
    s.segment === segment &&
    s.offset === offset &&
    (expected === null || (s.number === expected.number && s.previous === expected.previous));
  if (!isMeant || s.sectors > room || s.bytes < summary.size || s.sectors < 1 + tail) return null;
  const rest = tail === 0 ? noBytes : surface.read(sector + s.sectors - tail, tail);
  if (rest === null) return null;
  const text = new Uint8Array(sectorBytes + rest.length);
  text.set(first);
  text.set(rest, sectorBytes);
  if (!isSealed(text)) return null;
  const blocks = listed(text.subarray(0, s.bytes), s, sector, s.sectors - tail);
  return blocks === null ? null : { sector, summary: s, blocks, text };
}

const noBytes = new Uint8Array(0);

/** @param end sectors of the partial write that are the summary's first or blocks */
function listed(text: Uint8Array, s: Summary, sector: number, end: number): readonly ListedBlock[] | null {
  const blocks: ListedBlock[] = [];
  let at = summary.size;
  let within = 1;
  for (let r = 0; r < s.records; r++) {
    const file = fileRecord.tryDecode(text, at);
    if (file === undefined) return null;
    at += fileRecord.size;
    for (let i = 0; i < file.blocks; i++, at += blockRecord.size) {
      const record = blockRecord.tryDecode(text, at);
      if (record === undefined || record.sectors === 0 || within + record.sectors > end) return null;
      blocks.push({ file, record, sector: sector + within });
      within += record.sectors;
    }
  }
  return at === text.length && within === end ? blocks : null;
}

const chunkSectors = 128;

/** Do the blocks have the checksum that the summary says? */
export function hasItsBlocks(surface: Surface, w: PartialWrite): boolean {
  const end = w.sector + w.summary.sectors - sectorsFor(Math.max(0, w.summary.bytes - sectorBytes));
  let sum = 0;
  for (let at = w.sector + 1; at < end; at += chunkSectors) {
    const bytes = surface.read(at, Math.min(chunkSectors, end - at));
    if (bytes === null) return false;
    sum = crc32(bytes, sum);
  }
  return sum === w.summary.blocksChecksum;
}

/** What follows it. */
export const after = (w: PartialWrite): Expected => ({
  number: (w.summary.number + 1) >>> 0,
  previous: w.summary.checksum,
});

/**
 * The partial writes of a segment from its beginning, as far as each is what follows the one before. Each takes sectors of
 * its own, so there are not more than the segment has.
 */
export function* segmentWrites(surface: Surface, segment: number): Iterable<PartialWrite> {
  let expected: Expected | null = null;
  for (let offset = 0; ; ) {
    const w = partialWriteAt(surface, { segment, offset }, expected);
    if (w === null) return;
    yield w;
    expected = after(w);
    offset += w.summary.sectors;
  }
}

/** Where the log went on when something was known of it. */
export interface LogEnd extends LogPlace, Expected {
  /** Segment after that one; `noSegment`: none. */
  readonly next: number;
}

/** Where the log goes on behind a partial write. */
export const endOf = (w: PartialWrite): LogEnd => ({
  segment: w.summary.segment,
  offset: w.summary.offset + w.summary.sectors,
  next: w.summary.next,
  ...after(w),
});

/**
 * The partial writes that follow a place, from segment to segment, as far as they are whole. It ends: a place holds one
 * number, and the numbers rise.
 */
export function* writesFrom(surface: Surface, from: LogEnd): Iterable<PartialWrite> {
  let end = from;
  for (;;) {
    const w = partialWriteAt(surface, end, end) ?? inNextSegment(surface, end);
    if (w === null || !hasItsBlocks(surface, w)) return;
    yield w;
    end = endOf(w);
  }
}

/** What is written once cannot be written over: a segment that a power failure has spoilt is left out. */
function inNextSegment(surface: Surface, { next, ...expected }: LogEnd): PartialWrite | null {
  const last = surface.isOnce ? surface.plan.segments - 1 : next;
  if (next === noSegment) return null;
  for (let segment = next; segment <= last; segment++) {
    const w = partialWriteAt(surface, { segment, offset: 0 }, expected);
    if (w !== null) return w;
  }
  return null;
}
