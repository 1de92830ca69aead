/** Slot `systemCalls`. */
export type { SpriteSystemCallsOptions } from './board.ts';
export { spriteSystemCalls } from './board.ts';
