/** Slot `memory`. */
export type { MemoryOptions } from './board.ts';
export { memory } from './board.ts';
