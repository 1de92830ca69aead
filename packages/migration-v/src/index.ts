/** Slot `servers`. */
export type { MigrationOptions } from './board.ts';
export { migration } from './board.ts';
