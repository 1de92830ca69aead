/**
 * A lock that many may share or one has alone, first come first served: nobody overtakes who waits, so neither kind
 * starves.
 *
 *   holders   asks to share       asks to have it alone   given back by the last
 *   none      shared              alone                   -
 *   shared    shared, if nobody   waits                   the first that waits gets it; with one that
 *             waits                                       shares, all that share directly behind it
 *   alone     waits               waits                   as above
 *
 * Rules of use: give it back in `finally`; not recursive.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';

interface Waiting {
  readonly alone: boolean;
  granted: boolean;
  readonly woken: WaitQueue;
}

export class SharedLock {
  static {
    tasks(SharedLock);
  }

  /** How many share it; -1 when one has it alone. */
  #holders = 0;
  readonly #waiting: Waiting[] = [];

  tryShare(): boolean {
    if (this.#holders < 0 || this.#waiting.length > 0) return false;
    this.#holders++;
    return true;
  }

  *share(): Task<void> {
    if (!this.tryShare()) yield* this.#wait(false);
  }

  *takeAlone(): Task<void> {
    if (this.#holders === 0 && this.#waiting.length === 0) this.#holders = -1;
    else yield* this.#wait(true);
  }

  /** One that shared it, or the one that had it alone, is done. */
  giveBack(): void {
    this.#holders = this.#holders < 0 ? 0 : this.#holders - 1;
    this.#grant();
  }

  *#wait(alone: boolean): Task<void> {
    const w: Waiting = { alone, granted: false, woken: new WaitQueue() };
    this.#waiting.push(w);
    try {
      while (!w.granted) yield* w.woken.wait();
    } finally {
      // Cancelled while it waited: whoever stood behind it may go on.
      if (!w.granted) {
        this.#waiting.splice(this.#waiting.indexOf(w), 1);
        this.#grant();
      }
    }
  }

  #grant(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (first.alone ? this.#holders !== 0 : this.#holders < 0) return;
      this.#holders = first.alone ? -1 : this.#holders + 1;
      first.granted = true;
      this.#waiting.shift();
      first.woken.wakeAll();
    }
  }
}
