/** A file in use: its descriptor in memory, which is the valid one, and what of it the log does not have yet. */
import { Mutex, type Task, tasks } from '@backplane/engine';
import type { Backing, CachedObject, FileId } from '@backplane/slots';
import type { BlockIndex } from './block-index.ts';
import type { Descriptor } from './descriptor.ts';
import type { Directory } from './directory.ts';
import type { Place } from './place.ts';

/** Who moves a file's blocks between the cache and the log. */
export interface BlockMover {
  /** The cached blocks of a file. */
  objectOf(h: Handle): CachedObject;
  fetch(h: Handle, block: number): Task<Uint8Array>;
  writeBack(h: Handle, block: number, bytes: Uint8Array): Task<void>;
  tryWriteBack(h: Handle, block: number, bytes: Uint8Array): boolean;
}

export class Handle implements Backing {
  static {
    tasks(Handle);
  }

  readonly id: FileId;
  readonly descriptor: Descriptor;
  readonly index: BlockIndex;
  /** Threads that hold the handle. */
  users = 0;
  /** Held since the table was last gone through for what may leave. */
  used = true;
  /** Freed: there is no such file any more. */
  gone = false;
  /** The log has another descriptor, or none. */
  changed = false;
  /** Something of it waits to go into the log: it is in the list of those. */
  waiting = false;
  /** Neighbours in that list. */
  waitsAfter: Handle | null = null;
  waitsBefore: Handle | null = null;
  /** Of a directory that was read. */
  directory: Directory | null = null;
  /** Cached blocks that went into the log together last, as one block of the file. */
  together: {
    readonly block: number;
    readonly place: Place;
    readonly parts: ReadonlyMap<number, Uint8Array>;
  } | null = null;
  /** Dirty cached blocks that space.ts has counted. */
  dirtyCounted = 0;
  readonly #mover: BlockMover;
  #object: CachedObject | null = null;
  /** There while somebody has it: most files are never waited for. */
  #lock: Mutex | null = null;

  constructor(mover: BlockMover, id: FileId, descriptor: Descriptor, index: BlockIndex) {
    this.#mover = mover;
    this.id = id;
    this.descriptor = descriptor;
    this.index = index;
  }

  /** Who reads or changes the file's bytes has it. Names need no lock: they change without anybody coming in between. */
  get lock(): Mutex {
    this.#lock ??= new Mutex();
    return this.#lock;
  }

  get isLocked(): boolean {
    return this.#lock !== null;
  }

  unlock(): void {
    this.lock.release();
    if (!this.lock.held) this.#lock = null;
  }

  get isDirectory(): boolean {
    return this.descriptor.type === 'directory';
  }

  get dirtyBlocks(): number {
    return this.#object?.dirtyBlocks ?? 0;
  }

  /** Nothing of it waits to go into the log. */
  get clean(): boolean {
    return (
      !this.changed &&
      this.dirtyBlocks === 0 &&
      this.index.clean &&
      (this.directory === null || this.directory.clean)
    );
  }

  /** Its blocks in the cache; files that nobody has read or written have none. */
  get object(): CachedObject {
    this.#object ??= this.#mover.objectOf(this);
    return this.#object;
  }

  /** Is this content of a cached block in the log, where that block of the file is now? Frozen bytes are known by where they are. */
  wentAlong(block: number, place: Place, n: number, bytes: Uint8Array): boolean {
    const t = this.together;
    if (t === null || t.block !== block || t.place !== place) return false;
    const part = t.parts.get(n);
    return (
      part !== undefined &&
      part.buffer === bytes.buffer &&
      part.byteOffset === bytes.byteOffset &&
      part.length === bytes.length
    );
  }

  /** Cached blocks from this one on are no longer of this file. */
  dropBlocks(from: number): void {
    this.#object?.drop('all', from);
  }

  release(): void {
    this.#object?.release();
    this.#object = null;
  }

  *fetch(block: number): Task<Uint8Array> {
    return yield* this.#mover.fetch(this, block);
  }

  tryWriteBack(block: number, bytes: Uint8Array): boolean {
    return this.#mover.tryWriteBack(this, block, bytes);
  }

  *writeBack(block: number, bytes: Uint8Array): Task<void> {
    yield* this.#mover.writeBack(this, block, bytes);
  }
}
