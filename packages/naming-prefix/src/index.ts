/** Slot `naming`. */
export type { PrefixNamingOptions } from './board.ts';
export { prefixNaming } from './board.ts';
