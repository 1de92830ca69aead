/** Non-volatile memory: in front of a disk (slot `disk`), and for a machine's blocks (slot `nvram`). */

export type { NvramBlocksOptions } from './block-board.ts';
export { nvramBlocks } from './block-board.ts';
export type { NvramOptions } from './board.ts';
export { nvram } from './board.ts';
