/** Slot `blockCache`. */
export type { LruCacheOptions } from './board.ts';
export { lruBlockCache } from './board.ts';
export type { CacheTraceKind } from './trace-kinds.ts';
