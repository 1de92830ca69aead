/**
 * One instance of an object whose blocks come one after the other (Cheriton 1987).
 *
 *   the block asked for     answer
 *   the next one            from the object, when it has one; kept
 *   the last one again      the same bytes: the answer was lost, or part of the block was left
 *   any other               `notSeekable`
 *
 * Writing is numbered alike; a block written again is not written. Who writes `atEnd` does not number: several who share an
 * instance, each with a stream of its own, do so.
 */
import { Mutex, type Task, tasks } from '@backplane/engine';
import { KernelError } from '@backplane/slots';
import type { BlockPosition } from './operations.ts';
import type { UioObject } from './uio-object.ts';

export class Sequence {
  static {
    tasks(Sequence);
  }

  readonly #object: UioObject;
  readonly #reading: Mutex = new Mutex();
  readonly #writing: Mutex = new Mutex();
  #last: Uint8Array | null = null;
  nextRead = 0;
  nextWrite = 0;

  constructor(object: UioObject) {
    this.#object = object;
  }

  *read({ block, first }: BlockPosition, count: number): Task<Uint8Array | null> {
    const { read } = this.#object;
    if (read === undefined) throw new KernelError('badHandle', 'not open for reading');
    yield* this.#reading.acquire();
    try {
      if (block === this.nextRead - 1 && this.#last !== null)
        return this.#last.subarray(first, first + count);
      if (block !== this.nextRead) throw new KernelError('notSeekable', `block ${block}`);
      const bytes = yield* read.call(this.#object, { block, first: 0 }, this.#object.blockBytes);
      if (bytes === null) return null;
      this.#last = bytes;
      this.nextRead++;
      return bytes.subarray(first, first + count);
    } finally {
      this.#reading.release();
    }
  }

  /** Returns the block that is next. */
  *write(at: BlockPosition | 'end', bytes: Uint8Array): Task<BlockPosition> {
    const { write } = this.#object;
    if (write === undefined) throw new KernelError('badHandle', 'not open for writing');
    yield* this.#writing.acquire();
    try {
      const block = at === 'end' ? this.nextWrite : at.block;
      if (at !== 'end' && at.first !== 0) throw new KernelError('badArgument', 'a block from its middle');
      if (block !== this.nextWrite && block !== this.nextWrite - 1)
        throw new KernelError('notSeekable', `block ${block}`);
      if (block === this.nextWrite) {
        yield* write.call(this.#object, { block, first: 0 }, bytes);
        this.nextWrite++;
      }
      return { block: this.nextWrite, first: 0 };
    } finally {
      this.#writing.release();
    }
  }
}
