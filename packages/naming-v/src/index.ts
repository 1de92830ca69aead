/** Slot `naming`. */
export type { VNamingOptions } from './board.ts';
export { vNaming } from './board.ts';
