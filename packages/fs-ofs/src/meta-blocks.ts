/**
 * Descriptor blocks, bitmap blocks and index blocks in the cache, each an object of its own under its address on the disk:
 * so each can be written back by itself and in the order that consistency needs. None leaves by age; who changes one
 * sees to it that it is written.
 */
import { type Task, tasks } from '@backplane/engine';
import type { Backing, BlockCache, CachedObject } from '@backplane/slots';
import { blockBytes } from './layouts.ts';

/** What reads and writes whole blocks of the disk. */
export interface BlockDevice {
  readBlocks(block: number, count: number): Task<Uint8Array>;
  writeBlocks(block: number, bytes: Uint8Array): Task<void>;
}

export class MetaBlock implements Backing {
  static {
    tasks(MetaBlock);
  }

  readonly block: number;
  readonly #device: BlockDevice;
  readonly #object: CachedObject;

  constructor(device: BlockDevice, cache: BlockCache, key: string, block: number) {
    this.block = block;
    this.#device = device;
    this.#object = cache.object(key, this, { writeDelayNs: 'never' });
  }

  *read(): Task<Uint8Array> {
    return this.#object.tryRead(0) ?? (yield* this.#object.read(0));
  }

  /** Changes some bytes of it. */
  *change(at: number, bytes: Uint8Array): Task<void> {
    yield* this.#object.write(0, at, bytes, { fetchFirst: true });
  }

  /** Changes all of it. */
  *fill(bytes: Uint8Array): Task<void> {
    yield* this.#object.write(0, 0, bytes, { fetchFirst: false });
  }

  get clean(): boolean {
    return this.#object.dirtyBlocks === 0;
  }

  *flush(): Task<void> {
    yield* this.#object.flush();
  }

  drop(): void {
    this.#object.drop('all');
    this.#object.release();
  }

  *fetch(): Task<Uint8Array> {
    return yield* this.#device.readBlocks(this.block, 1);
  }

  *writeBack(_: number, bytes: Uint8Array): Task<void> {
    let whole = bytes;
    if (bytes.length !== blockBytes) {
      whole = new Uint8Array(blockBytes);
      whole.set(bytes);
    }
    yield* this.#device.writeBlocks(this.block, whole);
  }
}

export class MetaBlocks {
  readonly #device: BlockDevice;
  readonly #cache: BlockCache;
  readonly #prefix: string;
  readonly #blocks = new Map<number, MetaBlock>();

  /** @param prefix of the cache keys */
  constructor(device: BlockDevice, cache: BlockCache, prefix: string) {
    this.#device = device;
    this.#cache = cache;
    this.#prefix = prefix;
  }

  at(block: number): MetaBlock {
    let found = this.#blocks.get(block);
    if (found === undefined) {
      found = new MetaBlock(this.#device, this.#cache, `${this.#prefix}:block.${block}`, block);
      this.#blocks.set(block, found);
    }
    return found;
  }

  /** The block is free: what the cache has of it is worth nothing. */
  drop(block: number): void {
    this.#blocks.get(block)?.drop();
    this.#blocks.delete(block);
  }
}
