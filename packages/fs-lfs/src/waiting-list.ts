/**
 * The files of which something waits to go into the log, the one that has waited longest first. The list runs through the
 * handles themselves: every file that is made joins it and leaves it again.
 */
import type { Handle } from './handle.ts';

export class WaitingList {
  #first: Handle | null = null;
  #last: Handle | null = null;

  get isEmpty(): boolean {
    return this.#first === null;
  }

  /** A file that is in it keeps its place. */
  add(h: Handle): void {
    if (h.waiting) return;
    h.waiting = true;
    h.waitsAfter = this.#last;
    if (this.#last === null) this.#first = h;
    else this.#last.waitsBefore = h;
    this.#last = h;
  }

  /** Of a file that is not in it, nothing happens. */
  delete(h: Handle): void {
    if (!h.waiting) return;
    const { waitsAfter, waitsBefore } = h;
    if (waitsAfter === null) this.#first = waitsBefore;
    else waitsAfter.waitsBefore = waitsBefore;
    if (waitsBefore === null) this.#last = waitsAfter;
    else waitsBefore.waitsAfter = waitsAfter;
    h.waitsAfter = null;
    h.waitsBefore = null;
    h.waiting = false;
  }

  /** Those that are in it now. */
  all(): readonly Handle[] {
    const all: Handle[] = [];
    for (let h = this.#first; h !== null; h = h.waitsBefore) all.push(h);
    return all;
  }
}
