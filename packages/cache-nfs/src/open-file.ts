/**
 * One open file of a client. Reads and writes go through cached blocks; whole transfers leave for the server as soon as they
 * are written, the rest by the time of the close, which waits for all of it: whoever opens the file afterwards, on
 * whatever host, sees it. This host's own files have no second cache here: the storage has one.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import { attributesOf, type Locks } from '@backplane/file-service';
import {
  type AttributeChange,
  type Attributes,
  Busy,
  type Credentials,
  KernelError,
  type LockMode,
  type ObjectRef,
  type OpenHow,
  type OpenObject,
  type Plain,
  type Position,
  type Ready,
  type StreamId,
  type Traits,
  type Waiter,
} from '@backplane/slots';
import { persist } from './client-parts.ts';
import { plainOf } from './moving.ts';
import type { NfsFile, SillyName } from './nfs-file.ts';
import { setAttributes, setSize, write } from './procedures.ts';

const always: Ready = { read: true, write: true, exception: false };

/** What the table is told of an open that ends. */
export interface Closing {
  closed(f: NfsFile): Task<void>;
  departed(f: NfsFile): void;
}

export class OpenFile implements OpenObject {
  static {
    tasks(OpenFile);
  }

  readonly ref: ObjectRef;
  readonly how: OpenHow;
  readonly traits: Traits;
  readonly #file: NfsFile;
  readonly #who: Credentials;
  /** Locks bind the processes of one host: the protocol has none. */
  readonly #locks: Locks;
  readonly #lockOwners = new Set<StreamId>();
  readonly #table: Closing;
  #isClosed = false;
  #describedSilly: SillyName | null = null;

  constructor(file: NfsFile, ref: ObjectRef, how: OpenHow, who: Credentials, locks: Locks, table: Closing) {
    this.#file = file;
    this.ref = ref;
    this.how = how;
    this.#who = who;
    this.#locks = locks;
    this.#table = table;
    this.traits = {
      blockBytes: file.parts.transferBytes,
      seekable: true,
      sharedOffset: false,
      afterCrash: 'stateless',
    };
    file.opens++;
    if (how.read === true || how.execute === true) file.reader = who;
    if (how.write === true) {
      file.writer = who;
      // The rest of a block that is written in part is fetched.
      if (how.read !== true) file.reader = who;
    }
  }

  *read(p: Position, count: number): Task<{ readonly bytes: Uint8Array; readonly next: number }> {
    const file = this.#file;
    if (file.attributes.type === 'directory') throw new KernelError('isDirectory');
    yield* file.validate();
    const at = this.#offset(p);
    const bytes = file.isLocal ? yield* file.readAt(at, count) : yield* this.#readBlocks(at, count);
    charge(Math.round(file.parts.machine.type.costs.copyNsPerByte * bytes.length), Busy.files);
    return { bytes, next: at + bytes.length };
  }

  *write(p: Position, bytes: Uint8Array): Task<{ readonly count: number; readonly next: number }> {
    const file = this.#file;
    yield* file.writing.acquire();
    try {
      const error = file.writes.takeError();
      if (error !== null) throw error;
      if (p === 'end') yield* file.validate();
      const at = this.#offset(p);
      if (at + bytes.length > fileBytesMax) throw new KernelError('tooLarge');
      if (file.isLocal) yield* this.#writeDirect(at, bytes);
      else yield* this.#writeBlocks(at, bytes);
      return { count: bytes.length, next: at + bytes.length };
    } finally {
      file.writing.release();
    }
  }

  *attributes(): Task<Attributes> {
    const file = this.#file;
    yield* file.validate();
    return attributesOf(file.server, file.id, { ...file.attributes, sizeBytes: file.sizeBytes });
  }

  /** What was written before must not set the modify time afterwards. */
  *setAttributes(change: AttributeChange, who: Credentials): Task<void> {
    const file = this.#file;
    yield* file.flush();
    file.written(yield* persist(file.parts, file.server, setAttributes, { file: file.id, change, who }));
  }

