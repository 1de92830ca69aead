/** Slot `internet`. */
export type { InternetOptions } from './board.ts';
export { ip } from './board.ts';
