/** Slot `servers`. */
export type { KernelServersOptions } from './board.ts';
export { kernelServers } from './board.ts';
