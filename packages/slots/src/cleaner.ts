/**
 * Slot `cleaner`: the policy by which a log-structured storage makes room. It says which segments are worth cleaning
 * and in which order their live blocks are written again; it reads and writes nothing itself.
 *
 * The storage asks when it runs short of clean segments. Segments without live bytes are never offered: they are reused
 * without being read. A policy that offers nothing makes the storage append until it is full.
 */

/** A segment that may be cleaned. */
export interface SegmentState {
  readonly segment: number;
  /** Bytes in it that something still leads to: more than 0. */
  readonly liveBytes: number;
  /** Bytes that a segment holds. */
  readonly bytes: number;
  /** Virtual time at which the youngest of its blocks was written by a program, however often it has been moved since. */
  readonly youngestNs: number;
  /** Virtual time at which the log last wrote into it: what lies in it has not been moved since. */
  readonly writtenNs: number;
}

/** A live block in a segment that is being cleaned. */
export interface LiveBlock {
  readonly file: number;
  /** Within the file; -1 for what is not file data. */
  readonly block: number;
  readonly bytes: number;
  /** When its file was last modified, as far as the log knows. */
  readonly modifyNs: number;
}

export interface CleaningPolicy {
  /** Segments to be cleaned, the best first; the storage cleans a few of them and asks again. May leave any out. */
  choose(candidates: readonly SegmentState[], nowNs: number): readonly SegmentState[];
  /** Live blocks of the segments of one round in the order in which they are to be written: a permutation. */
  arrange<B extends LiveBlock>(blocks: readonly B[]): readonly B[];
}
