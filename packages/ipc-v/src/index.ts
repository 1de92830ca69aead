/** V's interprocess communication, for the slot `ipc`. */

export type { VIpcOptions } from './board.ts';
export { ipcV } from './board.ts';
export { SegmentCode } from './memory-manager.ts';
