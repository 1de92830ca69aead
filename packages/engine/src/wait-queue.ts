/**
 * A queue of waiting threads without a lock: for code that is atomic between its blocking calls, which all code of a
 * thread is. Test and wait with no blocking call in between, and no wake-up is lost.
 *
 *   while (!page.here) yield* page.arrived.wait();
 *
 * A woken thread runs when its turn comes; another may have run before it, so test again.
 */
import { blocker } from './current.ts';
import type { Op } from './task.ts';
import { WaitList } from './wait-list.ts';

export class WaitQueue<T = void> {
  private readonly waiting: WaitList = new WaitList();

  /** Threads that wait. */
  get length(): number {
    return this.waiting.length;
  }

  /**
   * Always blocks.
   *
   * @param timeoutNs at most this long; for ever when left out
   * @returns what the waker brings; undefined when the time ran out
   * @throws EngineError OUTSIDE_THREAD, BAD_TIME
   */
  wait(timeoutNs: number = Infinity): Op<T | undefined> {
    const t = blocker();
    t.limit(timeoutNs, undefined);
    return this.waiting.wait(t);
  }

  /** Wakes the thread that has waited longest; false when nobody waits (`v` is then lost). */
  wakeOne(v: T): boolean {
    return this.waiting.wakeOne(v);
  }

  /** Wakes all that wait, in order. */
  wakeAll(v: T): void {
    this.waiting.wakeAll(v);
  }
}
