/**
 * Threads that wait for one thing, first in first out: a doubly linked list through the threads themselves.
 *
 * A thread waits for one thing at a time, so it carries the links. Whoever times out, is cancelled or dies leaves in
 * O(1): a list never holds a thread that no longer waits in it, and waiting allocates nothing.
 */
import type { Op } from './task.ts';
import type { Thread } from './thread.ts';

export class WaitList {
  private first: Thread | null = null;
  private last: Thread | null = null;
  private count = 0;

  get length(): number {
    return this.count;
  }

  /** The running thread waits here. `yield*` on it gives what the waker brings. */
  wait<T>(t: Thread): Op<T> {
    this.push(t);
    return t.block();
  }

  push(t: Thread): void {
    const { last } = this;
    t.waitsIn = this;
    t.waitsAfter = last;
    if (last === null) this.first = t;
    else last.waitsBefore = t;
    this.last = t;
    this.count++;
  }

  /** The thread that has waited longest leaves the list; null when nobody waits. Whoever calls it wakes it. */
  shift(): Thread | null {
    const t = this.first;
    if (t !== null) this.remove(t);
    return t;
  }

  remove(t: Thread): void {
    const { waitsAfter: ahead, waitsBefore: behind } = t;
    if (ahead === null) this.first = behind;
    else ahead.waitsBefore = behind;
    if (behind === null) this.last = ahead;
    else behind.waitsAfter = ahead;
    t.waitsIn = t.waitsAfter = t.waitsBefore = null;
    this.count--;
  }

  /** Wakes the thread that has waited longest. False when nobody waits. */
  wakeOne(value: unknown): boolean {
    const t = this.shift();
    if (t === null) return false;
    t.wake(value);
    return true;
  }

  wakeAll(value: unknown): void {
    while (this.wakeOne(value));
  }
}
