/**
 * Slot `disk` (many: `disk.0`, `disk.1`, ...): an array of sectors that survives crashes.
 *
 * A write is atomic per sector only. A crash during a request leaves each of its sectors either old or new, never
 * mixed, in any combination that the drive's order of work allows; the sector under the head is finished. Requests
 * may be served in another order than they were made, except across a `barrier`.
 */
import type { Task } from '@backplane/engine';
import type { Undo } from './vocabulary.ts';

/** A fault in the drive. Rules are asked for each request in the order in which they were added; the first error decides. */
export interface DiskRule {
  readonly name: string;
  judge(operation: 'read' | 'write', sector: number, count: number): 'pass' | 'error';
}

/** Sectors that follow one another, and what they hold: shared with the drive, not to be changed. */
export interface DiskExtent {
  readonly sector: number;
  readonly data: Uint8Array;
}

export interface Disk {
  readonly name: string;
  readonly sectorBytes: number;
  readonly sectors: number;
  /**
   * @param sector first sector, 0 .. sectors - 1
   * @throws KernelError `ioError`, `noSuchSector`
   */
  read(sector: number, count: number): Task<Uint8Array>;
  /**
   * Returns when the device says that the sectors are stored.
   *
   * @param data a multiple of `sectorBytes`; frozen by the call
   * @throws KernelError `ioError` (the sectors are then unknown until rewritten), `noSuchSector`
   */
  write(sector: number, data: Uint8Array): Task<void>;
  /** Returns when every write made before it is stored; none made after it is stored earlier. */
  barrier(): Task<void>;
  /** The content as it is on the medium now: for images, checkers and crash tests. Costs no virtual time. */
  inspect(sector: number, count: number): Uint8Array;
  /** Everything on the medium that is not zeros, in order of sectors: for images. Costs no virtual time. */
  extents(): readonly DiskExtent[];
  addRule(rule: DiskRule): Undo;
  /** Puts content on the medium before virtual time starts: for imported trees and images. */
  load(sector: number, data: Uint8Array): void;
}
