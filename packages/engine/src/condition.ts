/**
 * A condition variable of a monitor, Mesa style (Lampson and Redell 1980): a wake-up is a hint, so test again.
 *
 *   yield* lock.acquire();
 *   try { while (count === 0) yield* notEmpty.wait(); count--; } finally { lock.release(); }
 *
 * `wait` releases the mutex and takes it back before it returns, also when it timed out or the thread was cancelled
 * (its `finally` holds the lock again). A thread that is signalled competes for the mutex when its turn comes; until
 * then another may take it. `signal` and `broadcast` do not need the lock, and may come from a timer.
 */
import { blocker } from './current.ts';
import type { Mutex } from './mutex.ts';
import type { Op } from './task.ts';
import { WaitList } from './wait-list.ts';

export class Condition {
  private readonly mutex: Mutex;
  private readonly waiting: WaitList = new WaitList();

  constructor(m: Mutex) {
    this.mutex = m;
  }

  /**
   * @param timeoutNs at most this long; for ever when left out
   * @returns false when the time ran out
   * @throws EngineError OUTSIDE_THREAD, NOT_HELD, BAD_TIME
   */
  wait(timeoutNs: number = Infinity): Op<boolean> {
    const t = blocker();
    this.mutex.mustBeHeldBy(t);
    t.limit(timeoutNs, false);
    this.mutex.release();
    t.takeBackLater(this.mutex);
    return this.waiting.wait(t);
  }

  /** Wakes the thread that has waited longest, if any. */
  signal(): void {
    this.waiting.wakeOne(true);
  }

  /** Wakes all that wait, in order. */
  broadcast(): void {
    this.waiting.wakeAll(true);
  }
}
