/**
 * The segment usage table: how many live bytes each segment has, and which may be written.
 *
 *   segment      event                                     next
 *   clean        the log goes on in it                     in use
 *   in use       its last live byte goes, the log has left it, and a checkpoint says so    dead
 *   dead         the next checkpoint says that it is clean, and is on the disk             clean
 *   in use       a write into it fails for good            bad
 *
 * A dead segment waits for two checkpoints, so that whichever region survives leads to whole structures only.
 */
import { assert } from '@backplane/slots';
import type { Geometry } from './geometry.ts';
import { segmentOfSector } from './geometry.ts';
import {
  badFlag,
  blockBytes,
  blockHeader,
  cleanFlag,
  noSegment,
  seal,
  usageEntriesPerBlock,
  usageEntry,
  usageMagic,
} from './layouts.ts';
import { fromWire, toWire } from './times.ts';

export class SegmentUsage {
  readonly #geometry: Geometry;
  readonly #liveBytes: Uint32Array;
  readonly #youngestNs: Float64Array;
  readonly #writtenNs: Float64Array;
  readonly #clean: Uint8Array;
  readonly #bad: Uint8Array;
  /** The checkpoint that first had it without live bytes; 0: none did. */
  readonly #deadSince: Uint32Array;
  /** Segments that the log writes or will write next. */
  readonly #held = new Set<number>();
  /** Usage blocks that differ from those on the disk. */
  readonly changed: Set<number> = new Set();
  /** Segments that become clean when the checkpoint under way is on the disk. */
  #ripening: readonly number[] = [];
  #cleanCount = 0;
  liveBytes = 0;

  constructor(geometry: Geometry) {
    const { segments } = geometry;
    this.#geometry = geometry;
    this.#liveBytes = new Uint32Array(segments);
    this.#youngestNs = new Float64Array(segments);
    this.#writtenNs = new Float64Array(segments);
    this.#clean = new Uint8Array(segments);
    this.#bad = new Uint8Array(segments);
    this.#deadSince = new Uint32Array(segments);
  }

  get cleanSegments(): number {
    return this.#cleanCount;
  }

