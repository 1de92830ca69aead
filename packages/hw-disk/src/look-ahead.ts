/**
 * The drive's own memory: after a read it goes on reading what follows, as far as its memory and the cylinder reach, until
 * it is needed elsewhere. A later read that lies within is served from there: no arm, no rotation, unless its last sector
 * has not yet passed.
 */
import type { Geometry } from './geometry.ts';
import { type Arm, Timeline } from './timeline.ts';

type Extend = (t: Timeline, sector: number, count: number, arm: Arm, fromNs: number) => void;

export class LookAhead {
  readonly #geometry: Geometry;
  readonly #sectors: number;
  readonly #sectorsMax: number;
  readonly #extend: Extend;
  #timeline: Timeline | null = null;
  /** Where the heads are while they read ahead; they stay on the cylinder. */
  #arm: Arm = { cylinder: 0, head: 0 };
  /** What is or will be there: from .. to - 1. */
  #from = 0;
  #to = 0;

  /** @param sectors how many the memory holds; 0: it never has any */
  constructor(geometry: Geometry, sectors: number, sectorsMax: number, extend: Extend) {
    this.#geometry = geometry;
    this.#sectors = sectors;
    this.#sectorsMax = sectorsMax;
    this.#extend = extend;
  }

  holds(sector: number, count: number): boolean {
    return this.#timeline !== null && sector >= this.#from && sector + count <= this.#to;
  }

  /** When a sector that it holds is there. */
  availableNs(sector: number): number {
    return this.#timeline?.doneNs(sector) ?? Infinity;
  }

  /** A read of what lies before `sector` has ended, from the medium or from here: goes on from there. */
  follow(sector: number, arm: Arm, nowNs: number): void {
    if (this.#sectors === 0) return;
    const g = this.#geometry;
    if (this.#timeline === null) {
      this.#timeline = new Timeline(g, nowNs);
      this.#arm = { ...arm };
      this.#to = sector;
    }
    this.#from = sector;
    const cylinderEnd = (this.#arm.cylinder + 1) * g.sectorsPerCylinder;
    const to = Math.min(sector + this.#sectors, cylinderEnd, this.#sectorsMax);
    if (to <= this.#to) return;
    this.#extend(this.#timeline, this.#to, to - this.#to, this.#arm, nowNs);
    this.#to = to;
  }

  drop(): void {
    this.#timeline = null;
  }
}
