/** Slot `objects`. */
export { pipes } from './board.ts';
