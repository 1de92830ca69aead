/** Slot `fileCache`. */
export type { UioOptions } from './board.ts';
export { uio } from './board.ts';
