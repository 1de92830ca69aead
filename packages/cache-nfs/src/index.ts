/** Slot `fileCache`. */
export type { NfsCacheOptions } from './board.ts';
export { nfsCache } from './board.ts';
