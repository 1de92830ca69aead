/**
 * One collision: who started when, who may still fall in, and when each of them stops (IEEE 802.3 clause 4.2.3.2, on
 * collision detection and enforcement; DIX 1982, data link layer).
 *
 * A station notices the collision when the first foreign bit reaches it, finishes its preamble, and jams. So it is on
 * the wire for at least 96 bits: what two stations side by side lose in a collision is 9.6 us and a gap, not a slot.
 * A station that powers off stays in here without a name, since what it has sent is still travelling.
 */
import type { Port } from './port.ts';
import { jamNs, preambleNs } from './timing.ts';

export class Collision {
  readonly #ports: (Port | null)[] = [];
  readonly #startsNs: number[] = [];
  readonly #positionsNs: number[] = [];
  #count = 0;
  /** Of all of them. */
  #firstStartNs = Number.POSITIVE_INFINITY;
  #leftmostNs = Number.POSITIVE_INFINITY;
  #rightmostNs = Number.NEGATIVE_INFINITY;

  get count(): number {
    return this.#count;
  }

  clear(): void {
    for (let i = 0; i < this.#count; i++) this.#ports[i] = null;
    this.#count = 0;
    this.#firstStartNs = Number.POSITIVE_INFINITY;
    this.#leftmostNs = Number.POSITIVE_INFINITY;
    this.#rightmostNs = Number.NEGATIVE_INFINITY;
  }

  add(port: Port, startNs: number): void {
    this.#ports[this.#count] = port;
    this.#startsNs[this.#count] = startNs;
    this.#positionsNs[this.#count] = port.positionNs;
    this.#count++;
    this.#firstStartNs = Math.min(this.#firstStartNs, startNs);
    this.#leftmostNs = Math.min(this.#leftmostNs, port.positionNs);
    this.#rightmostNs = Math.max(this.#rightmostNs, port.positionNs);
  }

  /** The station that came in as number i; null if it has been switched off since. */
  port(i: number): Port | null {
    return this.#ports[i] ?? null;
  }

  positionNs(i: number): number {
    return this.#positionsNs[i] ?? 0;
  }

  forget(port: Port): void {
    const i = this.#ports.indexOf(port);
    if (i >= 0) this.#ports[i] = null;
  }

  /** The first bit went out. */
  get startNs(): number {
    return this.#firstStartNs;
  }

  /** When a station there hears the first bit of any of them, station number `except` left out. */
  heardAtNs(positionNs: number, except = -1): number {
    let first = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#count; i++) {
      if (i === except) continue;
      const here = (this.#startsNs[i] ?? 0) + Math.abs((this.#positionsNs[i] ?? 0) - positionNs);
      if (here < first) first = here;
    }
    return first;
  }

  /** When station number i falls silent. */
  stopNs(i: number): number {
    const preambleOverNs = (this.#startsNs[i] ?? 0) + preambleNs;
    // The others started before they heard it: within a round trip it hears them, most often in its preamble.
    if (2 * (this.#rightmostNs - this.#leftmostNs) <= preambleNs) return preambleOverNs + jamNs;
    return Math.max(preambleOverNs, this.heardAtNs(this.#positionsNs[i] ?? 0, i)) + jamNs;
  }

  /** When the last of them falls silent. */
  get endNs(): number {
    let last = 0;
    for (let i = 0; i < this.#count; i++) last = Math.max(last, this.stopNs(i));
    return last;
  }
}
