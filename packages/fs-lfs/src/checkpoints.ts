/**
 * Checkpoint regions: where the map and the usage table are, and where the log goes on. Two, used in turn, so that one is
 * always whole. On a medium that is written once a checkpoint is a block in the log.
 */
import { type Task, tasks } from '@backplane/engine';
import type { Disk } from '@backplane/slots';
import { type Geometry, isInSegment, stateSectors } from './geometry.ts';
import {
  address,
  blockSectors,
  type Checkpoint,
  checkpoint,
  checkpointMagic,
  detachedFlag,
  isSealed,
  none,
  regionSector,
  seal,
  sectorBytes,
} from './layouts.ts';
import type { LogPosition } from './log.ts';
import { fromWire, toWire } from './times.ts';

/** A checkpoint in memory. */
export interface State {
  readonly serial: number;
  readonly detached: boolean;
  readonly timeNs: number;
  readonly mounts: number;
  readonly position: LogPosition;
  /** That the next directory log record has. */
  readonly sequence: number;
  /** Sectors of map blocks; `none` for one whose entries are all zero. */
  readonly mapSectors: readonly number[];
  /** Sectors of usage blocks; none at all while every segment is clean. */
  readonly usageSectors: readonly number[];
}

/** In whole sectors. */
export function encodeState(s: State): Uint8Array {
  const bytes = new Uint8Array(stateSectors(s.mapSectors.length, s.usageSectors.length) * sectorBytes);
  checkpoint.encode(
    {
      magic: checkpointMagic,
      checksum: 0,
      serial: s.serial,
      flags: s.detached ? detachedFlag : 0,
      timeNs: toWire(s.timeNs),
      mounts: s.mounts,
      segment: s.position.segment,
      offset: s.position.offset,
      next: s.position.next,
      number: s.position.number,
      previous: s.position.previous,
      sequence: s.sequence,
      mapBlocks: s.mapSectors.length,
      usageBlocks: s.usageSectors.length,
    },
    bytes,
  );
  let at = checkpoint.size;
  for (const sector of [...s.mapSectors, ...s.usageSectors]) {
    address.set.sector(bytes, at, sector);
    at += address.size;
  }
  return seal(bytes);
}

/** Undefined for bytes that are no whole checkpoint, or one that does not fit this disk. */
export function decodeState(bytes: Uint8Array, g: Geometry): State | undefined {
  const c = checkpoint.tryDecode(bytes);
  if (c === undefined || c.magic !== checkpointMagic) return undefined;
  if (c.mapBlocks > g.mapBlocks || c.usageBlocks > g.usageBlocks) return undefined;
  const used = stateSectors(c.mapBlocks, c.usageBlocks) * sectorBytes;
  if (used > bytes.length || !isSealed(bytes.subarray(0, used)) || !fits(c, g)) return undefined;
  const sectors: number[] = [];
  for (let i = 0; i < c.mapBlocks + c.usageBlocks; i++)
    sectors.push(address.get.sector(bytes, checkpoint.size + i * address.size));
  if (!sectors.every((s) => s === none || isInSegment(g, s, blockSectors))) return undefined;
  return {
    serial: c.serial,
    detached: (c.flags & detachedFlag) !== 0,
    timeNs: fromWire(c.timeNs),
    mounts: c.mounts,
    position: {
      segment: c.segment,
      offset: c.offset,
      next: c.next,
      number: c.number,
      previous: c.previous,
    },
    sequence: c.sequence,
    mapSectors: sectors.slice(0, c.mapBlocks),
    usageSectors: sectors.slice(c.mapBlocks),
  };
}

const fits = (c: Checkpoint, g: Geometry): boolean =>
  c.segment < g.segments &&
  c.offset <= g.segmentSectors &&
  (c.usageBlocks === 0 || c.usageBlocks === g.usageBlocks);

export class Regions {
  static {
    tasks(Regions);
  }

  readonly #disk: Disk;
  readonly #geometry: Geometry;
  /** The one that is to be written next. */
  #turn = 0;

  constructor(disk: Disk, geometry: Geometry) {
    this.#disk = disk;
    this.#geometry = geometry;
  }

  /** The newest whole one. @throws KernelError `ioError` when a region cannot be read */
  *read(): Task<State | undefined> {
    const { regionSectors } = this.#geometry;
    const found: (State | undefined)[] = [];
    for (let i = 0; i < 2; i++)
      found.push(
        decodeState(yield* this.#disk.read(regionSector + i * regionSectors, regionSectors), this.#geometry),
      );
    const [one, other] = found;
    this.#turn = one !== undefined && (other === undefined || isNewer(one, other)) ? 1 : 0;
    return found[1 - this.#turn];
  }

  /** Everything that it leads to is on the disk; returns when it is there, too. @throws KernelError `ioError` */
  *write(s: State): Task<void> {
    yield* this.#disk.write(regionSector + this.#turn * this.#geometry.regionSectors, encodeState(s));
    yield* this.#disk.barrier();
    this.#turn = 1 - this.#turn;
  }
}

/** Serial numbers wrap. */
const isNewer = (a: State, b: State): boolean => ((a.serial - b.serial) | 0) > 0;
