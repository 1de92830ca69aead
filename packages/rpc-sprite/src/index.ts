/** Slot `transport`. */
export type { SpriteRpcOptions } from './board.ts';
export { spriteRpc } from './board.ts';

// The protocol, for dissectors and measurements.
export type { SpriteRpcHeader } from './layout.ts';
export {
  flags,
  headerBytes,
  limits,
  procedures,
  refusals,
  spriteRpcHeader,
  types,
  versions,
} from './layout.ts';
export type { ClockTime } from './procedures.ts';
export { echo, getTime, send } from './procedures.ts';
export type { SpriteRpcTraceKinds } from './trace-kinds.ts';
