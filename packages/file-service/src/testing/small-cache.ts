/**
 * A block cache with as many places as it is given: the oldest block leaves when a place is wanted, dirty ones after they
 * were written back.
 */
import { type Scope, sleep, type Task, Timer, tasks, WaitQueue } from '@backplane/engine';
import {
  type Backing,
  type BlockCache,
  type CachedObject,
  isKernelError,
  type WriteDelay,
} from '@backplane/slots';

const retryNs = 5_000_000_000;

class Block {
  bytes: Uint8Array;
  dirty = false;
  writing = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

class SmallObject implements CachedObject {
  static {
    tasks(SmallObject);
  }

  readonly key: string;
  backing: Backing;
  writeDelayNs: WriteDelay;
  /** The oldest use first. */
  readonly blocks: Map<number, Block> = new Map();
  readonly #cache: SmallCache;
  readonly #timer: Timer;
  readonly #changed = new WaitQueue();
  readonly #fetching = new Map<number, WaitQueue>();
  #changes = 0;
  #dirty = 0;

  constructor(cache: SmallCache, scope: Scope, key: string, backing: Backing, delay: WriteDelay) {
    this.#cache = cache;
    this.key = key;
    this.backing = backing;
    this.writeDelayNs = delay;
    this.#timer = new Timer(scope, 'age', () => scope.spawn('flush', this.#flushQuietly()));
  }

  get cachedBlocks(): number {
    return this.blocks.size;
  }

  get dirtyBlocks(): number {
    return this.#dirty;
  }

  tryRead(n: number): Uint8Array | undefined {
    const block = this.blocks.get(n);
    if (block === undefined) return undefined;
    this.blocks.delete(n);
    this.blocks.set(n, block);
    return block.bytes;
  }

  *read(n: number): Task<Uint8Array> {
    for (;;) {
      const cached = this.tryRead(n);
      if (cached !== undefined) return cached;
      const others = this.#fetching.get(n);
      if (others === undefined) yield* this.#fetch(n);
      else yield* others.wait();
    }
  }

  *#fetch(n: number): Task<void> {
    const others = new WaitQueue();
    this.#fetching.set(n, others);
    const changes = this.#changes;
    try {
      const bytes = yield* this.backing.fetch(n);
      yield* this.#cache.makeRoom();
      // Bytes that are older than a write or a drop are worth nothing.
      if (this.#changes === changes) this.blocks.set(n, new Block(bytes));
    } finally {
      this.#fetching.delete(n);
      others.wakeAll();
    }
  }

  *write(n: number, at: number, bytes: Uint8Array, o: { readonly fetchFirst: boolean }): Task<void> {
    if (this.#cache.writeNs > 0) yield* sleep(this.#cache.writeNs);
    if (o.fetchFirst) yield* this.read(n);
    if (!this.blocks.has(n)) yield* this.#cache.makeRoom();
    this.#put(n, at, bytes);
  }

  tryWrite(n: number, at: number, bytes: Uint8Array, o: { readonly fetchFirst: boolean }): boolean {
    if (this.#cache.writeNs > 0) return false;
    if (!this.blocks.has(n) && (o.fetchFirst || !this.#cache.hasRoom)) return false;
    this.#put(n, at, bytes);
    return true;
  }

  #put(n: number, at: number, bytes: Uint8Array): void {
    const block = this.blocks.get(n) ?? new Block(new Uint8Array(0));
    const whole = new Uint8Array(Math.max(block.bytes.length, at + bytes.length));
    whole.set(block.bytes);
    whole.set(bytes, at);
    block.bytes = whole;
    if (!block.dirty) this.#dirty++;
    block.dirty = true;
    this.#changes++;
    this.blocks.delete(n);
    this.blocks.set(n, block);
    if (typeof this.writeDelayNs === 'number' && !this.#timer.armed) this.#timer.set(this.writeDelayNs);
  }

  *flush(): Task<void> {
    if (this.#dirty === 0) return;
    let failed = false;
    let error: unknown;
    for (const [n, block] of [...this.blocks])
      try {
        yield* this.writeBlock(n, block);
      } catch (e) {
        if (!isKernelError(e)) throw e;
        error = failed ? error : e;
        failed = true;
      }
    if (failed) throw error;
  }

  *writeBlock(n: number, block: Block): Task<void> {
    while (block.writing) yield* this.#changed.wait();
    if (!block.dirty || this.blocks.get(n) !== block) return;
    const { bytes } = block;
    block.writing = true;
    try {
      yield* this.backing.writeBack(n, bytes, { lastDirty: this.#dirty === 1 });
      if (block.bytes === bytes && block.dirty && this.blocks.get(n) === block) this.#clean(block);
    } finally {
      block.writing = false;
      this.#changed.wakeAll();
    }
  }

  drop(what: 'all' | 'clean', from = 0): void {
    this.#changes++;
    for (const [n, block] of [...this.blocks])
      if (n >= from && (what === 'all' || !block.dirty)) {
        if (block.dirty) this.#clean(block);
        this.blocks.delete(n);
      }
  }

  #clean(block: Block): void {
    block.dirty = false;
    this.#dirty--;
  }

  makeOldest(): void {}

  release(): void {}

  *#flushQuietly(): Task<void> {
    try {
      yield* this.flush();
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
    // What cannot be written is tried again.
    if (this.#dirty > 0 && typeof this.writeDelayNs === 'number') this.#timer.set(retryNs);
  }
}

export class SmallCache implements BlockCache {
  static {
    tasks(SmallCache);
  }

  readonly blockBytes: number = 4096;
  /** What a write takes before it takes effect. */
  readonly writeNs: number;
  readonly #scope: Scope;
  readonly #places: number;
  readonly #objects = new Map<string, SmallObject>();

  constructor(scope: Scope, places: number, writeNs: number) {
    this.writeNs = writeNs;
    this.#scope = scope;
    this.#places = places;
  }

  object(key: string, backing: Backing, o: { readonly writeDelayNs: WriteDelay }): SmallObject {
    const found = this.#objects.get(key);
    if (found !== undefined) {
      found.backing = backing;
      return found;
    }
    const made = new SmallObject(this, this.#scope, key, backing, o.writeDelayNs);
    this.#objects.set(key, made);
    return made;
  }

  *flushAll(): Task<void> {
    for (const o of [...this.#objects.values()]) yield* o.flush();
  }

  get keys(): readonly string[] {
    return [...this.#objects.keys()];
  }

  get blocks(): number {
    let blocks = 0;
    for (const o of this.#objects.values()) blocks += o.blocks.size;
    return blocks;
  }

  get hasRoom(): boolean {
    return this.#places === Number.POSITIVE_INFINITY || this.blocks < this.#places;
  }

  *makeRoom(): Task<void> {
    while (!this.hasRoom) {
      const victim = this.#victim();
      if (victim === undefined) return; // all are being written: one more than it should have
      const { object, n, block } = victim;
      if (block.dirty) yield* object.writeBlock(n, block);
      if (!block.dirty && object.blocks.get(n) === block) object.blocks.delete(n);
    }
  }

  #victim(): { readonly object: SmallObject; readonly n: number; readonly block: Block } | undefined {
    for (const object of this.#objects.values())
      for (const [n, block] of object.blocks) if (!block.writing) return { object, n, block };
    return undefined;
  }
}
