/** Slot `memoryPolicy`. */
export { unifiedMemory } from './board.ts';
