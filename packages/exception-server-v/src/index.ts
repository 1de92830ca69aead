/** Slot `servers`. */
export { exceptionServer } from './board.ts';

// A handler
export { Debugger, type Stopped } from './debugger.ts';
