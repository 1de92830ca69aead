/** Durations and instants as people write them: `90s`, `1.5s`, `20ms`, `5m`. A bare number is seconds. */
import { ms, seconds, us } from '@backplane/engine';

const units: { readonly [unit: string]: (n: number) => number } = {
  '': seconds,
  s: seconds,
  ms,
  us,
  m: (n) => seconds(60 * n),
  h: (n) => seconds(3600 * n),
};

/** Nanoseconds, or undefined if it is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/.exec(text.trim());
  const unit = units[match?.[2] ?? '?'];
  return match === null || unit === undefined ? undefined : unit(Number(match[1]));
}
