/** When a fault strikes: from one instant up to, and without, another. */
import { wrongFault } from './errors.ts';

/** The present; an Engine is one. */
export interface Clock {
  readonly nowNs: number;
}

export interface FaultWindow {
  /** The first instant; the beginning of the run when absent. */
  readonly fromNs?: number;
  /** The first instant after it; the end of the run when absent. */
  readonly untilNs?: number;
}

/** Says whether the window is open now. @throws BackplaneError WRONG_FAULT */
export function within(rule: string, clock: Clock, window: FaultWindow): () => boolean {
  const fromNs = window.fromNs ?? 0;
  const untilNs = window.untilNs ?? Number.POSITIVE_INFINITY;
  if (!(fromNs >= 0)) throw wrongFault(rule, 'fromNs', fromNs, 'Time begins at 0.');
  if (!(untilNs > fromNs)) throw wrongFault(rule, 'untilNs', untilNs, `It must lie after fromNs, ${fromNs}.`);
  return () => clock.nowNs >= fromNs && clock.nowNs < untilNs;
}

/** A whole sentence from its main part, such as "frames are lost.": "From 10 s until 20 s frames are lost." */
export function sentence({ fromNs = 0, untilNs }: FaultWindow, main: string): string {
  let when = '';
  if (fromNs > 0)
    when = untilNs === undefined ? `from ${timeWords(fromNs)} on ` : `from ${timeWords(fromNs)} `;
  if (untilNs !== undefined) when += `until ${timeWords(untilNs)} `;
  const whole = when + main;
  return whole.slice(0, 1).toUpperCase() + whole.slice(1);
}

/** As in 10 s, 2.5 ms, 40 us. */
export function timeWords(ns: number): string {
  if (ns >= 1e9) return `${ns / 1e9} s`;
  return ns >= 1e6 ? `${ns / 1e6} ms` : `${ns / 1e3} us`;
}
