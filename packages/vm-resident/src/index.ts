/** Slot `vm`. */
export { residentVm } from './board.ts';
