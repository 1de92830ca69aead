/** Blocks that have come from outside and wait to be read: packets, keys. A full one loses what comes. */
import { type Task, tasks, WaitQueue } from '@backplane/engine';

export class Inbox {
  static {
    tasks(Inbox);
  }

  readonly #blocksMax: number;
  readonly #blocks: Uint8Array[] = [];
  readonly #waiting: WaitQueue = new WaitQueue();

  constructor(blocksMax: number) {
    this.#blocksMax = blocksMax;
  }

  /** False when there is no room. */
  put(block: Uint8Array): boolean {
    if (this.#blocks.length >= this.#blocksMax) return false;
    this.#blocks.push(block);
    this.#waiting.wakeOne();
    return true;
  }

  /** Waits for one; null when the reader is not open any more. */
  *take(isOpen: () => boolean): Task<Uint8Array | null> {
    while (isOpen()) {
      const block = this.#blocks.shift();
      if (block !== undefined) return block;
      yield* this.#waiting.wait();
    }
    return null;
  }

  /** Who waits looks again whether it is open. */
  wakeAll(): void {
    this.#waiting.wakeAll();
  }
}
