/**
 * An unbounded queue of messages between threads, first in first out on both sides: messages in order of `send`,
 * receivers in order of `receive`.
 *
 * `send` never blocks, so timers may call it. A message is handed to a waiting receiver at once: it is not lost if that
 * thread is cancelled before its turn (cancel strikes at its next block), but it is if the thread crashes.
 */
import { blocker } from './current.ts';
import { Ring } from './ring.ts';
import { type Op, ready } from './task.ts';
import { WaitList } from './wait-list.ts';

export class Channel<T> {
  private readonly messages: Ring<T> = new Ring();
  private readonly receivers: WaitList = new WaitList();

  /** Messages that nobody has received. */
  get length(): number {
    return this.messages.length;
  }

  send(x: T): void {
    if (!this.receivers.wakeOne(x)) this.messages.push(x);
  }

  /** The oldest message; waits for one. @throws EngineError OUTSIDE_THREAD */
  receive(): Op<T> {
    const t = blocker();
    if (this.messages.length === 0) return this.receivers.wait(t);
    return ready(this.messages.shift() as T); // boundary: it has one
  }

  /** The oldest message, or undefined when there is none. */
  tryReceive(): T | undefined {
    return this.messages.shift();
  }
}
