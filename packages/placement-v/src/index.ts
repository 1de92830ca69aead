/** Slot `servers`. */
export type { PlacementOptions } from './board.ts';
export { placement } from './board.ts';
