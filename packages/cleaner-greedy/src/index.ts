/** Slot `cleaner`. */
export type { GreedyOptions } from './board.ts';
export { greedyCleaner } from './board.ts';
