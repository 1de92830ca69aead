/**
 * A counting semaphore (Dijkstra 1965), first in first out: `release` hands its unit to the thread that has waited
 * longest, so nobody overtakes it. Units have no owner: any thread or timer may release.
 */
import { blocker } from './current.ts';
import { badArgument } from './errors.ts';
import { type Op, ready } from './task.ts';
import { WaitList } from './wait-list.ts';

export class Semaphore {
  private count: number;
  private readonly waiting: WaitList = new WaitList();

  /**
   * @param count units that are free at first
   * @throws EngineError BAD_ARGUMENT
   */
  constructor(count: number) {
    if (!Number.isSafeInteger(count) || count < 0)
      throw badArgument('new Semaphore(count)', 'a whole number, not negative', count);
    this.count = count;
  }

  /** Takes a unit; waits for one. @throws EngineError OUTSIDE_THREAD */
  acquire(): Op<void> {
    const t = blocker();
    return this.tryAcquire() ? ready(undefined) : this.waiting.wait(t);
  }

  /** Takes a unit if one is free. */
  tryAcquire(): boolean {
    if (this.count === 0) return false;
    this.count--;
    return true;
  }

  release(): void {
    if (!this.waiting.wakeOne(undefined)) this.count++;
  }
}
