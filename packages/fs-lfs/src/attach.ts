/**
 * Attaching a disk: an empty one is formatted, of any other the last checkpoint is read and the log after it. On a medium
 * that is written once the checkpoint is looked for in the log.
 */

import type { Task } from '@backplane/engine';
import { damaged } from '@backplane/file-service';
import type { Disk } from '@backplane/slots';
import { decodeState, encodeState, Regions, type State } from './checkpoints.ts';
import { DescriptorMap } from './descriptor-map.ts';
import { diskTooSmall, segmentTooSmall, wrongSectors } from './errors.ts';
import {
  type Geometry,
  geometryOf,
  isSuperblock,
  mapBlocksFor,
  sectorOfSegment,
  segmentSectorsMin,
  stateSectors,
  usageBlocksFor,
} from './geometry.ts';
import {
  BlockKind,
  blockBytes,
  blockHeader,
  blockSectors,
  formatVersion,
  isSealed,
  mapMagic,
  none,
  noSegment,
  regionSector,
  rootNumber,
  seal,
  sectorBytes,
  superblock,
  superblockCopySector,
  superblockMagic,
  superblockSector,
  usageMagic,
  writeOnceFlag,
} from './layouts.ts';
import type { LogPosition } from './log.ts';
import { positionAfter, readTail, type Tail } from './log-tail.ts';
import { writesIn } from './partial-write-reader.ts';
import { toWire } from './times.ts';
import { SegmentUsage } from './usage.ts';

export interface FormatOptions {
  readonly segmentBytes: number;
  readonly bytesPerFile: number;
  readonly writeOnce: boolean;
}

/** A disk as its last checkpoint and the log after it have it. */
export interface Attached {
  readonly geometry: Geometry;
  readonly regions: Regions;
  readonly state: State;
  readonly map: DescriptorMap;
  readonly usage: SegmentUsage;
  readonly tail: Tail;
  /** Where the log goes on. */
  readonly position: LogPosition;
}

/** Segments below which there is no room for a log and its cleaner. */
const segmentsMin = 8;

/** @throws KernelError `ioError` for a damaged disk; BackplaneError for one that cannot be formatted */
export function* attach(disk: Disk, nowNs: number, o: FormatOptions): Task<Attached> {
  if (disk.sectorBytes !== sectorBytes) throw wrongSectors(disk.name, disk.sectorBytes);
  const geometry = yield* findGeometry(disk, nowNs, o);
  const regions = new Regions(disk, geometry);
  const state = geometry.writeOnce ? yield* lastInLog(disk, geometry) : yield* regions.read();
  if (state === undefined) throw damaged('both checkpoint regions');
  const map = new DescriptorMap(geometry);
  const usage = new SegmentUsage(geometry);
  yield* readTables(disk, geometry, state, map, usage);
  const read = (sector: number, count: number): Task<Uint8Array> => disk.read(sector, count);
  const tail = yield* readTail(geometry, state.position, read);
  for (const { segment, writtenNs } of tail.segments) {
    usage.take(segment);
    usage.wrote(segment, writtenNs);
    usage.leave(segment);
  }
  if (geometry.writeOnce) usage.take(tail.position.segment);
  const position = geometry.writeOnce ? yield* afterAll(disk, geometry, tail, usage) : tail.position;
  usage.take(position.segment);
  usage.take(position.next);
  return { geometry, regions, state, map, usage, tail, position };
}

function* findGeometry(disk: Disk, nowNs: number, o: FormatOptions): Task<Geometry> {
  const least = regionSector + 2;
  if (disk.sectors < least) throw diskTooSmall(disk.name, disk.sectors, o.segmentBytes);
  const first = yield* disk.read(superblockSector, 1);
  if (isSuperblock(first)) return geometryOf(first, disk.sectors);
  const copy = yield* disk.read(superblockCopySector, 1);
  if (isSuperblock(copy)) return geometryOf(copy, disk.sectors);
  if (!isBlank(first) || !isBlank(copy)) throw damaged('superblock');
  return geometryOf(format(disk, nowNs, o), disk.sectors);
}

const isBlank = (bytes: Uint8Array): boolean => bytes.every((b) => b === 0);

/** Costs no virtual time: a disk comes formatted. */
function format(disk: Disk, nowNs: number, o: FormatOptions): Uint8Array {
  const segmentSectors = Math.floor(o.segmentBytes / sectorBytes);
  const filesMax = Math.max(
    rootNumber + 1,
    Math.min(disk.sectors, Math.floor((disk.sectors * sectorBytes) / o.bytesPerFile)),
  );
  const roughly = Math.floor(disk.sectors / segmentSectors);
  const regionSectors = o.writeOnce ? 0 : stateSectors(mapBlocksFor(filesMax), usageBlocksFor(roughly));
  const logSector = Math.ceil((regionSector + 2 * regionSectors) / blockSectors) * blockSectors;
  const segments = Math.floor((disk.sectors - logSector) / segmentSectors);
  if (segments < segmentsMin) throw diskTooSmall(disk.name, disk.sectors, o.segmentBytes);
  const least = segmentSectorsMin(segments, filesMax);
  if (segmentSectors < least) throw segmentTooSmall(disk.name, o.segmentBytes, least * sectorBytes);
  const bytes = seal(
    superblock.encode({
      magic: superblockMagic,
      checksum: 0,
      version: formatVersion,
      flags: o.writeOnce ? writeOnceFlag : 0,
      sectorBytes,
      sectors: disk.sectors,
      blockBytes,
      segmentSectors,
      segments,
      logSector,
      regionSectors,
      filesMax,
      createNs: toWire(nowNs),
    }),
  );
  disk.load(superblockSector, bytes);
  disk.load(superblockCopySector, bytes);
  if (!o.writeOnce) disk.load(regionSector, encodeState(beginning(nowNs)));
  return bytes;
}

