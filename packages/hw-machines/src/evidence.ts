/** How a constant is noted: its value with its evidence. Nanoseconds unless the cost's name says otherwise. */
import type { NotedCost } from '@backplane/slots';

/** A source gives the value. */
export const stated = (value: number, source: string): NotedCost => ({ value, evidence: 'stated', source });
/** The value was fitted to this one published row. */
export const fitted = (value: number, row: string): NotedCost => ({ value, evidence: 'fitted', source: row });
/** A guess from the processor's speed, which no row identifies alone. */
export const prior = (value: number, reason: string): NotedCost => ({
  value,
  evidence: 'prior',
  source: reason,
});
/** True by definition. */
export const exact = (value: number, reason: string): NotedCost => ({
  value,
  evidence: 'exact',
  source: reason,
});
