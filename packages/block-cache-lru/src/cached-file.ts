/** One object's blocks, and its dirty list. What they mean is the business of whoever supplied the backing. */
import { charge, type Task, tasks, WaitQueue } from '@backplane/engine';
import { type Backing, Busy, type CachedObject, type ObjectOptions, type WriteDelay } from '@backplane/slots';
import { Block, blockBytes } from './block.ts';
import type { LruCache } from './cache.ts';
import { Numbered } from './numbered.ts';
import type { Unit } from './units.ts';

export class CachedFile implements CachedObject {
  static {
    tasks(CachedFile);
  }

  readonly key: string;
  /** Dirty blocks are copied aside under it. */
  readonly label: string | undefined;
  backing: Backing;
  writeDelayNs: WriteDelay;
  released = false;
  /** Dirty blocks that have a copy. */
  asideBlocks = 0;
  readonly #cache: LruCache;
  readonly #blocks = new Numbered<Block>();
  readonly #dirty = new Numbered<Block>();
  /** Blocks that are being fetched: others wait for the same fetch. Null while there are none. */
  #fetching: Map<number, WaitQueue> | null = null;
  /** Rises when blocks are dropped: a fetch that was under way then must not bring old bytes back. */
  #drops = 0;

  constructor(cache: LruCache, key: string, backing: Backing, o: ObjectOptions) {
    this.#cache = cache;
    this.key = key;
    this.label = o.label;
    this.backing = backing;
    this.writeDelayNs = o.writeDelayNs;
  }

  get cachedBlocks(): number {
    return this.#blocks.size;
  }

  get dirtyBlocks(): number {
    return this.#dirty.size;
  }

  /** When its dirty blocks are to be written back for their age; Infinity when they are not. */
  dueNs(asideAgeNs: number): number {
    let dueNs = Number.POSITIVE_INFINITY;
    for (const block of this.#dirty.values()) {
      dueNs = Math.min(dueNs, this.dueNsOf(block, asideAgeNs));
      // Without copies the first is the oldest.
      if (this.asideBlocks === 0) break;
    }
    return dueNs;
  }

  /** The same of one dirty block. */
  dueNsOf(block: Block, asideAgeNs: number): number {
    const { writeDelayNs } = this;
    if (writeDelayNs === 'never') return Number.POSITIVE_INFINITY;
    if (writeDelayNs === 'asap') return block.dirtySinceNs;
    return block.dirtySinceNs + (block.aside && !block.survived ? asideAgeNs : writeDelayNs);
  }

