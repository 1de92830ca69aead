/**
 * Slot `blockCache`: a machine's cached blocks, in page frames that it competes for.
 *
 * The cache knows blocks, ages and dirty lists, but neither file sizes nor versions nor permission to cache. Whoever
 * made the object supplies `Backing` and owns its meaning; the key starts with that board's name. Blocks handed out
 * are frozen: a write replaces the block.
 */
import type { Task } from '@backplane/engine';

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

export interface BlockCache {
  readonly blockBytes: number;
  /** The object of this key, with the blocks that are still cached from an earlier use. */
  object(key: string, backing: Backing, o: { readonly writeDelayNs: WriteDelay }): CachedObject;
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
  /** Returns when none of the blocks that were dirty at the call is. @throws the first error of a write-back */
  flush(): Task<void>;
  /** `all` discards dirty blocks too: the caller has decided. `from` limits it to blocks from that number on. */
  drop(what: 'all' | 'clean', from?: number): void;
  /** Puts the object's blocks at the front of the age order, so that they go first. */
  makeOldest(): void;
  /** The maker has no more use for it. Cached blocks stay until their frames are wanted. */
  release(): void;
}
