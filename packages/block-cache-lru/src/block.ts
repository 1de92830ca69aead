/**
 * One cached block, and its place in the order of use.
 *
 * `storage` belongs to the block as long as nobody was handed a view of it; from then on it is frozen, and the next write
 * goes to a copy. So a run of small appends copies nothing, and what a wire or a disk holds never changes.
 *
 *   flags              event                  next
 *   clean              write                  dirty
 *   dirty              write-back starts      dirty, writing
 *   dirty, writing     write                  dirty, writing (and stays dirty afterwards)
 *   dirty, writing     stored, not rewritten  clean
 *   dirty, writing     error                  dirty
 *   any                dropped                gone; a write-back under way is not waited for
 */
import type { CachedFile } from './cached-file.ts';
import type { Rooms } from './rooms.ts';
import type { Unit } from './units.ts';

export const blockBytes = 4096;

export class Block {
  readonly file: CachedFile;
  readonly number: number;
  readonly unit: Unit;
  #storage: Uint8Array;
  #length: number;
  #frozen: boolean;
  usedNs = 0;
  dirty = false;
  dirtySinceNs = 0;
  writing = false;
  /** Rises with each write: tells whether a write-back stored the latest. */
  writes = 0;
  /** Still in the cache? */
  cached = true;
  /** Dirty, with a copy of its content in non-volatile memory. */
  aside = false;
  /** It came back from there after a crash, and has not been written since. */
  survived = false;
  /** The next block of the unit. */
  next: Block | null = null;
  /** Neighbours in the order of use. */
  older: Block | null = null;
  younger: Block | null = null;
  /** Smaller than that of all younger ones. */
  rank = 0;

  /** @param bytes content that somebody else may hold too */
  constructor(file: CachedFile, number: number, unit: Unit, bytes: Uint8Array | null) {
    this.file = file;
    this.number = number;
    this.unit = unit;
    this.#storage = bytes ?? nothing;
    this.#length = bytes?.length ?? 0;
    this.#frozen = bytes !== null;
  }

  /** The valid bytes, fewer than a block at the end of an object. Frozen from now on. */
  content(): Uint8Array {
    this.#frozen = true;
    return this.#length === this.#storage.length ? this.#storage : this.#storage.subarray(0, this.#length);
  }

  /** The same for who copies it at once: does not freeze it. */
  get bytes(): Uint8Array {
    return this.#storage.subarray(0, this.#length);
  }

  put(at: number, bytes: Uint8Array, rooms: Rooms): void {
    const end = at + bytes.length;
    const length = Math.max(end, this.#length);
    if (this.#frozen || this.#storage.length < end) {
      const larger = rooms.take(length);
      if (this.#length > 0) larger.set(this.bytes);
      this.#storage = larger;
      this.#frozen = false;
    }
    this.#storage.set(bytes, at);
    this.#length = length;
    this.writes++;
  }
}

const nothing: Uint8Array = new Uint8Array(0);
