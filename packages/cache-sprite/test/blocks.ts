/**
 * A block cache for tests: as many blocks as it is given, oldest out first, a scan every five seconds. With a memory that is
 * large enough dirty blocks of objects with a label have copies in it, and leave at their age all the same.
 */
import { type Scope, seconds, sleep, type Task, WaitQueue } from '@backplane/engine';
import {
  type Aside,
  type Backing,
  type BlockCache,
  type CachedObject,
  isKernelError,
  type KeptLabel,
  type Nvram,
  type ObjectOptions,
  type WriteDelay,
} from '@backplane/slots';

const blockBytes = 4096;

interface Block {
  readonly number: number;
  bytes: Uint8Array;
  dirtySinceNs: number | null;
  writing: boolean;
  writes: number;
}

export class Blocks implements BlockCache {
  readonly blockBytes: number = blockBytes;
  readonly scope: Scope;
  readonly blocksMax: number;
  readonly aside: Aside;
  readonly nvram: Nvram | undefined;
  readonly objects: Map<string, Cached> = new Map();
  readonly changed: WaitQueue = new WaitQueue();
  #scanning = false;

  constructor(scope: Scope, blocksMax: number = Number.POSITIVE_INFINITY, nvram?: Nvram) {
    this.scope = scope;
    this.blocksMax = blocksMax;
    this.nvram = nvram;
    this.aside = {
      blocksMax: nvram?.blocksMax ?? 0,
      covers: (o) => [...this.objects.values()].some((own) => own === o && own.isCovered),
      tell: (label, words) => nvram?.tell(label, words),
      kept: (prefix): readonly KeptLabel[] => nvram?.labels().filter((l) => l.label.startsWith(prefix)) ?? [],
      recover: (o) => [...this.objects.values()].find((own) => own === o)?.recover() === true,
      forget: (label) => {
        for (const l of nvram?.labels() ?? [])
          if (l.label === label) for (const n of l.blocks) nvram?.drop(label, n);
      },
    };
  }

  object(key: string, backing: Backing, o: ObjectOptions): Cached {
    let object = this.objects.get(key);
    if (object === undefined) {
      object = new Cached(this, key, backing, o);
      this.objects.set(key, object);
    }
    return object;
  }

  *flushAll(): Task<void> {
    for (const o of this.objects.values()) yield* o.flush();
  }

  dirtied(o: Cached): void {
    if (o.delay === 'asap') this.scope.spawn('asap', o.flushIfPossible());
    else if (!this.#scanning) {
      this.#scanning = true;
      this.scope.spawn('scan', this.#scan());
    }
  }

  *place(): Task<void> {
    for (;;) {
      let held = 0;
      for (const o of this.objects.values()) held += o.cachedBlocks;
      if (held < this.blocksMax) return;
      if ([...this.objects.values()].some((o) => o.evictClean())) continue;
      for (const o of this.objects.values()) if (o.dirtyBlocks > 0) yield* o.flush();
    }
  }

  *#scan(): Task<void> {
    while ([...this.objects.values()].some((o) => o.dirtyBlocks > 0 && o.delay !== 'never')) {
      yield* sleep(seconds(5));
      for (const o of this.objects.values()) {
        const since = o.dirtySinceNs;
        if (since !== null && typeof o.delay === 'number' && this.scope.engine.nowNs - since >= o.delay)
          yield* o.flushIfPossible();
      }
    }
    this.#scanning = false;
  }
}

export class Cached implements CachedObject {
  readonly key: string;
  readonly delay: WriteDelay;
  readonly label: string | undefined;
  readonly #cache: Blocks;
  readonly #backing: Backing;
  readonly #blocks = new Map<number, Block>();
  #drops = 0;

  constructor(cache: Blocks, key: string, backing: Backing, o: ObjectOptions) {
    this.#cache = cache;
    this.key = key;
    this.#backing = backing;
    this.delay = o.writeDelayNs;
    this.label = cache.nvram === undefined ? undefined : o.label;
  }

  get isCovered(): boolean {
    const { nvram } = this.#cache;
    return this.label !== undefined && this.#dirty.every((b) => nvram?.read(this.label ?? '', b.number));
  }

