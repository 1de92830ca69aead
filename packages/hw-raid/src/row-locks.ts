/**
 * Locks on ranges of rows: what stands between two reads and two writes that belong together. First come, first served
 * among those that overlap, so nobody starves.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';

export interface RowLock {
  readonly row: number;
  readonly end: number;
  readonly turn: WaitQueue;
  held: boolean;
}

export class RowLocks {
  static {
    tasks(RowLocks);
  }

  /** Held or waiting, in order of arrival. */
  readonly #locks: RowLock[] = [];

  *acquire(row: number, rows: number): Task<RowLock> {
    const lock: RowLock = { row, end: row + rows, turn: new WaitQueue(), held: false };
    this.#locks.push(lock);
    lock.held = !this.#mustWait(lock);
    let got = false;
    try {
      while (!lock.held) yield* lock.turn.wait();
      got = true;
    } finally {
      // Who is cancelled while it waits leaves the line.
      if (!got) this.release(lock);
    }
    return lock;
  }

  release(lock: RowLock): void {
    this.#locks.splice(this.#locks.indexOf(lock), 1);
    for (const waiting of this.#locks) {
      if (waiting.held || this.#mustWait(waiting)) continue;
      waiting.held = true;
      waiting.turn.wakeAll();
    }
  }

  #mustWait(lock: RowLock): boolean {
    for (const earlier of this.#locks) {
      if (earlier === lock) return false;
      if (earlier.row < lock.end && lock.row < earlier.end) return true;
    }
    return false;
  }
}
