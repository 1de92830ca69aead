/**
 * A request laid out in time before it begins: when each of its sectors passes under its head. One timer then does for the
 * whole of it, and a power failure in the middle knows which sectors were done.
 */
import type { Geometry } from './geometry.ts';
import type { SeekCurve } from './seek-curve.ts';

/** A run of sectors on one track. */
interface Stretch {
  readonly sector: number;
  readonly count: number;
  readonly slot: number;
  /** The first sector comes under the head. */
  readonly startNs: number;
}

/** Where the arm is. */
export interface Arm {
  cylinder: number;
  head: number;
}

export class Timeline {
  readonly #geometry: Geometry;
  readonly #stretches: Stretch[] = [];
  seekNs = 0;
  rotationNs = 0;
  /** The last sector is done. */
  endNs: number;

  constructor(geometry: Geometry, fromNs: number) {
    this.#geometry = geometry;
    this.endNs = fromNs;
  }

  /** Adds sectors at the end; leaves the arm where the last of them is. Nothing happens before `fromNs`. */
  add(
    sector: number,
    count: number,
    arm: Arm,
    o: { readonly fromNs: number; readonly seeks: SeekCurve; readonly headSwitchNs: number },
  ): void {
    const g = this.#geometry;
    if (o.fromNs > this.endNs) this.endNs = o.fromNs;
    for (let left = count, s = sector; left > 0; ) {
      const cylinder = g.cylinderOf(s);
      const head = g.headOf(s);
      let moveNs = 0;
      if (cylinder !== arm.cylinder) moveNs = o.seeks.ns(Math.abs(cylinder - arm.cylinder));
      else if (head !== arm.head) moveNs = o.headSwitchNs;
      arm.cylinder = cylinder;
      arm.head = head;
      const slot = g.slotOf(s);
      const waitNs = g.waitNs(this.endNs + moveNs, slot);
      const startNs = this.endNs + moveNs + waitNs;
      const here = Math.min(left, g.leftOnTrack(s));
      this.#stretches.push({ sector: s, count: here, slot, startNs });
      this.seekNs += moveNs;
      this.rotationNs += waitNs;
      this.endNs = startNs + g.slotNs(slot + here) - g.slotNs(slot);
      s += here;
      left -= here;
    }
  }

  /** When a sector has passed; Infinity for one that is not in the timeline. */
  doneNs(sector: number): number {
    for (const t of this.#stretches) {
      if (sector < t.sector || sector >= t.sector + t.count) continue;
      const g = this.#geometry;
      return t.startNs + g.slotNs(t.slot + sector - t.sector + 1) - g.slotNs(t.slot);
    }
    return Infinity;
  }

  /** Sectors, from the first, that had come under the head before an instant. The one under it then is counted. */
  begunBy(atNs: number): number {
    const g = this.#geometry;
    let begun = 0;
    for (const t of this.#stretches) {
      for (let i = 0; i < t.count; i++) {
        if (t.startNs + g.slotNs(t.slot + i) - g.slotNs(t.slot) >= atNs) return begun;
        begun++;
      }
    }
    return begun;
  }
}
