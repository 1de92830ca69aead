/** Writes between barriers: those made after one begin when all that were made before it have ended. */
import { type Task, tasks, WaitQueue } from '@backplane/engine';

export class Order {
  static {
    tasks(Order);
  }

  #epoch = 0;
  /** Writes that have not ended, by epoch, in order of epochs. */
  readonly #open = new Map<number, number>();
  readonly #progress = new WaitQueue();

  /** A write is made. Returns its epoch. */
  enter(): number {
    this.#open.set(this.#epoch, (this.#open.get(this.#epoch) ?? 0) + 1);
    return this.#epoch;
  }

  leave(epoch: number): void {
    const left = (this.#open.get(epoch) ?? 0) - 1;
    if (left > 0) {
      this.#open.set(epoch, left);
      return;
    }
    this.#open.delete(epoch);
    this.#progress.wakeAll();
  }

  /** Returns when no write of an earlier epoch is left. */
  *turn(epoch: number): Task<void> {
    while (this.#oldest() < epoch) yield* this.#progress.wait();
  }

  /** Returns when every write that was made before has ended. */
  *barrier(): Task<void> {
    yield* this.turn(++this.#epoch);
  }

  #oldest(): number {
    for (const epoch of this.#open.keys()) return epoch;
    return Infinity;
  }
}
