/** Slot `fileCache`. */
export { noCache } from './board.ts';
