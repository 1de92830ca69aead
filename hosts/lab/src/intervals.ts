/**
 * Means with 95 % intervals over runs with different seeds, by the bootstrap: the runs are drawn again with replacement, a
 * thousand times, and the middle 95 % of the means are the interval (Efron 1979). Its own draws are seeded, so that a
 * comparison prints the same numbers each time.
 */
import { Engine } from '@backplane/engine';
import { mean, quantile } from 'simple-statistics';

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

const resamples = 1000;

export function interval(values: readonly number[]): Interval {
  return bootstrap(values.length, (picked) => mean(picked.map((i) => values[i] ?? 0)));
}

/** The change from a to b in percent, run by run with the same seed: what chance did to both cancels out. */
export function change(a: readonly number[], b: readonly number[]): Interval {
  return bootstrap(a.length, (picked) => {
    const before = mean(picked.map((i) => a[i] ?? 0));
    const after = mean(picked.map((i) => b[i] ?? 0));
    return before === 0 ? (after === 0 ? 0 : Number.POSITIVE_INFINITY) : (100 * (after - before)) / before;
  });
}

function bootstrap(runs: number, statistic: (picked: readonly number[]) => number): Interval {
  const all = Array.from({ length: runs }, (_, i) => i);
  const value = statistic(all);
  if (runs < 2) return { mean: value, low: value, high: value };
  const random = new Engine({ seed: runs }).random('bootstrap');
  const drawn = Array.from({ length: resamples }, () => statistic(all.map(() => random.below(runs))));
  return { mean: value, low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
}
