/**
 * When the last signal ends at each point of the cable. Positions are in nanoseconds of propagation from one end, so
 * that a distance is a time and all of it is integers.
 *
 * A signal that ends at its source x at time e is over at y at e + |x - y|. After a collision there are several
 * sources, and the last counts: max(e + |x - y|) = max(max(e - x) + y, max(e + x) - y). Two numbers tell it all.
 */
import { gapNs } from './timing.ts';

export class Carrier {
  #rightwardNs = Number.NEGATIVE_INFINITY;
  #leftwardNs = Number.NEGATIVE_INFINITY;

  /** A new signal is to end: forgets the one before. */
  clear(): void {
    this.#rightwardNs = Number.NEGATIVE_INFINITY;
    this.#leftwardNs = Number.NEGATIVE_INFINITY;
  }

  /** One of its sources stops at that time. */
  end(positionNs: number, endNs: number): void {
    if (endNs - positionNs > this.#rightwardNs) this.#rightwardNs = endNs - positionNs;
    if (endNs + positionNs > this.#leftwardNs) this.#leftwardNs = endNs + positionNs;
  }

  /** From when on a station there may send: the signal has passed and the gap after it is over. */
  freeAtNs(positionNs: number): number {
    return Math.max(this.#rightwardNs + positionNs, this.#leftwardNs - positionNs) + gapNs;
  }
}
