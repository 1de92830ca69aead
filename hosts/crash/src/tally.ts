/** What was counted, in a form that goes from one thread to another. */
import type { CrashWorkload } from './operation.ts';
import { type CrashKind, crashKinds, type StateSpec } from './states.ts';
import type { DiskSize } from './tester.ts';
import type { Violation } from './violation.ts';

export interface Failure {
  readonly workload: CrashWorkload;
  readonly size: DiskSize;
  readonly spec: StateSpec;
  readonly violations: readonly Violation[];
}

export interface KindCount {
  states: number;
  violations: number;
}

export interface Tally {
  /** Crash states that were judged. */
  states: number;
  /** Disk images among them that differed: each was attached, audited, walked through and used. */
  images: number;
  /** States that were made and were like one before in everything. */
  repeats: number;
  /** States that must not be. */
  violations: number;
  /** Runs of workloads on the storage. */
  runs: number;
  /** Writes that those runs made. */
  writes: number;
  byKind: Partial<Record<CrashKind, KindCount>>;
  /** States by the sort of what was wrong first. */
  wrong: Record<string, number>;
  /** The first of each sort. */
  failures: Failure[];
}

export const newTally = (): Tally => ({
  states: 0,
  images: 0,
  repeats: 0,
  violations: 0,
  runs: 0,
  writes: 0,
  byKind: {},
  wrong: {},
  failures: [],
});

export function count(t: Tally, f: Failure): void {
  t.states++;
  const kind = countOf(t, f.spec.kind);
  kind.states++;
  const [first] = f.violations;
  if (first === undefined) return;
  t.violations++;
  kind.violations++;
  const sort = sortOf(f);
  t.wrong[first.kind] = (t.wrong[first.kind] ?? 0) + 1;
  if (!t.failures.some((g) => sortOf(g) === sort)) t.failures.push(f);
}

function countOf(t: Tally, kind: CrashKind): KindCount {
  const known = t.byKind[kind] ?? { states: 0, violations: 0 };
  t.byKind[kind] = known;
  return known;
}

const sortOf = (f: Failure): string => `${f.spec.kind} ${f.violations[0]?.kind}`;

export function add(to: Tally, from: Tally): void {
  to.states += from.states;
  to.images += from.images;
  to.repeats += from.repeats;
  to.violations += from.violations;
  to.runs += from.runs;
  to.writes += from.writes;
  for (const kind of crashKinds) {
    const more = from.byKind[kind];
    if (more === undefined) continue;
    const sum = countOf(to, kind);
    sum.states += more.states;
    sum.violations += more.violations;
  }
  for (const [word, n] of Object.entries(from.wrong)) to.wrong[word] = (to.wrong[word] ?? 0) + n;
  for (const f of from.failures) if (!to.failures.some((g) => sortOf(g) === sortOf(f))) to.failures.push(f);
}