/** The checkpoint of a disk that has nothing. */
const beginning = (timeNs: number): State => ({
  serial: 1,
  detached: true,
  timeNs,
  mounts: 0,
  position: { segment: 0, offset: 0, next: 1, number: 1, previous: 0 },
  sequence: 0,
  mapSectors: [],
  usageSectors: [],
});

function* readTables(
  disk: Disk,
  g: Geometry,
  state: State,
  map: DescriptorMap,
  usage: SegmentUsage,
): Task<void> {
  const { mapSectors, usageSectors } = state;
  for (const [block, bytes] of yield* readBlocks(disk, mapSectors)) {
    if (!isTable(bytes, mapMagic, block)) throw damaged(`map block ${block}`);
    map.decode(block, bytes);
  }
  if (usageSectors.length === 0) usage.allClean();
  for (const [block, bytes] of yield* readBlocks(disk, usageSectors))
    if (!isTable(bytes, usageMagic, block) || !usage.decode(block, bytes, state.serial))
      throw damaged(`usage block ${block}`);
  if (usageSectors.length > 0 && usageSectors.some((s) => s === none)) throw damaged('usage table');
  map.changed.clear();
  usage.changed.clear();
  if (usageSectors.length === 0) usage.changeAll();
  if (state.mapSectors.length > g.mapBlocks) throw damaged('map');
}

const isTable = (bytes: Uint8Array, magic: number, block: number): boolean =>
  blockHeader.get.magic(bytes, 0) === magic && blockHeader.get.index(bytes, 0) === block && isSealed(bytes);

/** Blocks that lie side by side, as a checkpoint leaves them, are read in one request. */
function* readBlocks(disk: Disk, sectors: readonly number[]): Task<ReadonlyMap<number, Uint8Array>> {
  const found = new Map<number, Uint8Array>();
  const wanted = sectors.flatMap((sector, block) => (sector === none ? [] : [{ sector, block }]));
  wanted.sort((a, b) => a.sector - b.sector);
  for (let from = 0; from < wanted.length; ) {
    let to = from + 1;
    const start = wanted[from]?.sector ?? 0;
    while (
      to < wanted.length &&
      wanted[to]?.sector === start + (to - from) * blockSectors &&
      to - from < runMax
    )
      to++;
    const bytes = yield* disk.read(start, (to - from) * blockSectors);
    for (const [i, { block }] of wanted.slice(from, to).entries())
      found.set(block, bytes.subarray(i * blockBytes, (i + 1) * blockBytes));
    from = to;
  }
  return found;
}
const runMax = 128;

// ---- a medium that is written once ----

/** What a crash has begun to write cannot be written again: the log goes on in the first segment that is blank. */
function* afterAll(disk: Disk, g: Geometry, tail: Tail, usage: SegmentUsage): Task<LogPosition> {
  const { position } = tail;
  let segment = position.segment;
  let blank = segment === 0 && position.offset === 0;
  while (!blank) {
    usage.leave(segment);
    segment++;
    if (segment >= g.segments) return { ...position, offset: g.segmentSectors, next: noSegment };
    usage.take(segment);
    blank = isBlank(yield* disk.read(sectorOfSegment(g, segment), g.segmentSectors));
  }
  return { ...position, segment, offset: 0, next: segment + 1 < g.segments ? segment + 1 : noSegment };
}

/** The last checkpoint in the log, or the beginning. */
function* lastInLog(disk: Disk, g: Geometry): Task<State> {
  // Segments are used in order: those with something in them come before those without.
  let written = 0;
  let blank = g.segments;
  while (blank - written > 1) {
    const middle = Math.floor((written + blank) / 2);
    const first = yield* disk.read(sectorOfSegment(g, middle), 1);
    if (isBlank(first)) blank = middle;
    else written = middle;
  }
  for (let segment = written; segment >= 0; segment--) {
    const state = yield* checkpointIn(disk, g, segment);
    if (state !== undefined) return state;
  }
  return beginning(0);
}

/** The last whole checkpoint in a segment, with the place where the log goes on after it. */
function* checkpointIn(disk: Disk, g: Geometry, segment: number): Task<State | undefined> {
  const all = yield* disk.read(sectorOfSegment(g, segment), g.segmentSectors);
  let found: State | undefined;
  for (const write of writesIn(all, sectorOfSegment(g, segment)))
    for (const b of write.blocks) {
      const state = b.owner.kind === BlockKind.checkpoint ? decodeState(b.bytes, g) : undefined;
      if (state !== undefined) found = { ...state, position: positionAfter(write.summary) };
    }
  return found;
}
