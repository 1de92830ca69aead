/** Slot `fileCache`. */
export type { SpriteCacheOptions } from './board.ts';
export { spriteCache } from './board.ts';
export type { Policy } from './policy.ts';
export type { ServerWrite } from './server-io.ts';
export type { SurvivorsFields } from './trace-kinds.ts';
