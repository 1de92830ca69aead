/**
 * One processor's ready queue: bursts in order of priority, and of arrival among equals. Who ran last and has not blocked
 * goes before his equals, since a process that computes on after a system call has not given the processor away.
 */
import type { Burst } from './burst.ts';

export class ReadyQueue {
  /** Sorted. As short as the machine has threads that want to run. */
  readonly #bursts: Burst[] = [];

  get length(): number {
    return this.#bursts.length;
  }

  add(burst: Burst): void {
    let at = this.#bursts.length;
    while (at > 0 && goesBefore(burst, this.#bursts[at - 1] as Burst)) at--; // boundary: at is within the array
    this.#bursts.splice(at, 0, burst);
  }

  /** The first that may run at all; `unblocked` is the burst's thread that ran here last. */
  take(unblocked: (b: Burst) => boolean): Burst | undefined {
    const [first] = this.#bursts;
    if (first === undefined || first.stopped) return undefined;
    let at = 0;
    for (const [i, burst] of this.#bursts.entries()) {
      if (burst.priority !== first.priority) break;
      if (unblocked(burst)) at = i;
    }
    return this.#bursts.splice(at, 1)[0];
  }

  /** The one that a better supplied processor would take from here: the last that may run. */
  takeLast(): Burst | undefined {
    const at = this.#bursts.findLastIndex((b) => !b.stopped);
    return at < 0 ? undefined : this.#bursts.splice(at, 1)[0];
  }

  remove(burst: Burst): boolean {
    const at = this.#bursts.indexOf(burst);
    if (at < 0) return false;
    this.#bursts.splice(at, 1);
    return true;
  }

  hasBetterThan(priority: number): boolean {
    const [first] = this.#bursts;
    return first !== undefined && !first.stopped && first.priority < priority;
  }

  /** Those that may run. */
  get willing(): number {
    let n = 0;
    for (const burst of this.#bursts) if (!burst.stopped) n++;
    return n;
  }
}

const goesBefore = (a: Burst, b: Burst): boolean =>
  a.priority < b.priority || (a.priority === b.priority && a.order < b.order);
