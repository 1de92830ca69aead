/**
 * Requests that wait for the arm, and which goes next.
 *
 *   policy  next
 *   fifo    the oldest
 *   sstf    the nearest cylinder (shortest seek time first)
 *   scan    the nearest cylinder in the direction of the last seek; at the last one in that direction it turns (elevator)
 *
 * Whatever the policy, nothing overtakes a barrier, and nothing that touches the same sectors unless both only read.
 */
import type { Request } from './request.ts';

export const policyNames = ['scan', 'sstf', 'fifo'] as const;
export type Policy = (typeof policyNames)[number];

export class RequestQueue {
  readonly #policy: Policy;
  /** In order of arrival, so that epochs do not fall. */
  readonly #waiting: Request[] = [];
  #upwards = true;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Of the oldest that waits; Infinity when none does. */
  get epoch(): number {
    return this.#waiting[0]?.epoch ?? Infinity;
  }

  push(r: Request): void {
    this.#waiting.push(r);
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  /** Takes the next one out; undefined when none waits. */
  take(armCylinder: number): Request | undefined {
    if (this.#waiting.length <= 1 || this.#policy === 'fifo') return this.#waiting.shift();
    if (this.#policy === 'sstf')
      return this.#remove(this.#nearest((r) => Math.abs(r.cylinder - armCylinder)));
    const ahead = (r: Request): number =>
      this.#upwards ? r.cylinder - armCylinder : armCylinder - r.cylinder;
    let found = this.#nearest(ahead);
    if (found < 0) {
      this.#upwards = !this.#upwards;
      found = this.#nearest(ahead);
    }
    return this.#remove(found);
  }

  /** Index of the request that may go now and has the least distance, none negative; -1 for none. */
  #nearest(distance: (r: Request) => number): number {
    let best = -1;
    let least = Infinity;
    for (const [i, r] of this.#waiting.entries()) {
      if (r.epoch !== this.epoch) break;
      const d = distance(r);
      if (d >= 0 && d < least && !this.#mustWait(i, r)) {
        best = i;
        least = d;
      }
    }
    return best;
  }

  #mustWait(index: number, r: Request): boolean {
    for (let i = 0; i < index; i++) if (this.#waiting[i]?.conflictsWith(r)) return true;
    return false;
  }

  #remove(index: number): Request | undefined {
    return this.#waiting.splice(index, 1)[0];
  }
}
