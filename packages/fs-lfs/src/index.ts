/** Slot `storage`: a log-structured file system, the format of its disks for tools, and their records. */
export type { LfsOptions } from './board.ts';
export { lfsStorage } from './board.ts';
export { lfsFormat } from './format.ts';
