/** The board for slot `blockCache`: least recently used blocks go first, dirty ones are written back after a delay. */
import { seconds } from '@backplane/engine';
import { type Component, defineComponent } from '@backplane/slots';
import { z } from 'zod';
import { LruCache } from './cache.ts';
import { version } from './version.ts';

const options = z.strictObject({
  scanSeconds: z
    .number()
    .positive()
    .default(5)
    .describe('how often dirty blocks are looked through for old ones, in seconds'),
  cleanersMax: z.int().min(1).max(64).default(6).describe('files written back at the same time'),
});
export interface LruCacheOptions {
  readonly scanSeconds?: number;
  readonly cleanersMax?: number;
}

export const lruBlockCache: Component<'blockCache', LruCacheOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/block-cache-lru',
  version,
  slot: 'blockCache',
  contract: 1,
  requires: ['memory', 'memoryPolicy'],
  options,
  create: ({ memory, memoryPolicy }, { scanSeconds, cleanersMax }, machine) => {
    const cache = new LruCache(memory, memoryPolicy, machine, { scanNs: seconds(scanSeconds), cleanersMax });
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
    return cache;
  },
  *halt(board) {
    yield* board.flushAll();
  },
});
