/**
 * Slot `blockCache`: a machine's cached blocks, in page frames that it competes for.
 *
 * The cache knows blocks, ages and dirty lists, but neither file sizes nor versions nor permission to cache. Whoever
 * made the object supplies `Backing` and owns its meaning; the key starts with that board's name. Blocks handed out
 * are frozen: a write replaces the block.
 */
import type { Task } from '@backplane/engine';
import type { KeptLabel } from './nvram.ts';

export interface Backing {
  /** The block's bytes; fewer than a block at the end of an object. May block; the caller looks again afterwards. */
  fetch(block: number): Task<Uint8Array>;
  /**
   * Stores one block below. `lastDirty`: when this began, no other block of the object was dirty. Use the object's size of
   * this moment, or a late block makes a truncated file grow. An error leaves the block dirty.
   *
   * The cache sees to it that somebody is told: an object never becomes clean by a write-back that was not. Where several
   * blocks were under way at once, each while another was dirty, the one that ends last is stored a second time and told
   * then; a block may so come twice with the same bytes.
   */
  writeBack(block: number, bytes: Uint8Array, o: { readonly lastDirty: boolean }): Task<void>;
  /**
   * The same for who can take a block without waiting, as a log does; false: `writeBack` has to be used. A backing that
   * has this is not told of `lastDirty` when it says true. Caches may do without it.
   */
  tryWriteBack?(block: number, bytes: Uint8Array): boolean;
}

/** When dirty blocks leave by themselves: after this age (all of the object's with the oldest), at once, or only when asked. */
export type WriteDelay = number | 'asap' | 'never';

export interface ObjectOptions {
  readonly writeDelayNs: WriteDelay;
  /**
   * Dirty blocks are to be copied aside under this label, by a cache that has the capability `aside`; others ignore it. Two
   * objects never have the same, nor one of an earlier life of the machine, except that `Aside.recover` is to bring its
   * blocks back.
   */
  readonly label?: string;
}

export interface BlockCache {
  readonly blockBytes: number;
  /** The object of this key, with the blocks that are still cached from an earlier use. */
  object(key: string, backing: Backing, o: ObjectOptions): CachedObject;
  /** Capability: copies of dirty blocks in memory that survives the machine's crashes. */
  readonly aside?: Aside;
  /** Writes every dirty block of every object back. Errors leave blocks dirty and are reported at the end. */
  flushAll(): Task<void>;
}

export interface CachedObject {
  readonly key: string;
  readonly cachedBlocks: number;
  readonly dirtyBlocks: number;
  /** The block if it is cached; counts as a use. */
  tryRead(block: number): Uint8Array | undefined;
  /** The block, fetched if need be. @throws what `Backing.fetch` throws */
  read(block: number): Task<Uint8Array>;
  /**
   * Puts bytes into a block and makes it dirty. `fetchFirst`: the rest of the block matters and is fetched unless cached.
   *
   * @throws KernelError `noSpace` when no frame can be had; what `fetch` throws
   */
  write(block: number, at: number, bytes: Uint8Array, o: { readonly fetchFirst: boolean }): Task<void>;
  /**
   * The same where nothing has to be waited for: the block is cached, or a place for it is free and it needs no fetch. True:
   * all that `write` does has been done and charged. False: nothing has changed and nothing was charged, and `write` has to
   * be used. Callers may do without it, and caches too.
   */
  tryWrite?(block: number, at: number, bytes: Uint8Array, o: { readonly fetchFirst: boolean }): boolean;
  /** Returns when none of the blocks that were dirty at the call is. @throws the first error of a write-back */
  flush(): Task<void>;
  /**
   * The same through `Backing.tryWriteBack`. True: no block of the object is dirty. False: some may have been stored, and
   * `flush` has to be used. Callers may do without it, and caches too.
   */
  tryFlush?(): boolean;
  /** `all` discards dirty blocks too: the caller has decided. `from` limits it to blocks from that number on. */
  drop(what: 'all' | 'clean', from?: number): void;
  /** Puts the object's blocks at the front of the age order, so that they go first. */
  makeOldest(): void;
  /** The maker has no more use for it. Cached blocks stay until their frames are wanted. */
  release(): void;
}

/**
 * Capability `aside`: a dirty block of an object with a label has a copy in the machine's `nvram`, from the write that made
 * it dirty until it is written back or dropped. Such a block need not be written back for its age: the cache does that when
 * the memory is full, the oldest first, or when the place of the block is wanted. A block for which no room can be made has
 * no copy, and is treated as any other.
 */
export interface Aside {
  /** How many blocks the memory holds; 0 in a machine that has none, and then no block ever has a copy. */
  readonly blocksMax: number;
  /** Would every dirty block of the object survive a crash at this moment? */
  covers(object: CachedObject): boolean;
  /** What the maker has to know of the label in its next life; kept with the blocks, of which there has to be one. */
  tell(label: string, words: readonly number[]): void;
  /** Labels with this beginning of which blocks are kept: in the life after a crash those that survived it. */
  kept(prefix: string): readonly KeptLabel[];
  /**
   * Brings all blocks that are kept under the object's label back into it, dirty and with their copies. They are written
   * back after the object's write delay, as if they had none. The object has no blocks yet. False: there are not enough
   * page frames free; nothing has changed then.
   */
  recover(object: CachedObject): boolean;
  /** Takes the copies of a label out of the memory. No object has the label. */
  forget(label: string): void;
}
