/**
 * The cleaner: reads segments that the policy picks, writes again what in them is still live, and lets checkpoints declare
 * them clean: after its last round, or when it lacks clean segments itself, since each of them writes much of the map. It
 * runs when clean segments become few, and on request.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type CleaningPolicy,
  isKernelError,
  KernelError,
  type Machine,
  type SegmentState,
} from '@backplane/slots';
import { decodeNameChanges } from './directory-log.ts';
import { BlockKind } from './layouts.ts';
import { type FoundBlock, LiveBlocks, type LiveBlocksCounts, type LiveBlocksParts } from './live-blocks.ts';
import type { Space } from './space.ts';

export interface CleanerOptions {
  /** Segments cleaned together, whose live blocks are arranged together. */
  readonly segmentsPerRound: number;
  /** Cleaning begins when so many clean segments or fewer are left beside those for checkpoints, and ends at more than twice that. */
  readonly cleanSegmentsLow: number;
  /** Compress blocks of files that were not modified for so long; 0: never. */
  readonly compressAfterNs: number;
}

export interface CleanerParts extends LiveBlocksParts {
  readonly machine: Machine;
  readonly policy: CleaningPolicy;
  readonly space: Space;
}

export interface CleanerCounts extends LiveBlocksCounts {
  segmentsRead: number;
}

export class SegmentCleaner {
  static {
    tasks(SegmentCleaner);
  }

  readonly counts: CleanerCounts = {
    segmentsRead: 0,
    bytesRead: 0,
    bytesMoved: 0,
    blocksCompressed: 0,
  };
  readonly #parts: CleanerParts;
  readonly #options: CleanerOptions;
  readonly #live: LiveBlocks;
  readonly #ended = new WaitQueue();
  /** In this run: segments of which only blocks of the tables are live, until a checkpoint has written these elsewhere. */
  readonly #emptied = new Set<number>();
  #running = false;
  /** What stopped the last run before it had made room. */
  #stopped: KernelError | null = null;

  constructor(parts: CleanerParts, options: CleanerOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#live = new LiveBlocks(parts, this.counts, options.compressAfterNs);
  }

  /** Starts the cleaner if clean segments are few. */
  wake(): void {
    if (!this.#running && this.#isShort && !this.#parts.geometry.writeOnce) this.#start();
  }

  get #isShort(): boolean {
    return this.#parts.usage.cleanSegments <= this.#low;
  }

