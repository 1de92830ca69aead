/**
 * Writes on their way from one file's cached blocks to its server: what the daemons (biod) of an NFS client carry.
 *
 * The block cache hands a block over and takes it for clean at once. Neighbours are joined into one transfer. A transfer
 * goes out on a daemon of its own; when all are busy, whoever brought it carries it himself. A server that is silent is
 * waited for without limit; an error is kept, and reported by the next write, sync or close.
 *
 *   block      event                                 next
 *   -          handed over                           held
 *   held       its transfer is full, or last         sending
 *   held       what comes next is no neighbour       sending
 *   held       somebody wants it, or all             sending
 *   sending    answered, or refused                  -
 *
 * A block that is being sent is not handed over a second time until it is answered: a server could carry out the two in
 * the other order.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { isKernelError, type KernelError } from '@backplane/slots';
import { persist } from './client-parts.ts';
import type { NfsFile } from './nfs-file.ts';
import { write } from './procedures.ts';

interface Transfer {
  readonly first: number;
  readonly blocks: Uint8Array[];
}

export class WriteBehind {
  static {
    tasks(WriteBehind);
  }

  readonly #file: NfsFile;
  #held: Transfer | null = null;
  readonly #sending = new Set<number>();
  readonly #changed = new WaitQueue();
  #error: KernelError | null = null;

  constructor(file: NfsFile) {
    this.#file = file;
  }

  get isEmpty(): boolean {
    return this.#held === null && this.#sending.size === 0;
  }

  /** Takes a block over. @param last no other block will come soon */
  *take(block: number, bytes: Uint8Array, last: boolean): Task<void> {
    const { blockBytes } = this.#file.parts.blockCache;
    const unit = this.#file.parts.transferBytes / blockBytes;
    for (;;) {
      const held = this.#held;
      if (held !== null && (block % unit === 0 || block !== held.first + held.blocks.length))
        yield* this.push();
      else if (this.#sending.has(block)) yield* this.#changed.wait();
      else break;
    }
    if (this.#held === null) this.#held = { first: block, blocks: [bytes] };
    else this.#held.blocks.push(bytes);
    if (last || (block + 1) % unit === 0 || bytes.length < blockBytes) yield* this.push();
  }

  /** Sends what is held. Returns when a daemon has it, or when it is answered. */
  *push(): Task<void> {
    const transfer = this.#held;
    if (transfer === null) return;
    this.#held = null;
    for (let i = 0; i < transfer.blocks.length; i++) this.#sending.add(transfer.first + i);
    const { daemons, machine } = this.#file.parts;
    if (daemons.free > 0) {
      daemons.free--;
      machine.scope.spawn('nfs.daemon', this.#carry(transfer));
    } else yield* this.#send(transfer);
  }

  /** Returns when nothing is held or being sent. */
  *drain(): Task<void> {
    while (!this.isEmpty) {
      if (this.#held !== null) yield* this.push();
      else yield* this.#changed.wait();
    }
  }

  /** Returns when the server has this block, if it was on its way. */
  *settled(block: number): Task<void> {
    for (;;) {
      const held = this.#held;
      if (held !== null && block >= held.first && block < held.first + held.blocks.length) yield* this.push();
      else if (this.#sending.has(block)) yield* this.#changed.wait();
      else return;
    }
  }

  /** The first error since it was last reported. */
  takeError(): KernelError | null {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  *#carry(transfer: Transfer): Task<void> {
    try {
      yield* this.#send(transfer);
    } finally {
      this.#file.parts.daemons.free++;
    }
  }

  *#send({ first, blocks }: Transfer): Task<void> {
    const file = this.#file;
    const { parts } = file;
    try {
      const at = first * parts.blockCache.blockBytes;
      // Never more than the file has now, or a late block would make a file grow that was cut.
      const bytes = joined(blocks).subarray(0, Math.max(0, file.sizeBytes - at));
      const stepBytes = Math.min(parts.transferBytes, parts.transport.maxDataBytes);
      for (let from = 0; from < bytes.length; from += stepBytes) {
        const data = bytes.subarray(from, from + stepBytes);
        const record = { file: file.id, at: at + from, who: file.writer };
        parts.counters.writes++;
        parts.counters.bytesWritten += data.length;
        file.written(yield* persist(parts, file.server, write, { record, data }));
      }
    } catch (e) {
      if (!isKernelError(e)) throw e;
      parts.counters.writeErrors++;
      this.#error ??= e;
    } finally {
      for (let i = 0; i < blocks.length; i++) this.#sending.delete(first + i);
      this.#changed.wakeAll();
    }
  }
}

/** All blocks but the last are full. */
function joined(blocks: readonly Uint8Array[]): Uint8Array {
  const [only] = blocks;
  if (blocks.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(blocks.reduce((sum, b) => sum + b.length, 0));
  let at = 0;
  for (const b of blocks) {
    bytes.set(b, at);
    at += b.length;
  }
  return bytes;
}
