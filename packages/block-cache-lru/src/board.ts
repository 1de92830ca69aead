/** The board for slot `blockCache`: least recently used blocks go first, dirty ones are written back after a delay. */
import { seconds } from '@backplane/engine';
import { type Component, defineComponent, isKernelError } from '@backplane/slots';
import { z } from 'zod';
import { blockBytes } from './block.ts';
import { LruCache } from './cache.ts';
import { smallNvramBlocks } from './errors.ts';
import { version } from './version.ts';

const options = z.strictObject({
  scanSeconds: z
    .number()
    .positive()
    .default(5)
    .describe('how often dirty blocks are looked through for old ones, in seconds'),
  cleanersMax: z.int().min(1).max(64).default(6).describe('files written back at the same time'),
  asideSeconds: z
    .number()
    .nonnegative()
    .default(0)
    .describe(
      'age at which dirty blocks are written back that have a copy in non-volatile memory, in seconds; 0: only when it is full, or they are asked for',
    ),
});
export interface LruCacheOptions {
  readonly scanSeconds?: number;
  readonly cleanersMax?: number;
  readonly asideSeconds?: number;
}

export const lruBlockCache: Component<'blockCache', LruCacheOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/block-cache-lru',
  version,
  slot: 'blockCache',
  contract: 1,
  requires: ['memory', 'memoryPolicy', 'nvram?'],
  capabilities: ['aside'],
  options,
  create: ({ memory, memoryPolicy, nvram }, { scanSeconds, cleanersMax, asideSeconds }, machine) => {
    if (nvram !== undefined && nvram.blockBytes < blockBytes)
      throw smallNvramBlocks(machine.name, nvram.blockBytes, blockBytes);
    const cache = new LruCache(memory, memoryPolicy, nvram, machine, {
      scanNs: seconds(scanSeconds),
      cleanersMax,
      asideAgeNs: asideSeconds === 0 ? Number.POSITIVE_INFINITY : seconds(asideSeconds),
    });
    const name = `cache.${machine.role}`;
    machine.metrics.register(`${name}.readHits`, () => cache.readHits);
    machine.metrics.register(`${name}.readMisses`, () => cache.readMisses);
    machine.metrics.register(`${name}.writes`, () => cache.writes);
    machine.metrics.register(`${name}.writeFetches`, () => cache.writeFetches);
    machine.metrics.register(`${name}.writeBacks`, () => cache.writeBacks);
    machine.metrics.register(`${name}.writeBackErrors`, () => cache.writeBackErrors);
    machine.metrics.register(`${name}.evictions`, () => cache.evictions);
    machine.metrics.register(`${name}.blocks`, () => cache.blocks);
    machine.metrics.register(`${name}.dirtyBlocks`, () => cache.dirtyBlocks);
    if (nvram === undefined) return cache;
    const { aside } = cache;
    machine.metrics.register(`${name}.asideBlocks`, () => aside.blocks);
    machine.metrics.register(`${name}.asideWrites`, () => aside.writes);
    machine.metrics.register(`${name}.asideWriteBacks`, () => aside.writeBacks);
    machine.metrics.register(`${name}.asideMisses`, () => aside.misses);
    return cache;
  },
  /** What cannot be stored does not keep the machine from halting; who made the objects knows whether that matters. */
  *halt(board) {
    try {
      yield* board.flushAll();
    } catch (e) {
      if (!isKernelError(e)) throw e;
      (board as LruCache).writeBackErrors++;
    }
  },
});
