/** Slot `memoryPolicy`. */
export type { FixedMemoryOptions } from './board.ts';
export { fixedMemory } from './board.ts';
