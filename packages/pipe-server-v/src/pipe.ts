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
 *
 * A pipe that is found by name begins without ends: as long as no writer has been there, a read waits for one; as long as no
 * reader has, writes go in until it is full, and the blocks stay for the reader when the writer has gone. With the last of
 * its readers what is left in it goes, and when nobody has it open any more it begins anew.
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
  readonly #named: boolean;
  /** Has anybody been at this side? Of a pipe without a name: yes, it is made with both ends. */
  readonly #came: Record<Side, boolean>;
  /** Who waits at a side. */
  readonly #waiting: { readonly [S in Side]: WaitQueue } = { read: new WaitQueue(), write: new WaitQueue() };

  constructor(blocksMax: number, found: 'by ends' | 'named' = 'by ends') {
    this.#blocksMax = blocksMax;
    this.#named = found === 'named';
    this.#came = { read: !this.#named, write: !this.#named };
  }

  enter(side: Side): void {
    this.#ends[side]++;
    this.#came[side] = true;
  }

  leave(side: Side): void {
    this.#ends[side]--;
    if (this.#named) this.#forget();
    // Whoever waited in this end has to leave it, and the other side may wait in vain from now on.
    this.#waiting.read.wakeAll();
    this.#waiting.write.wakeAll();
  }

  #forget(): void {
    if (this.#ends.read > 0 || !this.#came.read) return;
    this.#blocks.length = 0;
    if (this.#ends.write === 0) this.#came.read = this.#came.write = false;
  }

  /** Is there nobody at this side any more, for whom the other one might wait? */
  #isDone(side: Side): boolean {
    return this.#ends[side] === 0 && this.#came[side];
  }

  /** Whether who comes to this side now would not have to wait. */
  isReady(side: Side): boolean {
    return side === 'read'
      ? this.#blocks.length > 0 || this.#isDone('write')
      : this.#blocks.length < this.#blocksMax || this.#isDone('read');
  }

  /** Null at the end, and when the reader's own end is gone. */
  *take(isOpen: () => boolean): Task<Uint8Array | null> {
    while (isOpen()) {
      const block = this.#blocks.shift();
      if (block !== undefined) {
        this.#waiting.write.wakeOne();
        return block;
      }
      if (this.#isDone('write')) return null;
      yield* this.#waiting.read.wait();
    }
    return null;
  }

  /** @throws KernelError `brokenPipe` when nobody will read it; `badHandle` when the writer's own end is gone */
  *put(block: Uint8Array, isOpen: () => boolean): Task<void> {
    for (;;) {
      if (!isOpen()) throw new KernelError('badHandle', 'released');
      if (this.#isDone('read')) throw new KernelError('brokenPipe');
      if (this.#blocks.length < this.#blocksMax) break;
      yield* this.#waiting.write.wait();
    }
    this.#blocks.push(block);
    this.#waiting.read.wakeOne();
  }
}
