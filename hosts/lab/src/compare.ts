/**
 * The same workload with the same seeds, one thing changed: what each variant did to every measure, and where its first
 * run first went another way than the base's.
 */
import type { Experiment } from './experiment.ts';
import { change, type Interval, interval } from './intervals.ts';
import type { RunResult, RunSettings } from './run.ts';
import { oneRun, type Runs } from './runs.ts';
import type { Setting } from './setting.ts';
import { type Divergence, firstDivergence } from './verify.ts';

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
  /** The variants were run with so many seeds each. */
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

export interface ComparisonTask {
  readonly experiment: Experiment;
  readonly settings: RunSettings;
  /** One board each for the same slot; the first is the base. */
  readonly variants: readonly [Setting, Setting, ...Setting[]];
  readonly seeds: number;
  /** Adds to the settings of a run, such as a recording. Variants and seeds count from 0. */
  readonly prepare?: (settings: RunSettings, variant: number, seed: number) => RunSettings;
  /** Asked before each run, and when one was broken off: when it says so, the seeds that are finished are all there are. */
  readonly stopped?: () => boolean;
}

/**
 * Runs every variant with one seed before the next seed, so that what is finished when it is stopped can be compared.
 *
 * @returns null when not even one seed was finished
 */
export function* compareExperiment(t: ComparisonTask): Runs<Comparison | null> {
  const { experiment, seeds } = t;
  const stopped = (): boolean => t.stopped?.() === true;
  const settings = t.variants.map(
    (v): RunSettings => ({ ...t.settings, settings: [...(t.settings.settings ?? []), v] }),
  );
  const bySeed: Readonly<Record<string, number>>[][] = [];
  for (let i = 0; i < seeds; i++) {
    const results = [];
    for (const [variant, s] of settings.entries()) {
      if (stopped()) break;
      const seeded = { ...s, seed: (s.seed ?? 1) + i };
      try {
        results.push(
          measuresOf(experiment, yield* oneRun(experiment, t.prepare?.(seeded, variant, i) ?? seeded)),
        );
      } catch (e) {
        if (!stopped()) throw e;
      }
    }
    if (results.length < settings.length) break;
    bySeed.push(results);
  }
  if (bySeed.length === 0) return null;
  const of = (variant: number): readonly Readonly<Record<string, number>>[] =>
    bySeed.map((results) => results[variant] ?? {});
  const names = [...new Set(bySeed.flat().flatMap((r) => Object.keys(r)))].sort();
  const values = (variant: number, name: string): readonly number[] => of(variant).map((r) => r[name] ?? 0);
  const variants = [];
  for (const [i, v] of t.variants.entries()) {
    if (i === 0) continue;
    const metrics = names.map((n): [string, ComparedMetric] => {
      const c = change(values(0, n), values(i, n));
      return [n, { ...interval(values(i, n)), changePercent: c.mean, changeLow: c.low, changeHigh: c.high }];
    });
    variants.push({
      set: v.text,
      metrics: Object.fromEntries(metrics),
      firstDivergence: yield* divergence(experiment, settings[0], settings[i], stopped),
    });
  }
  return {
    experiment: experiment.name,
    base: {
      set: t.variants[0].text,
      metrics: Object.fromEntries(names.map((n) => [n, interval(values(0, n))])),
    },
    variants,
    seeds: bySeed.length,
  };
}

function* divergence(
  experiment: Experiment,
  a: RunSettings | undefined,
  b: RunSettings | undefined,
  stopped: () => boolean,
): Runs<Omit<Divergence, 'index'> | null> {
  if (a === undefined || b === undefined || stopped()) return null;
  try {
    const found = yield* firstDivergence(experiment, a, b);
    if (found === null) return null;
    const { index: _, ...where } = found;
    return where;
  } catch (e) {
    if (!stopped()) throw e;
    return null;
  }
}

function measuresOf(experiment: Experiment, result: RunResult): Readonly<Record<string, number>> {
  const chosen = clusterMetrics.flatMap((name): [string, number][] =>
    result.metrics[name] === undefined ? [] : [[name, result.metrics[name]]],
  );
  return { ...experiment.measures(result.result), ...Object.fromEntries(chosen) };
}
