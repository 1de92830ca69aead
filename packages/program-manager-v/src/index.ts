/** Slot `servers`. */
export type { ProgramManagerOptions } from './board.ts';
export { programManager } from './board.ts';
