/** Slot `processors`. */
export { processors } from './board.ts';
