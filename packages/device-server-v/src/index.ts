/** Slot `servers`. */
export { type DeviceServer, type DeviceServerOptions, deviceServer } from './board.ts';
export { DeviceFunction } from './functions.ts';
export { type MouseState, mouseIn } from './mouse.ts';
export type { ConsoleTraceKind } from './trace-kinds.ts';
