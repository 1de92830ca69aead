/** A published table beside the model: which rows were fitted, which are predicted, and how far off they may be. */
import type { RunSettings } from '../run.ts';
import type { Runs } from '../runs.ts';
import { parseSetting } from '../setting.ts';

export interface PublishedRow {
  readonly source: string;
  readonly table: string;
  readonly row: string;
  readonly unit: string;
  readonly published: number;
  readonly measured: number;
  readonly ratio: number;
  /** `fitted`: a constant was set by this row. `predicted`: nothing was. `check`: an inequality or a range. */
  readonly kind: 'fitted' | 'predicted' | 'check';
  /** Largest deviation that is accepted, as a share. */
  readonly band: number;
  /** What is published is a bound: less is as good. */
  readonly atMost?: true;
}

/** What may be changed in a table without its rows meaning something else. */
export type Given = Pick<RunSettings, 'seed' | 'kernels' | 'settings' | 'faults' | 'installed'>;

/** Settings of a table's own, by their texts, then those given: of two for one slot the later counts. */
export const settingsFor = (given: Given, ...own: readonly string[]): RunSettings => ({
  ...given,
  settings: [...own.map((s) => parseSetting(s)), ...(given.settings ?? [])],
});

export interface PublishedTable {
  readonly name: string;
  readonly title: string;
  /** As published, but for what is given: kernels, boards and faults take the place of those that the table sets. */
  measure(given: Given): Runs<readonly PublishedRow[]>;
}

export const row = (r: Omit<PublishedRow, 'ratio'>): PublishedRow => ({
  ...r,
  ratio: r.measured / r.published,
});

export const withinBand = (r: PublishedRow): boolean =>
  r.ratio - 1 <= r.band && (r.atMost === true || 1 - r.ratio <= r.band);

/** Median of the deviations of the predicted rows, as a share. */
export function medianDeviation(rows: readonly PublishedRow[]): number | null {
  const deviations = rows
    .filter((r) => r.kind === 'predicted')
    .map((r) => Math.abs(r.ratio - 1))
    .sort((a, b) => a - b);
  const middle = Math.floor(deviations.length / 2);
  if (deviations.length === 0) return null;
  return deviations.length % 2 === 1
    ? (deviations[middle] ?? 0)
    : ((deviations[middle - 1] ?? 0) + (deviations[middle] ?? 0)) / 2;
}
