/**
 * Copies of dirty blocks in the machine's non-volatile memory: the write-aside cache of Baker, Asami, Deprit, Ousterhout and
 * Seltzer (1992). The memory is written and, but for a life that begins, never read.
 *
 *   a block that     event                            action                                    next
 *   has no copy      is written, room                 copy all of it                            has a copy
 *   has no copy      is written, no room can be made  count it                                  has no copy
 *   has a copy       is written                       copy what was written                     has a copy
 *   has a copy       is stored below, or dropped      take the copy out                         has no copy
 *   has a copy       the memory is full, and it is    store it below                            as above
 *                    the oldest
 *
 * Block and copy change in one step, without a suspension between. A block that is written again while it is being stored
 * keeps its copy, which is the newer one by then, and counts as young.
 */
import { type Task, tasks } from '@backplane/engine';
import { type Aside, type CachedObject, isKernelError, type KeptLabel, type Nvram } from '@backplane/slots';
import type { Block } from './block.ts';
import type { LruCache } from './cache.ts';
import { CachedFile } from './cached-file.ts';

export class AsideBlocks implements Aside {
  static {
    tasks(AsideBlocks);
  }

  /** Writes that were copied. */
  writes = 0;
  /** Blocks written back to make room. */
  writeBacks = 0;
  /** Writes that found no room. */
  misses = 0;
  readonly #cache: LruCache;
  readonly #memory: Nvram | undefined;
  /** Blocks that have a copy, the oldest copy first. */
  readonly #blocks = new Set<Block>();

  constructor(cache: LruCache, memory: Nvram | undefined) {
    this.#cache = cache;
    this.#memory = memory;
  }

  get blocks(): number {
    return this.#blocks.size;
  }

  get blocksMax(): number {
    return this.#memory?.blocksMax ?? 0;
  }

  // ---- what makers of objects ask ----

  covers(object: CachedObject): boolean {
    return object instanceof CachedFile && object.dirtyBlocks === object.asideBlocks;
  }

  tell(label: string, words: readonly number[]): void {
    this.#memory?.tell(label, words);
  }

  kept(prefix: string): readonly KeptLabel[] {
    return this.#memory?.labels().filter((l) => l.label.startsWith(prefix)) ?? [];
  }

  recover(object: CachedObject): boolean {
    const memory = this.#memory;
    if (memory === undefined || !(object instanceof CachedFile)) return true;
    const { label } = object;
    const kept = memory.labels().find((l) => l.label === label);
    if (label === undefined || kept === undefined) return true;
    const places = this.#cache.tryPlaces(kept.blocks.length);
    if (places === undefined) return false;
    for (const [i, unit] of places.entries()) {
      const n = kept.blocks[i] ?? 0;
      this.#blocks.add(object.recovered(n, unit, memory.read(label, n) ?? new Uint8Array(0)));
    }
    return true;
  }

  forget(label: string): void {
    for (const l of this.kept(label))
      if (l.label === label) for (const n of l.blocks) this.#memory?.drop(label, n);
  }

  // ---- what objects with a label tell ----

  /** Is there room for a copy, or no memory for any? */
  get hasRoom(): boolean {
    return this.#memory === undefined || this.#memory.blocks < this.#memory.blocksMax;
  }

  /**
   * Before a block is written that has no copy: returns when there is room for one, or none can be made, since what lies
   * below takes nothing at this moment.
   */
  *makeRoom(): Task<void> {
    const memory = this.#memory;
    if (memory === undefined || this.hasRoom) return;
    const refusing = new Set<CachedFile>();
    while (memory.blocks >= memory.blocksMax) {
      const oldest = this.#oldestBut(refusing);
      if (oldest === undefined) return;
      // Somebody else stores it already.
      if (oldest.writing) {
        yield* this.#cache.changed.wait();
        continue;
      }
      this.writeBacks++;
      this.#cache.tellRoom(oldest);
      try {
        yield* oldest.file.writeBack(oldest);
      } catch (e) {
        if (!isKernelError(e)) throw e;
        refusing.add(oldest.file);
      }
    }
  }

  /** These bytes have been written into the block. */
  written(label: string, block: Block, at: number, bytes: Uint8Array): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    const copied = block.aside
      ? memory.tryPut(label, block.number, at, bytes)
      : memory.tryPut(label, block.number, 0, block.bytes);
    if (!copied) this.misses++;
    else {
      this.writes++;
      if (!block.aside) {
        block.aside = true;
        this.#blocks.add(block);
      }
    }
  }

  /** A block with a copy is stored below or dropped. */
  left(label: string, block: Block): void {
    block.aside = false;
    this.#blocks.delete(block);
    this.#memory?.drop(label, block.number);
  }

  /** A block with a copy was stored below, but written again meanwhile. */
  writtenAgain(block: Block): void {
    this.#blocks.delete(block);
    this.#blocks.add(block);
  }

  #oldestBut(refusing: ReadonlySet<CachedFile>): Block | undefined {
    for (const block of this.#blocks) if (!refusing.has(block.file)) return block;
    return undefined;
  }
}
