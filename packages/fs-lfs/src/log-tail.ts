/**
 * What the log has after a checkpoint, read without its files' bytes: the summaries, and the blocks that roll-forward
 * wants.
 *
 * The log has one request at the disk at a time. So of the partial writes that follow one another only the last can be
 * torn, and only of that one everything is read.
 */
import type { Task } from '@backplane/engine';
import { type Geometry, sectorOfSegment } from './geometry.ts';
import {
  BlockKind,
  blockSectors,
  groupEndFlag,
  groupStartFlag,
  isSealed,
  noSegment,
  type Summary,
  sectorBytes,
  summary,
} from './layouts.ts';
import type { LogPosition } from './log.ts';
import { type LoggedBlock, tailSectors } from './partial-write.ts';
import { claimedSectors, type LoggedWrite, readPartialWrite, readSummary } from './partial-write-reader.ts';
import { sectorOf, sectorsOf } from './place.ts';
import { fromWire } from './times.ts';

/** A segment that the log has been in. */
export interface TailSegment {
  readonly segment: number;
  /** When the last partial write into it was closed; 0 when there was none after the checkpoint. */
  readonly writtenNs: number;
}

export interface Tail {
  /** After the last partial write that belongs to the log, whole group or not. */
  readonly position: LogPosition;
  /** Blocks of whole groups, in order; those of descriptors and the directory log with their bytes. */
  readonly blocks: readonly LoggedBlock[];
  /** In the order in which the log went through them. */
  readonly segments: readonly TailSegment[];
  readonly bytes: number;
}

export type ReadSectors = (sector: number, count: number) => Task<Uint8Array>;

/** A partial write in the log. */
interface Followed extends LoggedWrite {
  readonly sector: number;
  /** Its blocks have been seen to be what was written. */
  readonly isWhole: boolean;
}

/** Follows the log from a position to its end. @throws KernelError `ioError` */
export function* readTail(g: Geometry, from: LogPosition, read: ReadSectors): Task<Tail> {
  const writes: Followed[] = [];
  let position = from;
  for (;;) {
    const found = yield* readNext(g, position, read);
    if (found === undefined) break;
    writes.push(found);
    position = positionAfter(found.summary);
  }
  const last = writes.at(-1);
  if (last !== undefined && !last.isWhole && !(yield* isWritten(last, read))) writes.pop();
  return tailOf(from, writes);
}

function tailOf(from: LogPosition, writes: readonly Followed[]): Tail {
  const whole: LoggedBlock[] = [];
  let group: LoggedBlock[] = [];
  const writtenNs = new Map([[from.segment, 0]]);
  let position = from;
  let bytes = 0;
  for (const { summary: s, blocks } of writes) {
    writtenNs.set(s.segment, fromWire(s.timeNs));
    position = positionAfter(s);
    bytes += s.sectors * sectorBytes;
    if ((s.flags & groupStartFlag) !== 0) group = [];
    for (const b of blocks) group.push(b);
    if ((s.flags & groupEndFlag) === 0) continue;
    for (const b of group) whole.push(b);
    group = [];
  }
  const segments = [...writtenNs].map(([segment, atNs]) => ({ segment, writtenNs: atNs }));
  return { position, blocks: whole, segments, bytes };
}

function* isWritten({ summary: s, sector }: Followed, read: ReadSectors): Task<boolean> {
  return readPartialWrite(yield* read(sector, s.sectors), sector) !== undefined;
}

/** Where the log goes on after a partial write. */
export const positionAfter = (s: Summary): LogPosition => ({
  segment: s.segment,
  offset: s.offset + s.sectors,
  next: s.next,
  number: (s.number + 1) >>> 0,
  previous: s.checksum,
});

/** In this segment or at the beginning of the next; a log that is written once may have left out segments after a crash. */
function* readNext(g: Geometry, p: LogPosition, read: ReadSectors): Task<Followed | undefined> {
  const here = yield* readAt(g, p, p.segment, p.offset, read);
  if (here !== undefined || p.next === noSegment) return here;
  for (let segment = p.next; segment < g.segments; segment++) {
    const found = yield* readAt(g, p, segment, 0, read);
    if (found !== undefined || !g.writeOnce) return found;
    const first = yield* read(sectorOfSegment(g, segment), 1);
    if (first.every((b) => b === 0)) break;
  }
  return undefined;
}

/** The partial write that continues the log at that place, if one does. */
function* readAt(
  g: Geometry,
  p: LogPosition,
  segment: number,
  offset: number,
  read: ReadSectors,
): Task<Followed | undefined> {
  const room = g.segmentSectors - offset;
  if (segment === noSegment || segment >= g.segments || room < 1) return undefined;
  const sector = sectorOfSegment(g, segment) + offset;
  // Most partial writes are short: one request often has all of it.
  const first = yield* read(sector, Math.min(room, 2 * blockSectors));
  const sectors = claimedSectors(first, room);
  if (sectors === 0) return undefined;
  const isWhole = sectors * sectorBytes <= first.length;
  const write = isWhole
    ? readPartialWrite(first.subarray(0, sectors * sectorBytes), sector)
    : yield* readOutline(first, sector, sectors, read);
  if (write === undefined) return undefined;
  const { summary: s } = write;
  const continues =
    s.segment === segment &&
    s.offset === offset &&
    s.number === p.number &&
    s.previous === p.previous &&
    (s.next < g.segments || s.next === noSegment);
  return continues ? { ...write, sector, isWhole } : undefined;
}

/** The summary, and the blocks that roll-forward wants, in as few requests as they lie side by side. */
function* readOutline(
  first: Uint8Array,
  sector: number,
  sectors: number,
  read: ReadSectors,
): Task<LoggedWrite | undefined> {
  const tail = tailSectors(summary.get.bytes(first, 0));
  const text = new Uint8Array((1 + tail) * sectorBytes);
  text.set(first.subarray(0, sectorBytes));
  if (tail > 0) text.set(yield* read(sector + sectors - tail, tail), sectorBytes);
  const outline = isSealed(text) ? readSummary(text, sector, () => unread) : undefined;
  if (outline === undefined) return undefined;
  const blocks = [...outline.blocks];
  for (let from = 0; from < blocks.length; ) {
    let to = from;
    let count = 0;
    for (let b = blocks[to]; b !== undefined && isWanted(b); b = blocks[++to]) count += sectorsOf(b.place);
    const [start] = blocks.slice(from, to);
    if (start === undefined) {
      from++;
      continue;
    }
    const bytes = yield* read(sectorOf(start.place), count);
    for (let i = from, at = 0; i < to; i++) {
      const b = blocks[i] ?? start;
      const end = at + sectorsOf(b.place) * sectorBytes;
      const content = bytes.subarray(at, end);
      if (!isSealed(content)) return undefined;
      blocks[i] = { ...b, bytes: content };
      at = end;
    }
    from = to;
  }
  return { summary: outline.summary, blocks };
}

const isWanted = ({ owner: { kind } }: LoggedBlock): boolean =>
  kind === BlockKind.descriptors || kind === BlockKind.directoryLog;
const unread: Uint8Array = new Uint8Array(0);
