/** Slot `disk`: non-volatile memory in front of a disk. */
export type { NvramOptions } from './board.ts';
export { nvram } from './board.ts';
