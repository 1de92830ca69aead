/** Slot `disk`: one disk made of several. */
export type { DiskArray } from './array.ts';
export type { RaidOptions } from './board.ts';
export { raid } from './board.ts';
export type { Level } from './geometry.ts';