  /**
   * So that a run can write enough before its checkpoints to win more than these take: from segments of which the share u
   * is live, writing w wins w * (1 - u) / u, and four times what the tables take is enough up to four fifths.
   */
  get #low(): number {
    return this.#options.cleanSegmentsLow + Math.floor(4 * this.#tablesSegments);
  }

  /** The most that a checkpoint takes. */
  get #tablesSegments(): number {
    const { geometry, tables } = this.#parts;
    return tables.bytes / geometry.segmentBytes;
  }

  /**
   * Waits until what is going to become dirty fits into clean segments, cleaning if need be. The caller holds no lock.
   *
   * @throws KernelError `noSpace` when it does not fit, whatever is cleaned; what the disk throws
   */
  *room(bytes: number): Task<void> {
    const { space, commits, geometry } = this.#parts;
    if (!space.holds(bytes)) {
      // Blocks that replace others count twice until they are in the log.
      yield* commits.commitAll();
      if (!space.holds(bytes)) throw new KernelError('noSpace');
    }
    for (let tries = 0; !space.fits(bytes); tries++) {
      if (tries === triesMax || geometry.writeOnce) throw new KernelError('noSpace', 'no clean segments');
      yield* tries % 2 === 0 ? commits.checkpoint() : this.#run();
    }
  }

  /** Cleans once where clean segments are too few, for an operation that is let through whatever comes of it. */
  *relieve(): Task<void> {
    const { space, commits, geometry } = this.#parts;
    if (geometry.writeOnce) return;
    try {
      yield* commits.checkpoint();
      if (!space.fits(0)) yield* this.#run();
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }

  /** Cleans until the policy finds nothing more that is worth it, or nothing is won by it. */
  *cleanAll(): Task<void> {
    const { geometry } = this.#parts;
    if (geometry.writeOnce) return;
    while (this.#running) yield* this.#ended.wait();
    this.#running = true;
    try {
      yield* this.#rounds(geometry.segments);
      yield* this.#ripen();
    } finally {
      this.#end();
    }
  }

  /** Emptied segments are dead after a checkpoint, and dead ones clean after two. */
  *#ripen(): Task<void> {
    if (this.#emptied.size > 0) yield* this.#checkpoint();
    const { usage } = this.#parts;
    for (let i = 0; i < 2 && usage.deadSegments > 0; i++) yield* this.#checkpoint();
  }

  *#checkpoint(): Task<void> {
    yield* this.#parts.commits.checkpoint();
    this.#emptied.clear();
  }

  /** Rounds until so many segments are clean or dead, or two rounds have won none. */
  *#rounds(enough: number): Task<void> {
    let most = this.#won;
    for (let idle = 0; this.#won < enough && idle < 2; ) {
      // What a round writes must fit before what it empties is clean, and so must the checkpoint behind it.
      const { cleanSegments } = this.#parts.usage;
      if (cleanSegments <= this.#options.segmentsPerRound + 1 + this.#tablesSegments) yield* this.#ripen();
      if (!(yield* this.#round())) return;
      idle = this.#won > most ? 0 : idle + 1;
      most = Math.max(most, this.#won);
    }
  }

  /** Segments that are clean, or will be after checkpoints. */
  get #won(): number {
    const { usage } = this.#parts;
    let won = usage.cleanSegments + usage.deadSegments;
    for (const segment of this.#emptied) if (usage.isCandidate(segment)) won++;
    return won;
  }

  /** The disk refuses the log's next write for good: what was on its way is moved like the live blocks of a segment. */
  *rescue(): Task<void> {
    const { log, policy, commits, handles } = this.#parts;
    if (!log.isStuck) return;
    const blocks = log.abandon();
    const found: FoundBlock[] = [];
    try {
      for (const b of blocks)
        if (b.owner.kind === BlockKind.directoryLog) commits.restore(decodeNameChanges(b.bytes) ?? []);
        else yield* this.#live.consider(b, found);
      for (const f of policy.arrange(found)) this.#live.move(f);
    } finally {
      for (const f of found) handles.release(f.handle);
    }
    yield* commits.checkpoint();
    log.forget(blocks);
  }

  *#run(): Task<void> {
    if (!this.#running) this.#start();
    while (this.#running) yield* this.#ended.wait();
    if (this.#stopped !== null && !isKernelError(this.#stopped, 'noSpace')) throw this.#stopped;
  }

  #start(): void {
    this.#running = true;
    this.#stopped = null;
    this.#parts.machine.scope.spawn('lfs.cleaner', this.#clean());
  }

  #end(): void {
    this.#emptied.clear();
    this.#running = false;
    this.#ended.wakeAll();
  }

  *#clean(): Task<void> {
    try {
      yield* this.#rounds(this.#low + this.#options.cleanSegmentsLow + 1);
      yield* this.#ripen();
    } catch (e) {
      // Whoever waits for room hears of it; the next shortage tries again.
      if (!isKernelError(e)) throw e;
      this.#stopped = e;
    } finally {
      this.#end();
    }
  }

  /** Cleans a few segments; false when the policy offers none. */
  *#round(): Task<boolean> {
    const { policy, commits, usage } = this.#parts;
    const atOnce = Math.min(this.#options.segmentsPerRound, usage.cleanSegments - 1);
    const chosen = policy.choose(this.#candidates(), commits.nowNs).slice(0, Math.max(0, atOnce));
    if (chosen.length === 0) return false;
    const found: FoundBlock[] = [];
    try {
      for (const { segment } of chosen) {
        this.counts.segmentsRead++;
        yield* this.#live.survey(segment, found);
      }
      for (const f of policy.arrange(found)) this.#live.move(f);
    } finally {
      for (const f of found) this.#parts.handles.release(f.handle);
    }
    yield* commits.commitAll();
    for (const { segment } of chosen) this.#emptied.add(segment);
    return true;
  }

  #candidates(): readonly SegmentState[] {
    const { usage, geometry } = this.#parts;
    const states: SegmentState[] = [];
    for (let segment = 0; segment < geometry.segments; segment++)
      if (usage.isCandidate(segment) && !this.#emptied.has(segment))
        states.push({
          segment,
          liveBytes: usage.live(segment),
          bytes: geometry.segmentBytes,
          youngestNs: usage.youngestNs(segment),
          writtenNs: usage.writtenNs(segment),
        });
    return states;
  }
}

/** Checkpoints and runs of the cleaner before somebody who wants room is told that there is none. */
const triesMax = 6;
