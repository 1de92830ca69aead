/** Slot `vm`, and of slot `servers` the cache directory. */
export type { VMemoryOptions } from './board.ts';
export { vMemory } from './board.ts';
export type { CacheDirectoryOptions } from './directory-board.ts';
export { cacheDirectory } from './directory-board.ts';