  tryRead(n: number): Uint8Array | undefined {
    const block = this.#blocks.get(n);
    if (block === undefined) return undefined;
    charge(this.#cache.blockOperationNs, Busy.files);
    this.#cache.hit(block);
    return block.content();
  }

  *read(n: number): Task<Uint8Array> {
    for (;;) {
      const cached = this.tryRead(n);
      if (cached !== undefined) return cached;
      const others = this.#fetching?.get(n);
      if (others === undefined) return yield* this.#fetch(n);
      yield* others.wait();
    }
  }

  *write(n: number, at: number, bytes: Uint8Array, o: { readonly fetchFirst: boolean }): Task<void> {
    this.#chargeWrite(bytes.length);
    const { label } = this;
    if (label !== undefined && this.#blocks.get(n)?.aside !== true) yield* this.#cache.aside.makeRoom();
    if (o.fetchFirst && this.#blocks.get(n) === undefined) {
      this.#cache.writeFetches++;
      yield* this.read(n);
    }
    let block = this.#blocks.get(n);
    if (block === undefined) {
      const unit = yield* this.#cache.place();
      // Finding a place may have suspended: the block may be there by now.
      block = this.#blocks.get(n);
      if (block === undefined) block = this.#enter(new Block(this, n, unit, null));
      else this.#cache.units.returnPlace(unit);
    }
    this.#put(block, at, bytes);
  }

  tryWrite(n: number, at: number, bytes: Uint8Array, o: { readonly fetchFirst: boolean }): boolean {
    let block = this.#blocks.get(n);
    if (this.label !== undefined && block?.aside !== true && !this.#cache.aside.hasRoom) return false;
    if (block === undefined) {
      const unit = o.fetchFirst ? undefined : this.#cache.tryPlace();
      if (unit === undefined) return false;
      block = this.#enter(new Block(this, n, unit, null));
    }
    this.#chargeWrite(bytes.length);
    this.#put(block, at, bytes);
    return true;
  }

  #chargeWrite(bytes: number): void {
    charge(3 * this.#cache.blockOperationNs + Math.round(this.#cache.copyNsPerByte * bytes), Busy.files);
  }

  #put(block: Block, at: number, bytes: Uint8Array): void {
    block.put(at, bytes, this.#cache.rooms);
    this.#cache.written(block);
    if (this.label !== undefined) this.#putAside(this.label, block, at, bytes);
    if (!block.dirty) this.#dirtied(block);
  }

  #putAside(label: string, block: Block, at: number, bytes: Uint8Array): void {
    const before = block.aside;
    this.#cache.aside.written(label, block, at, bytes);
    if (block.aside && !before) this.asideBlocks++;
    block.survived = false;
  }

  #dirtied(block: Block): void {
    block.dirty = true;
    block.dirtySinceNs = this.#cache.nowNs;
    this.#dirty.add(block.number, block);
    this.#cache.dirtied(this, block);
  }

  /** A block comes back that has survived a crash, and still has its copy. */
  recovered(n: number, unit: Unit, bytes: Uint8Array): Block {
    const block = this.#enter(new Block(this, n, unit, bytes));
    block.aside = true;
    block.survived = true;
    this.asideBlocks++;
    this.#dirtied(block);
    return block;
  }

  *flush(): Task<void> {
    let failed = false;
    let error: unknown;
    for (const block of this.#dirtyInOrder()) {
      if (this.#tryWriteBack(block)) continue;
      try {
        yield* this.writeBack(block);
      } catch (e) {
        error = failed ? error : e;
        failed = true;
      }
    }
    if (failed) throw error;
  }

  tryFlush(): boolean {
    if (this.backing.tryWriteBack === undefined) return this.#dirty.size === 0;
    for (const block of this.#dirtyInOrder()) if (!this.#tryWriteBack(block)) return false;
    return true;
  }

  #dirtyInOrder(): Block[] {
    const dirty = this.#dirty.all();
    return dirty.length > 1 ? dirty.sort((a, b) => a.number - b.number) : dirty;
  }

  /** Returns when the block is clean or gone, or was written again meanwhile; after an error it is still dirty. */
  *writeBack(block: Block): Task<void> {
    while (block.writing) yield* this.#cache.changed.wait();
    if (!block.dirty || !block.cached || this.#tryWriteBack(block)) return;
    block.writing = true;
    const { writes } = block;
    let lastDirty = false;
    try {
      // Once more, if the others that were dirty when it began have become clean before it.
      do {
        lastDirty = this.#dirty.size === 1;
        yield* this.backing.writeBack(block.number, block.content(), { lastDirty });
        this.#cache.writeBacks++;
      } while (!lastDirty && block.dirty && block.writes === writes && this.#dirty.size === 1);
      if (block.writes === writes) this.#clean(block);
      else {
        block.dirtySinceNs = this.#cache.nowNs;
        if (block.aside) this.#cache.aside.writtenAgain(block);
      }
    } finally {
      block.writing = false;
      this.#cache.changed.wakeAll();
    }
  }

  /** Where it takes no waiting: there is no moment in which the block is on its way. */
  #tryWriteBack(block: Block): boolean {
    if (block.writing || !block.dirty || !block.cached) return false;
    if (this.backing.tryWriteBack?.(block.number, block.content()) !== true) return false;
    this.#cache.writeBacks++;
    this.#clean(block);
    this.#cache.changed.wakeAll();
    return true;
  }

  drop(what: 'all' | 'clean', from = 0): void {
    this.#drops++;
    for (const block of this.#blocks.all()) {
      if (block.number < from || (what === 'clean' && block.dirty)) continue;
      this.#clean(block);
      this.evict(block);
    }
  }

  makeOldest(): void {
    for (const block of this.#blocks.values()) this.#cache.makeOldest(block);
  }

  release(): void {
    this.released = true;
    this.#cache.forgetIfEmpty(this);
  }

  /** Takes a clean block out; its place is free. */
  evict(block: Block): void {
    this.#blocks.delete(block.number);
    this.#cache.evicted(block);
    this.#cache.forgetIfEmpty(this);
  }

  *#fetch(n: number): Task<Uint8Array> {
    const others = new WaitQueue();
    this.#fetching ??= new Map();
    const fetching = this.#fetching;
    fetching.set(n, others);
    const drops = this.#drops;
    this.#cache.readMisses++;
    try {
      const bytes = yield* this.backing.fetch(n);
      const unit = yield* this.#cache.place();
      // Meanwhile somebody may have written the block, which is newer, or dropped the object, and then the bytes serve once.
      const written = this.#blocks.get(n);
      if (written !== undefined || this.#drops !== drops) {
        this.#cache.units.returnPlace(unit);
        return written?.content() ?? bytes;
      }
      return this.#enter(
        new Block(this, n, unit, bytes.length > blockBytes ? bytes.subarray(0, blockBytes) : bytes),
      ).content();
    } finally {
      fetching.delete(n);
      if (fetching.size === 0) this.#fetching = null;
      others.wakeAll();
    }
  }

  #enter(block: Block): Block {
    this.#blocks.add(block.number, block);
    this.#cache.entered(block);
    return block;
  }

  #clean(block: Block): void {
    // A block that was dropped may have a dirty successor of its number.
    if (block.dirty) {
      block.dirty = false;
      this.#dirty.delete(block.number);
      this.#cache.cleaned(block);
    }
    if (!block.aside || this.label === undefined) return;
    this.asideBlocks--;
    this.#cache.aside.left(this.label, block);
  }
}
