/** Slot `internet`. */

export { hostOf, internetAddress } from './addresses.ts';
export type { InternetOptions } from './board.ts';
export { ip } from './board.ts';
