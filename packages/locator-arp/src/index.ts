/** Slot `locator`. */
export type { ArpLocatorOptions } from './board.ts';
export { arpLocator } from './board.ts';
