/** Slot `systemCalls`. */
export { type RuntimeOptions, runtime } from './board.ts';
