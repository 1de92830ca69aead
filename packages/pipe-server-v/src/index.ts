/** Slot `servers`. */
export { type PipeServerOptions, pipeServer } from './board.ts';