  *truncate(sizeBytes: number): Task<void> {
    yield* cut(this.#file, sizeBytes, this.#who);
  }

  *lock(mode: LockMode, owner: StreamId, waiter: Waiter): Task<void> {
    this.#locks.lock(this.#file.key, owner, mode, waiter);
    this.#lockOwners.add(owner);
  }

  *poll(): Task<Ready> {
    return always;
  }

  *sync(): Task<void> {
    yield* this.#file.flush();
  }

  /** Waits for what was written, also while the server is down. @throws the error of a write that was refused */
  *close(): Task<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const file = this.#file;
    charge(file.parts.machine.type.costs.openClientNs, Busy.files);
    for (const owner of this.#lockOwners) this.#locks.unlock(file.key, owner);
    try {
      if (this.how.write === true) yield* file.flush();
    } finally {
      yield* this.#table.closed(file);
    }
  }

  /** Everything that was written here is the server's; the target finds it there. Locks bind this host's processes only. */
  *depart(): Task<void> {
    const file = this.#file;
    if (file.silly !== this.#describedSilly && file.opens === 1)
      throw new KernelError('busy', 'unlinked since it was described');
    if (this.how.write === true) yield* file.flush();
    for (const owner of this.#lockOwners) this.#locks.unlock(file.key, owner);
    this.#isClosed = true;
    this.#table.departed(file);
  }

  /** Who opened it; and the other name of a file that was unlinked here, which the last user takes away. */
  movable(): Plain {
    const file = this.#file;
    this.#describedSilly = file.opens === 1 ? file.silly : null;
    return plainOf(this.#who, this.#describedSilly);
  }

  *#readBlocks(at: number, count: number): Task<Uint8Array> {
    const file = this.#file;
    const { blockBytes } = file.parts.blockCache;
    const end = Math.min(at + count, file.sizeBytes);
    if (end <= at) return new Uint8Array(0);
    const bytes = new Uint8Array(end - at);
    for (let n = Math.floor(at / blockBytes); n * blockBytes < end; n++) {
      const block = file.blocks.tryRead(n) ?? (yield* file.blocks.read(n));
      const from = Math.max(at - n * blockBytes, 0);
      bytes.set(block.subarray(from, Math.min(end - n * blockBytes, blockBytes)), n * blockBytes + from - at);
    }
    // The replies may have brought a smaller size.
    return bytes.subarray(0, Math.max(0, Math.min(end, file.sizeBytes) - at));
  }

  *#writeBlocks(at: number, bytes: Uint8Array): Task<void> {
    const file = this.#file;
    const { blockCache, transferBytes } = file.parts;
    const { blockBytes } = blockCache;
    for (let done = 0; done < bytes.length; ) {
      const offset = at + done;
      const n = Math.floor(offset / blockBytes);
      const from = offset - n * blockBytes;
      const count = Math.min(blockBytes - from, bytes.length - done);
      // What the block holds already matters unless all of it is overwritten.
      const valid = Math.min(blockBytes, file.sizeBytes - n * blockBytes);
      const fetchFirst = valid > 0 && (from > 0 || count < valid);
      if (fetchFirst && file.blocks.tryRead(n) === undefined) yield* file.blocks.read(n);
      file.changing(offset + count);
      yield* file.blocks.write(n, from, bytes.subarray(done, done + count), { fetchFirst });
      done += count;
      if ((offset + count) % transferBytes === 0) yield* file.blocks.flush();
    }
  }

  *#writeDirect(at: number, bytes: Uint8Array): Task<void> {
    const file = this.#file;
    const { parts } = file;
    parts.counters.writes++;
    parts.counters.bytesWritten += bytes.length;
    const record = { file: file.id, at, who: this.#who };
    file.written(yield* persist(parts, file.server, write, { record, data: bytes }));
  }

  #offset(p: Position): number {
    if (typeof p === 'number') return p;
    if (p === 'end') return this.#file.sizeBytes;
    throw new KernelError('unsupported', 'an offset shared between hosts');
  }
}

/** Offsets are words of 32 bits in this protocol. */
const fileBytesMax = 0xffff_ffff;

/** Cuts or extends a file at its server, and here. */
export function* cut(file: NfsFile, sizeBytes: number, who: Credentials): Task<void> {
  if (sizeBytes > fileBytesMax) throw new KernelError('tooLarge');
  yield* file.writing.acquire();
  try {
    const from = Math.floor(sizeBytes / file.parts.blockCache.blockBytes);
    // A block on its way to the server must not arrive after the cut.
    yield* file.flush();
    file.written(yield* persist(file.parts, file.server, setSize, { file: file.id, sizeBytes, who }));
    file.discard(from);
  } finally {
    file.writing.release();
  }
}
