/** Slot `storage`. */
export type { MemoryStorageOptions } from './board.ts';
export { memoryStorage } from './board.ts';
