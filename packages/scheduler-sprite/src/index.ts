/** Slot `scheduler`. */
export type { SpriteSchedulerOptions } from './board.ts';
export { spriteScheduler } from './board.ts';
