/**
 * The same workload with the same seeds, one thing changed: what each variant did to every measure, and where its first
 * run first went another way than the base's.
 */
import type { Experiment } from './experiment.ts';
import { change, type Interval, interval } from './intervals.ts';
import { type RunResult, type RunSettings, runExperiment } from './run.ts';
import { parseSetting } from './setting.ts';
import { type Divergence, firstDivergence } from './verify.ts';

export interface Variation {
  readonly slot: string;
  /** The first is the base. */
  readonly boards: readonly string[];
}

export interface ComparedMetric extends Interval {
  readonly changePercent: number;
  readonly changeLow: number;
  readonly changeHigh: number;
}

export interface Comparison {
  readonly experiment: string;
  readonly base: { readonly set: string; readonly metrics: Readonly<Record<string, Interval>> };
  readonly variants: readonly {
    readonly set: string;
    readonly metrics: Readonly<Record<string, ComparedMetric>>;
    readonly firstDivergence: Omit<Divergence, 'index'> | null;
  }[];
  readonly seeds: number;
}

/** Costs of the whole cluster that are compared beside the experiment's own measures. */
const clusterMetrics = [
  'network.frames',
  'network.bytes',
  'rpc.calls',
  'disk.server.busySeconds',
  'processor.server.busySeconds',
  'processor.client.busySeconds',
];

/** @param done is told after each run, for progress */
export function compareExperiment(
  experiment: Experiment,
  settings: RunSettings,
  vary: Variation,
  seeds: number,
  done: (runs: number, of: number) => void,
): Comparison {
  const sets = vary.boards.map((b) => `${vary.slot}=${b}`);
  const variants = sets.map(
    (set): RunSettings => ({ ...settings, settings: [...(settings.settings ?? []), parseSetting(set)] }),
  );
  let runs = 0;
  const results = variants.map((variant) =>
    Array.from({ length: seeds }, (_, i) => {
      const result = measuresOf(
        experiment,
        runExperiment(experiment, { ...variant, seed: (settings.seed ?? 1) + i }),
      );
      done(++runs, seeds * sets.length);
      return result;
    }),
  );
  const [base = [], ...others] = results;
  const names = [...new Set(results.flat().flatMap((r) => Object.keys(r)))].sort();
  const values = (of: readonly Readonly<Record<string, number>>[], name: string): readonly number[] =>
    of.map((r) => r[name] ?? 0);
  return {
    experiment: experiment.name,
    base: {
      set: sets[0] ?? '',
      metrics: Object.fromEntries(names.map((n) => [n, interval(values(base, n))])),
    },
    variants: others.map((other, i) => ({
      set: sets[i + 1] ?? '',
      metrics: Object.fromEntries(
        names.map((n) => {
          const c = change(values(base, n), values(other, n));
          return [
            n,
            { ...interval(values(other, n)), changePercent: c.mean, changeLow: c.low, changeHigh: c.high },
          ];
        }),
      ),
      firstDivergence: divergence(experiment, variants[0], variants[i + 1]),
    })),
    seeds,
  };
}

function divergence(
  experiment: Experiment,
  a: RunSettings | undefined,
  b: RunSettings | undefined,
): Omit<Divergence, 'index'> | null {
  if (a === undefined || b === undefined) return null;
  const found = firstDivergence(experiment, a, b);
  if (found === null) return null;
  const { index: _, ...where } = found;
  return where;
}

function measuresOf(experiment: Experiment, result: RunResult): Readonly<Record<string, number>> {
  const chosen = clusterMetrics.flatMap((name): [string, number][] =>
    result.metrics[name] === undefined ? [] : [[name, result.metrics[name]]],
  );
  return { ...experiment.measures(result.result), ...Object.fromEntries(chosen) };
}
