/** Slot `scheduler`. */
export type { VSchedulerOptions } from './board.ts';
export { vScheduler } from './board.ts';
