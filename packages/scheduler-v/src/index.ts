/** Slot `scheduler`. */
export type { VSchedulerOptions } from './board.ts';
export { vScheduler } from './board.ts';

// Priorities
export { gradesMax, type LevelName, levels, priorityOf } from './levels.ts';
