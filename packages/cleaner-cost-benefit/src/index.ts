/** Slot `cleaner`. */
export type { CostBenefitOptions } from './board.ts';
export { costBenefitCleaner } from './board.ts';
