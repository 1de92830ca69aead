/** Slot `servers`. */
export type { TimeSyncOptions } from './board.ts';
export { timeSync } from './board.ts';
