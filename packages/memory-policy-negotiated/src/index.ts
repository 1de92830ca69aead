/** Slot `memoryPolicy`. */
export type { NegotiatedMemoryOptions } from './board.ts';
export { negotiatedMemory } from './board.ts';
