/** One line of a benchmark, ours or another simulator's. */

export interface Line {
  readonly name: string;
  readonly units: number;
  /** Wall clock. */
  readonly sec: number;
  /** Processor time, of the runtime's helper threads too. */
  readonly cpu: number;
  /** Units per processor second. */
  readonly rate: number;
  /** Equal, or near, in every program that does the same work. */
  readonly check: string;
  readonly [more: string]: unknown;
}

export const rounded = (n: number): number => Math.round(n * 1000) / 1000;

/** The one in the middle by some number; the upper one of two. */
export function median<L extends Line>(lines: readonly L[], by: (l: L) => number): L {
  const sorted = [...lines].sort((a, b) => by(a) - by(b));
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('a median of nothing');
  return middle;
}

/** What some work took, and what it came to. */
export function timed(name: string, work: () => { readonly units: number; readonly check: string }): Line {
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const { units, check } = work();
  const used = process.cpuUsage(cpuBefore);
  const cpu = (used.user + used.system) / 1e6;
  return {
    name,
    units,
    sec: rounded((performance.now() - startedMs) / 1000),
    cpu: rounded(cpu),
    rate: Math.round(units / cpu),
    check,
  };
}
