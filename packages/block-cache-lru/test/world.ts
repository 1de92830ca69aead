/** A cache over counted frames, and a store that remembers what was written back. */
import { type RandomStream, sleep, type Task, type Thread } from '@backplane/engine';
import {
  type Backing,
  type BlockCache,
  type FrameHolder,
  KernelError,
  type MemoryPolicy,
  type Nvram,
} from '@backplane/slots';
import { Frames, testMachine } from '@backplane/slots/testing';
import { lruBlockCache } from '../src/index.ts';

export class Store implements Backing {
  readonly blocks: Map<number, Uint8Array> = new Map();
  readonly log: string[] = [];
  failing = false;
  delayNs = 1000;

  *fetch(block: number): Task<Uint8Array> {
    yield* sleep(this.delayNs);
    this.log.push(`fetch ${block}`);
    return this.blocks.get(block) ?? new Uint8Array(0);
  }

  *writeBack(block: number, bytes: Uint8Array, o: { readonly lastDirty: boolean }): Task<void> {
    yield* sleep(this.delayNs);
    if (this.failing) throw new KernelError('noSpace');
    this.blocks.set(block, bytes);
    this.log.push(`write ${block}${o.lastDirty ? ' last' : ''}`);
  }
}

export interface World {
  readonly cache: BlockCache;
  readonly memory: Frames;
  readonly holder: FrameHolder;
  metric(name: string): number;
  readonly nowNs: () => number;
  /** Starts a thread beside the one of `run`. */
  spawn(body: () => Task<void>): Thread<void>;
  random(purpose: string): RandomStream;
  /** Runs a thread to its end, the daemons with it. */
  run<T>(body: () => Task<T>): T;
}

export function world(
  o: {
    readonly frames?: number;
    readonly frameBytes?: number;
    readonly scanSeconds?: number;
    readonly asideSeconds?: number;
    readonly nvram?: Nvram;
    readonly seed?: number;
  } = {},
): World {
  const memory = new Frames(o.frames ?? 16, o.frameBytes);
  const holders: FrameHolder[] = [];
  const policy: MemoryPolicy = {
    register(h) {
      holders.push(h);
      return () => {};
    },
    tryClaim: (by) => memory.allocate(by.name),
    *claim() {
      return undefined;
    },
    recycles: () => memory.freeCount === 0,
  };
  const machine = testMachine({ seed: o.seed ?? 1 });
  const board = lruBlockCache({ scanSeconds: o.scanSeconds ?? 5, asideSeconds: o.asideSeconds ?? 0 });
  const granted = { memory, memoryPolicy: policy, nvram: o.nvram, wrapped: new Map() };
  const cache = board.create(granted as never, machine);
  return {
    cache,
    memory,
    holder: holders[0] as FrameHolder,
    metric: (name) => machine.metric(`cache.client.${name}`) ?? 0,
    nowNs: () => machine.engine.nowNs,
    spawn: (body) => machine.scope.spawn('beside', body()),
    random: (purpose) => machine.random(purpose),
    run<T>(body: () => Task<T>): T {
      const results: T[] = [];
      const thread = machine.scope.spawn(
        'test',
        (function* (): Task<void> {
          results.push(yield* body());
        })(),
      );
      machine.engine.run();
      if (!thread.ended) throw new Error('the test thread hangs');
      return results[0] as T;
    },
  };
}

export const bytesOf = (value: number, length = 4096): Uint8Array => new Uint8Array(length).fill(value);

/** Quicker than an expectation of every element. */
export const sameBytes = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
