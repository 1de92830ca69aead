/** A machine with the block cache under test in a few page frames, and a store below it that notes what it is asked. */
import { ms, sleep, type Task, type Thread } from '@backplane/engine';
import {
  type Backing,
  type BlockCache,
  type CachedObject,
  KernelError,
  type MachineCosts,
  type Memory,
  type WriteDelay,
} from '@backplane/slots';
import { alone, machineType } from '../neighbours.ts';
import { Rig } from '../rig.ts';
import type { Bounds } from './under-test.ts';

/** Page frames of the machine, half of which files may have. */
const frames = 64;

export class World {
  readonly rig: Rig;
  readonly cache: BlockCache;

  /** @param costs of the machine, where they are to be seen; the others are none */
  constructor({ boards }: Pick<Bounds, 'boards'>, seed = 1, costs: Partial<MachineCosts> = {}) {
    const free = machineType(frames);
    const type = { ...free, costs: { ...free.costs, ...costs } };
    this.rig = new Rig({ server: alone().with(boards) }, { seed, type });
    this.cache = this.rig.board('server', 'blockCache');
  }

  get memory(): Memory {
    return this.rig.board('server', 'memory');
  }

  /** Blocks that find a place at the same time. */
  get places(): number {
    return Math.floor(((frames / 2) * this.memory.frameBytes) / this.cache.blockBytes);
  }

  object(key: string, store: Backing, writeDelayNs: WriteDelay = 'never'): CachedObject {
    return this.cache.object(`check ${key}`, store, { writeDelayNs });
  }

  run<T>(body: () => Task<T>): T {
    return this.rig.on('server', body);
  }

  start<T>(body: Task<T>): Thread<T> {
    return this.rig.spawn('server', body);
  }

  /** A whole block of one value. */
  block(value: number): Uint8Array {
    return new Uint8Array(this.cache.blockBytes).fill(value);
  }
}

export class Store implements Backing {
  readonly blocks: Map<number, Uint8Array> = new Map();
  /** `fetch 3`, `write 3`, `write 3 last`, in the order in which they were begun. */
  readonly log: string[] = [];
  /** Blocks whose write-back or fetch fails. */
  failing: (block: number) => boolean = () => false;
  delayNs: number = ms(1);
  readonly #blockBytes: number;

  constructor(world: World) {
    this.#blockBytes = world.cache.blockBytes;
  }

  *fetch(block: number): Task<Uint8Array> {
    this.log.push(`fetch ${block}`);
    const bytes = this.blocks.get(block) ?? new Uint8Array(this.#blockBytes);
    yield* sleep(this.delayNs);
    if (this.failing(block)) throw new KernelError('ioError');
    return bytes;
  }

  *writeBack(block: number, bytes: Uint8Array, o: { readonly lastDirty: boolean }): Task<void> {
    this.log.push(`write ${block}${o.lastDirty ? ' last' : ''}`);
    yield* sleep(this.delayNs);
    if (this.failing(block)) throw new KernelError('ioError');
    this.blocks.set(block, bytes);
  }
}
