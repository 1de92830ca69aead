/** Slot `streams`. */
export { streams } from './board.ts';