  /** Segments that cost nothing to reuse, once checkpoints have said so. */
  get deadSegments(): number {
    let dead = 0;
    for (let s = 0; s < this.#geometry.segments; s++) if (this.#isDead(s)) dead++;
    return dead;
  }

  live(segment: number): number {
    return this.#liveBytes[segment] ?? 0;
  }

  youngestNs(segment: number): number {
    return this.#youngestNs[segment] ?? 0;
  }

  writtenNs(segment: number): number {
    return this.#writtenNs[segment] ?? 0;
  }

  isClean(segment: number): boolean {
    return this.#clean[segment] === 1;
  }

  /** May it be cleaned: written, left by the log, and with something live in it? */
  isCandidate(segment: number): boolean {
    return !this.isClean(segment) && !this.#held.has(segment) && this.live(segment) > 0;
  }

  /** @param ageNs modify time of what the bytes hold */
  add(sector: number, bytes: number, ageNs: number): void {
    const segment = segmentOfSector(this.#geometry, sector);
    this.#liveBytes[segment] = this.live(segment) + bytes;
    this.#youngestNs[segment] = Math.max(this.youngestNs(segment), ageNs);
    this.liveBytes += bytes;
    this.#touch(segment);
  }

  remove(sector: number, bytes: number): void {
    const segment = segmentOfSector(this.#geometry, sector);
    const left = this.live(segment) - bytes;
    assert(left >= 0, 'storage', `segment ${segment} has fewer live bytes than go`);
    this.#liveBytes[segment] = left;
    this.liveBytes -= bytes;
    this.#touch(segment);
  }

  // ---- for the log ----

  /** A clean segment for the log, the first after that one; `noSegment` when there is none. Its ages begin anew. */
  hold(after: number): number {
    const { segments } = this.#geometry;
    for (let i = 1; i <= segments; i++) {
      const s = (after + i) % segments;
      if (!this.isClean(s) || this.#held.has(s)) continue;
      this.take(s);
      return s;
    }
    return noSegment;
  }

  /** The log has this segment, now or next, whatever its state was: recovery finds it so. */
  take(segment: number): void {
    if (segment === noSegment) return;
    this.#held.add(segment);
    if (this.isClean(segment)) this.#youngestNs[segment] = 0;
    this.#setClean(segment, false);
    this.#deadSince[segment] = 0;
  }

  /** The log has added something to it at that time. Usage blocks say so when they are next encoded for another reason. */
  wrote(segment: number, atNs: number): void {
    this.#writtenNs[segment] = Math.max(this.writtenNs(segment), atNs);
  }

  /** The log has left it. */
  leave(segment: number): void {
    this.#held.delete(segment);
  }

  fail(segment: number): void {
    this.#bad[segment] = 1;
    this.#setClean(segment, false);
    this.#touch(segment);
  }

  // ---- checkpoints ----

  /**
   * Before the usage blocks of checkpoint `serial` are encoded: which segments it declares dead, which clean. None ever, on a
   * medium that is written once.
   */
  ripen(serial: number): void {
    const ripe: number[] = [];
    if (this.#geometry.writeOnce) return;
    for (let s = 0; s < this.#geometry.segments; s++) {
      if (!this.#isDead(s)) continue;
      const since = this.#deadSince[s] ?? 0;
      if (since === 0) this.#deadSince[s] = serial;
      else if (since < serial) {
        ripe.push(s);
        this.#touch(s);
      }
    }
    this.#ripening = ripe;
  }

  /** The checkpoint is on the disk. */
  ripe(): void {
    for (const s of this.#ripening) {
      this.#setClean(s, true);
      this.#deadSince[s] = 0;
    }
    this.#ripening = [];
  }

  encode(block: number, into: Uint8Array): void {
    into.fill(0);
    const from = block * usageEntriesPerBlock;
    const to = Math.min(this.#geometry.segments, from + usageEntriesPerBlock);
    blockHeader.encode(
      { magic: usageMagic, checksum: 0, owner: 0, generation: 0, index: block, count: to - from },
      into,
    );
    const ripening = new Set(this.#ripening);
    for (let s = from; s < to; s++) {
      const clean = this.isClean(s) || ripening.has(s);
      usageEntry.encode(
        {
          liveBytes: this.live(s),
          flags: (clean ? cleanFlag : 0) | (this.#bad[s] === 1 ? badFlag : 0),
          youngestNs: toWire(this.youngestNs(s)),
          writtenNs: toWire(this.writtenNs(s)),
        },
        into,
        blockHeader.size + (s - from) * usageEntry.size,
      );
    }
    seal(into);
  }

  /** What a checkpoint's usage block says; everything dead in it was dead at that checkpoint. */
  decode(block: number, bytes: Uint8Array, serial: number): boolean {
    const from = block * usageEntriesPerBlock;
    const to = Math.min(this.#geometry.segments, from + usageEntriesPerBlock);
    for (let s = from; s < to; s++) {
      const at = blockHeader.size + (s - from) * usageEntry.size;
      const flags = usageEntry.get.flags(bytes, at);
      const live = usageEntry.get.liveBytes(bytes, at);
      if (live > this.#geometry.segmentBytes || ((flags & cleanFlag) !== 0 && live > 0)) return false;
      this.#liveBytes[s] = live;
      this.liveBytes += live;
      this.#youngestNs[s] = fromWire(usageEntry.get.youngestNs(bytes, at));
      this.#writtenNs[s] = fromWire(usageEntry.get.writtenNs(bytes, at));
      this.#bad[s] = (flags & badFlag) === 0 ? 0 : 1;
      this.#setClean(s, (flags & cleanFlag) !== 0);
      this.#deadSince[s] = !this.isClean(s) && live === 0 ? serial : 0;
    }
    return true;
  }

  /** A disk that was never written. */
  allClean(): void {
    for (let s = 0; s < this.#geometry.segments; s++) this.#setClean(s, true);
  }

  changeAll(): void {
    for (let b = 0; b < this.#geometry.usageBlocks; b++) this.changed.add(b);
  }

  #isDead(s: number): boolean {
    return !this.isClean(s) && !this.#held.has(s) && this.live(s) === 0 && this.#bad[s] !== 1;
  }

  #setClean(s: number, clean: boolean): void {
    if (this.isClean(s) === clean) return;
    this.#clean[s] = clean ? 1 : 0;
    this.#cleanCount += clean ? 1 : -1;
    this.#touch(s);
  }

  #touch(s: number): void {
    this.changed.add(Math.floor(s / usageEntriesPerBlock));
  }
}

/** Bytes of a map or usage block that count as live. */
export const tableBlockBytes: number = blockBytes;
