/**
 * Writes that are on their way to the disk. Whoever frees blocks waits for them: a late one must not land on what has been
 * given to somebody else, and a disk may serve requests in any order.
 */
import { type Task, WaitQueue } from '@backplane/engine';

export class InFlight {
  /** Numbers of the writes under way, oldest first. */
  readonly #writes = new Set<number>();
  readonly #landed = new WaitQueue();
  #next = 0;

  begin(): number {
    this.#writes.add(this.#next);
    return this.#next++;
  }

  end(write: number): void {
    this.#writes.delete(write);
    if (this.#landed.length > 0) this.#landed.wakeAll();
  }

  /** Returns when all that are under way now have ended. */
  *landed(): Task<void> {
    const before = this.#next;
    while (this.#oldest() < before) yield* this.#landed.wait();
  }

  #oldest(): number {
    for (const write of this.#writes) return write;
    return Infinity;
  }
}
