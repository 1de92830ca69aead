/**
 * A lock, handed over first in, first out: `release` makes the thread that has waited longest the owner, so nobody
 * overtakes it and nobody starves.
 *
 * Rules of use: release in `finally`; a timer may `tryAcquire` and `release`, on nobody's behalf. Not recursive. A lock
 * must not span machines: a crashed owner never releases.
 */
import { blocker, current } from './current.ts';
import { alreadyHeld, notHeld } from './errors.ts';
import { type Op, ready } from './task.ts';
import type { Retaken, Thread } from './thread.ts';
import { WaitList } from './wait-list.ts';

export class Mutex implements Retaken {
  private locked = false;
  /** Null when free, or when a timer holds it. */
  private owner: Thread | null = null;
  private readonly waiting: WaitList = new WaitList();

  get held(): boolean {
    return this.locked;
  }

  /** @throws EngineError OUTSIDE_THREAD, ALREADY_HELD */
  acquire(): Op<void> {
    const t = blocker();
    if (!this.locked) {
      this.locked = true;
      this.owner = t;
      return ready(undefined);
    }
    if (this.owner === t) throw alreadyHeld(t.where);
    return this.waiting.wait(t);
  }

  /** Takes the lock if it is free. */
  tryAcquire(): boolean {
    if (this.locked) return false;
    this.locked = true;
    this.owner = current.thread;
    return true;
  }

  /** @throws EngineError NOT_HELD */
  release(): void {
    const by = current.thread;
    if (!this.locked || (by !== null && by !== this.owner)) throw notHeld(by === null ? 'a timer' : by.where);
    const next = this.waiting.shift();
    this.owner = next;
    if (next === null) this.locked = false;
    else next.handOver();
  }

  /** @internal @throws EngineError NOT_HELD */
  mustBeHeldBy(t: Thread): void {
    if (this.owner !== t) throw notHeld(t.where);
  }

  /** @internal For a thread that comes out of a condition: it goes on as owner, now or when its turn comes. */
  retake(t: Thread): boolean {
    if (this.locked) {
      this.waiting.push(t);
      return false;
    }
    this.locked = true;
    this.owner = t;
    return true;
  }
}
