/** Slot `cleaner`. */
export { noCleaner } from './board.ts';
