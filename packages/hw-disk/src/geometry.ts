/** Where sectors lie: along a track, then from head to head, then from cylinder to cylinder. And where they are at an instant. */
import type { DriveFigures } from './profile.ts';

export class Geometry {
  readonly heads: number;
  readonly sectorsPerTrack: number;
  readonly sectorsPerCylinder: number;
  /** One revolution, in whole nanoseconds. */
  readonly revolutionNs: number;
  readonly #trackSkew: number;
  readonly #cylinderSkew: number;
  readonly #phaseNs: number;

  /** @param phaseNs where the platters stand at time 0 */
  constructor(figures: DriveFigures, revolutionNs: number, phaseNs: number) {
    this.heads = figures.heads;
    this.sectorsPerTrack = figures.sectorsPerTrack;
    this.sectorsPerCylinder = figures.heads * figures.sectorsPerTrack;
    this.revolutionNs = revolutionNs;
    this.#trackSkew = figures.trackSkewSectors;
    this.#cylinderSkew = figures.cylinderSkewSectors + (figures.heads - 1) * figures.trackSkewSectors;
    this.#phaseNs = phaseNs;
  }

  cylinderOf(sector: number): number {
    return Math.floor(sector / this.sectorsPerCylinder);
  }

  headOf(sector: number): number {
    return Math.floor(sector / this.sectorsPerTrack) % this.heads;
  }

  /** Sectors from this one to the end of its track, itself included. */
  leftOnTrack(sector: number): number {
    return this.sectorsPerTrack - (sector % this.sectorsPerTrack);
  }

  /** Which of the track's places the sector has, counted from the index mark: skew turns whole tracks. */
  slotOf(sector: number): number {
    const skew = this.cylinderOf(sector) * this.#cylinderSkew + this.headOf(sector) * this.#trackSkew;
    return ((sector % this.sectorsPerTrack) + skew) % this.sectorsPerTrack;
  }

  /** From the index mark to the start of a place; places count on beyond one revolution. */
  slotNs(slot: number): number {
    return Math.floor((slot * this.revolutionNs) / this.sectorsPerTrack);
  }

  /** From an instant until the start of a place passes under the heads. */
  waitNs(atNs: number, slot: number): number {
    const positionNs = (atNs + this.#phaseNs) % this.revolutionNs;
    const waitNs = this.slotNs(slot) - positionNs;
    return waitNs < 0 ? waitNs + this.revolutionNs : waitNs;
  }
}
