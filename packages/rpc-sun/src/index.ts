/** Slot `transport`. */
export type { SunRpcOptions } from './board.ts';
export { sunRpc } from './board.ts';

// The protocol, for dissectors and measurements.
export type { ShortHand } from './layout.ts';
export { limits, ports, programs, programVersion, shortHand } from './layout.ts';
