/**
 * What still fits. Two limits: the disk holds so many live bytes and no more, whatever is cleaned; and what is dirty now
 * must fit into segments that are clean now, or nothing could be brought to the disk without cleaning first, which itself
 * needs clean segments. Who is going to make something dirty asks first, and waits for the cleaner if it must.
 */
import type { Geometry } from './geometry.ts';
import type { Handle } from './handle.ts';
import { blockBytes } from './layouts.ts';
import type { Log } from './log.ts';
import type { SegmentUsage } from './usage.ts';

/** What a change of names or attributes may put into the log: descriptor, directory block, log record, their summary. */
export const nameBytes: number = 2 * blockBytes;

/** The segment that the log is in, the one that it goes to next, and one that is being emptied: they tell on a small disk. */
const heldSegments = 3;
/**
 * Of a segment, live bytes, however well it is cleaned: summaries, the directory log and old tables take the rest. A margin,
 * and no measurement: disks of 16 to 60 segments that are filled to it can still be written on.
 */
const filledShare = 0.88;
/** Bytes in the log for each that is dirty: summaries, index blocks, segments that are not filled to the last sector. */
const logShare = 1.1;
/** Dirty bytes that one operation on names leaves: its record, a descriptor, a share of a directory block. */
const namedBytes = 512;

export interface SpaceParts {
  readonly geometry: Geometry;
  readonly usage: SegmentUsage;
  readonly log: Log;
  /** The most that a checkpoint writes of the map and the usage table. */
  readonly tablesBytes: () => number;
}

export class Space {
  readonly #geometry: Geometry;
  readonly #usage: SegmentUsage;
  readonly #tablesBytes: () => number;
  readonly #log: Log;
  /** Segments that only the cleaner and checkpoints may use. */
  readonly #reserveBytes: number;
  readonly #capacityBytes: number;
  /** Cached blocks that wait to go into the log, and what goes with them. */
  #dirtyBlocks = 0;
  /** The same for names and attributes since the last checkpoint. */
  #nameBytes = 0;

  constructor(
    { geometry, usage, log, tablesBytes }: SpaceParts,
    o: { readonly reserve: number; readonly utilisationMax: number },
  ) {
    this.#geometry = geometry;
    this.#usage = usage;
    this.#log = log;
    this.#tablesBytes = tablesBytes;
    this.#reserveBytes = o.reserve * geometry.segmentBytes;
    const segments = geometry.segments - o.reserve;
    const fillable = Math.max(
      0,
      Math.min(segments * o.utilisationMax, (segments - heldSegments) * filledShare),
    );
    this.#capacityBytes = Math.floor(fillable * geometry.segmentBytes);
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  get freeBytes(): number {
    return Math.max(0, this.#capacityBytes - this.#usage.liveBytes - this.#dirtyBytes);
  }

  /** Is there any place for so much more, once everything is cleaned? */
  holds(bytes: number): boolean {
    return this.#usage.liveBytes + this.#dirtyBytes + bytes <= this.#capacityBytes;
  }

  /** Is there clean space for so much more now? */
  fits(bytes: number): boolean {
    const needed = this.#dirtyBytes + bytes;
    return needed * logShare <= this.#cleanBytes - this.#reserveBytes - this.#tablesBytes();
  }

  get #cleanBytes(): number {
    return this.#usage.cleanSegments * this.#geometry.segmentBytes + Math.max(0, this.#log.roomBytes);
  }

  /** How many blocks of the file are dirty may have changed. */
  count(h: Handle): void {
    const dirty = h.gone ? 0 : h.dirtyBlocks;
    this.#dirtyBlocks += dirty - h.dirtyCounted;
    h.dirtyCounted = dirty;
  }

  named(): void {
    this.#nameBytes += namedBytes;
  }

  /** Names, descriptors and directories are in the log. */
  allNamed(): void {
    this.#nameBytes = 0;
  }

  get #dirtyBytes(): number {
    return this.#dirtyBlocks * blockBytes + this.#nameBytes;
  }
}
