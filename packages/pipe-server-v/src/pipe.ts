/**
 * One pipe: blocks in a line, with writers at one side and readers at the other.
 *
 *   state             a read                          a write
 *   empty             waits                           goes in
 *   some              takes the first block           goes in
 *   full              takes the first block           waits
 *   no writer left    the blocks that are there,      -
 *                     then the end
 *   no reader left    -                               `brokenPipe`
 *
 * Blocks stay as they were written: a short one is read as a short one. Who waits in an end that is released returns.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { KernelError } from '@backplane/slots';

export type Side = 'read' | 'write';

export class Pipe {
  static {
    tasks(Pipe);
  }

  readonly #blocksMax: number;
  readonly #blocks: Uint8Array[] = [];
  readonly #ends: Record<Side, number> = { read: 0, write: 0 };
  /** Who waits at a side. */
  readonly #waiting: { readonly [S in Side]: WaitQueue } = { read: new WaitQueue(), write: new WaitQueue() };

  constructor(blocksMax: number) {
    this.#blocksMax = blocksMax;
  }

  enter(side: Side): void {
    this.#ends[side]++;
  }

  leave(side: Side): void {
    this.#ends[side]--;
    // Whoever waited in this end has to leave it, and the other side may wait in vain from now on.
    this.#waiting.read.wakeAll();
    this.#waiting.write.wakeAll();
  }

  /** Whether who comes to this side now would not have to wait. */
  isReady(side: Side): boolean {
    return side === 'read'
      ? this.#blocks.length > 0 || this.#ends.write === 0
      : this.#blocks.length < this.#blocksMax || this.#ends.read === 0;
  }

  /** Null at the end, and when the reader's own end is gone. */
  *take(isOpen: () => boolean): Task<Uint8Array | null> {
    while (isOpen()) {
      const block = this.#blocks.shift();
      if (block !== undefined) {
        this.#waiting.write.wakeOne();
        return block;
      }
      if (this.#ends.write === 0) return null;
      yield* this.#waiting.read.wait();
    }
    return null;
  }

  /** @throws KernelError `brokenPipe` when nobody will read it; `badHandle` when the writer's own end is gone */
  *put(block: Uint8Array, isOpen: () => boolean): Task<void> {
    for (;;) {
      if (!isOpen()) throw new KernelError('badHandle', 'released');
      if (this.#ends.read === 0) throw new KernelError('brokenPipe');
      if (this.#blocks.length < this.#blocksMax) break;
      yield* this.#waiting.write.wait();
    }
    this.#blocks.push(block);
    this.#waiting.read.wakeOne();
  }
}
