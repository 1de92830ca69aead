/** Slot `naming`. */
export type { MountNamingOptions } from './board.ts';
export { mountNaming } from './board.ts';
