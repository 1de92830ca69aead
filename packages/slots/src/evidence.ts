/** How a constant is noted: its value, and why that value. Nanoseconds unless the constant's name says otherwise. */

/** Where a constant comes from. `fitted` names the one published row that it was fitted to. */
export type CostEvidence = 'stated' | 'fitted' | 'prior' | 'exact';
export interface CostSource {
  readonly evidence: CostEvidence;
  readonly source: string;
}

/** A cost with its evidence, as machine types are written down. */
export interface NotedCost extends CostSource {
  readonly value: number;
}

/** A source gives the value. */
export const stated = (value: number, source: string): NotedCost => ({ value, evidence: 'stated', source });
/** The value was fitted to this one published row. */
export const fitted = (value: number, row: string): NotedCost => ({ value, evidence: 'fitted', source: row });
/** A guess from its kind, which no row identifies alone. */
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