  recover(): boolean {
    const { nvram, scope, blocksMax } = this.#cache;
    const kept = nvram?.labels().find((l) => l.label === this.label)?.blocks ?? [];
    if (kept.length > blocksMax) return false;
    for (const number of kept) {
      const bytes = nvram?.read(this.label ?? '', number) ?? new Uint8Array(0);
      const dirtySinceNs = scope.engine.nowNs;
      this.#blocks.set(number, { number, bytes, dirtySinceNs, writing: false, writes: 0 });
    }
    this.#cache.dirtied(this);
    return true;
  }

  #leave(block: Block): void {
    if (this.label !== undefined) this.#cache.nvram?.drop(this.label, block.number);
  }

  get cachedBlocks(): number {
    return this.#blocks.size;
  }

  get dirtyBlocks(): number {
    return this.#dirty.length;
  }

  get #dirty(): Block[] {
    return [...this.#blocks.values()].filter((b) => b.dirtySinceNs !== null);
  }

  get dirtySinceNs(): number | null {
    return this.#dirty.reduce<number | null>(
      (least, b) => Math.min(least ?? Infinity, b.dirtySinceNs ?? 0),
      null,
    );
  }

  tryRead(n: number): Uint8Array | undefined {
    return this.#blocks.get(n)?.bytes;
  }

  *read(n: number): Task<Uint8Array> {
    const drops = this.#drops;
    const bytes = this.tryRead(n) ?? (yield* this.#backing.fetch(n));
    yield* this.#cache.place();
    const meanwhile = this.#blocks.get(n);
    if (meanwhile !== undefined) return meanwhile.bytes;
    if (drops === this.#drops)
      this.#blocks.set(n, { number: n, bytes, dirtySinceNs: null, writing: false, writes: 0 });
    return bytes;
  }

  *write(n: number, at: number, bytes: Uint8Array, o: { readonly fetchFirst: boolean }): Task<void> {
    if (o.fetchFirst && !this.#blocks.has(n)) yield* this.read(n);
    if (!this.#blocks.has(n)) yield* this.#cache.place();
    const block = this.#blocks.get(n) ?? {
      number: n,
      bytes: new Uint8Array(0),
      dirtySinceNs: null,
      writing: false,
      writes: 0,
    };
    this.#blocks.set(n, block);
    const next = new Uint8Array(Math.max(block.bytes.length, at + bytes.length));
    next.set(block.bytes);
    next.set(bytes, at);
    block.bytes = next;
    if (this.label !== undefined) this.#cache.nvram?.tryPut(this.label, n, 0, next);
    block.writes++;
    block.dirtySinceNs ??= this.#cache.scope.engine.nowNs;
    this.#cache.dirtied(this);
  }

  *flush(): Task<void> {
    for (const block of this.#dirty.sort((a, b) => a.number - b.number)) yield* this.#writeBack(block);
  }

  *flushIfPossible(): Task<void> {
    try {
      yield* this.flush();
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }

  *#writeBack(block: Block): Task<void> {
    while (block.writing) yield* this.#cache.changed.wait();
    if (block.dirtySinceNs === null || this.#blocks.get(block.number) !== block) return;
    block.writing = true;
    const { writes } = block;
    let lastDirty = false;
    try {
      do {
        lastDirty = this.#dirty.length === 1;
        yield* this.#backing.writeBack(block.number, block.bytes, { lastDirty });
      } while (!lastDirty && this.#dirty.length === 1 && this.#dirty[0] === block && block.writes === writes);
      if (block.writes === writes) {
        block.dirtySinceNs = null;
        this.#leave(block);
      }
    } finally {
      block.writing = false;
      this.#cache.changed.wakeAll();
    }
  }

  drop(what: 'all' | 'clean', from = 0): void {
    this.#drops++;
    for (const b of [...this.#blocks.values()])
      if (b.number >= from && (what === 'all' || b.dirtySinceNs === null)) {
        this.#blocks.delete(b.number);
        this.#leave(b);
      }
  }

  evictClean(): boolean {
    for (const b of this.#blocks.values())
      if (b.dirtySinceNs === null && !b.writing) return this.#blocks.delete(b.number);
    return false;
  }

  makeOldest(): void {}

  release(): void {
    if (this.#blocks.size === 0) this.#cache.objects.delete(this.key);
  }
}
