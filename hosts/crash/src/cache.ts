/** A block cache with room for everything: blocks go down when they are old enough or when somebody asks. */
import { type Scope, type Task, Timer, tasks, WaitQueue } from '@backplane/engine';
import {
  type Backing,
  type BlockCache,
  type CachedObject,
  isKernelError,
  type WriteDelay,
} from '@backplane/slots';

const retryNs = 5_000_000_000;

class CachedBlock {
  bytes: Uint8Array;
  dirty = false;
  writing = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

class RoomyObject implements CachedObject {
  static {
    tasks(RoomyObject);
  }

  readonly key: string;
  backing: Backing;
  readonly #scope: Scope;
  readonly #delay: WriteDelay;
  readonly #blocks = new Map<number, CachedBlock>();
  readonly #written = new WaitQueue();
  #timer: Timer | null = null;
  #changes = 0;
  #dirty = 0;

  constructor(scope: Scope, key: string, backing: Backing, delay: WriteDelay) {
    this.#scope = scope;
    this.key = key;
    this.backing = backing;
    this.#delay = delay;
  }

  get cachedBlocks(): number {
    return this.#blocks.size;
  }

  get dirtyBlocks(): number {
    return this.#dirty;
  }

  tryRead(block: number): Uint8Array | undefined {
    return this.#blocks.get(block)?.bytes;
  }

  *read(block: number): Task<Uint8Array> {
    for (;;) {
      const cached = this.tryRead(block);
      if (cached !== undefined) return cached;
      const changes = this.#changes;
      const bytes = yield* this.backing.fetch(block);
      // Bytes that are older than a write or a drop are worth nothing.
      if (this.#changes !== changes) continue;
      this.#blocks.set(block, new CachedBlock(bytes));
      return bytes;
    }
  }

  *write(block: number, at: number, bytes: Uint8Array, o: { readonly fetchFirst: boolean }): Task<void> {
    if (o.fetchFirst) yield* this.read(block);
    const old = this.#blocks.get(block);
    const before = old?.bytes ?? none;
    const whole = new Uint8Array(Math.max(before.length, at + bytes.length));
    whole.set(before);
    whole.set(bytes, at);
    const made = old ?? new CachedBlock(whole);
    made.bytes = whole;
    this.#blocks.set(block, made);
    this.#changes++;
    if (!made.dirty) {
      made.dirty = true;
      this.#dirty++;
    }
    if (this.#delay === 'asap') this.#scope.spawn('cache.flush', this.#flushQuietly());
    else if (this.#delay !== 'never') this.#arm(this.#delay);
  }

  *flush(): Task<void> {
    if (this.#dirty === 0) return;
    let failed = false;
    let error: unknown;
    for (const [n, block] of [...this.#blocks].sort(byNumber))
      try {
        yield* this.#flushBlock(n, block);
      } catch (e) {
        if (!isKernelError(e)) throw e;
        error = failed ? error : e;
        failed = true;
      }
    if (failed) throw error;
  }

  *#flushBlock(n: number, block: CachedBlock): Task<void> {
    while (block.writing) yield* this.#written.wait();
    if (!block.dirty || this.#blocks.get(n) !== block) return;
    const { bytes } = block;
    block.writing = true;
    try {
      yield* this.backing.writeBack(n, bytes, { lastDirty: this.#dirty === 1 });
      if (block.bytes === bytes && block.dirty && this.#blocks.get(n) === block) this.#clean(block);
    } finally {
      block.writing = false;
      this.#written.wakeAll();
    }
  }

  drop(what: 'all' | 'clean', from = 0): void {
    this.#changes++;
    for (const [n, block] of [...this.#blocks]) {
      if (n < from || (what === 'clean' && block.dirty)) continue;
      if (block.dirty) this.#clean(block);
      this.#blocks.delete(n);
    }
  }

  makeOldest(): void {}

  release(): void {}

  #clean(block: CachedBlock): void {
    block.dirty = false;
    this.#dirty--;
  }

  #arm(delayNs: number): void {
    this.#timer ??= new Timer(this.#scope, 'cache.age', () => {
      this.#scope.spawn('cache.flush', this.#flushQuietly());
    });
    if (!this.#timer.armed) this.#timer.set(delayNs);
  }

  /** By age: what cannot be written is tried again. */
  *#flushQuietly(): Task<void> {
    try {
      yield* this.flush();
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
    if (this.#dirty > 0) this.#arm(retryNs);
  }
}

const none: Uint8Array = new Uint8Array(0);
const byNumber = (a: readonly [number, unknown], b: readonly [number, unknown]): number => a[0] - b[0];

export class RoomyCache implements BlockCache {
  readonly blockBytes: number = 4096;
  readonly #scope: Scope;
  readonly #objects = new Map<string, RoomyObject>();

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  object(key: string, backing: Backing, o: { readonly writeDelayNs: WriteDelay }): RoomyObject {
    const found = this.#objects.get(key);
    if (found !== undefined) {
      found.backing = backing;
      return found;
    }
    const made = new RoomyObject(this.#scope, key, backing, o.writeDelayNs);
    this.#objects.set(key, made);
    return made;
  }

  *flushAll(): Task<void> {
    for (const o of [...this.#objects.values()]) yield* o.flush();
  }
}
