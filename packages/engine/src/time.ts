/**
 * Virtual time: an integer number of nanoseconds in a JS number, counted from the cluster's epoch.
 *
 * Integers up to 2^53 are exact (104 days), so sums and comparisons of instants are the same on every machine.
 * Rules of use: round once, where a duration is computed; every delay that enters the engine passes `instantAfter`.
 */
import { badTime } from './errors.ts';

/** The last instant: 2^53 - 1 ns, about 104 virtual days. */
export const TIME_MAX_NS = 9007199254740991;

/** Virtual time 0 in seconds since 1970: 1988-01-25T00:00:00Z. Clocks and boot identifiers made from it are never 0. */
export const CLUSTER_EPOCH_SECONDS = 570067200;

/** Microseconds in nanoseconds, rounded to an integer. */
export function us(n: number): number {
  return Math.round(n * 1e3);
}

/** Milliseconds in nanoseconds, rounded to an integer. */
export function ms(n: number): number {
  return Math.round(n * 1e6);
}

/** Seconds in nanoseconds, rounded to an integer. */
export function seconds(n: number): number {
  return Math.round(n * 1e9);
}

/**
 * The instant `delayNs` after `fromNs`: the one check that every delay passes.
 *
 * @throws EngineError BAD_TIME: negative, not a whole number, NaN, or past the end of time
 */
export function instantAfter(fromNs: number, delayNs: number): number {
  const atNs = fromNs + delayNs;
  if (!(delayNs >= 0 && atNs <= TIME_MAX_NS && Math.floor(atNs) === atNs)) throw badTime(fromNs, delayNs);
  return atNs;
}
