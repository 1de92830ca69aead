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
  distinct: number;
  violations: number;
  /** That a thread worked on it. */
  seconds: number;
}

export interface Tally {
  /** Crash states that were made. */
  states: number;
  /** Those among them that were like none before of their workload in disk and allowed outcomes: each was judged. */
  distinct: number;
  /** Disks among those that differed: each was attached, audited, walked through and used. */
  mounted: number;
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
  distinct: 0,
  mounted: 0,
  violations: 0,
  runs: 0,
  writes: 0,
  byKind: {},
  wrong: {},
  failures: [],
});

/** A state that is like one before. */
export function repeat(t: Tally, kind: CrashKind): KindCount {
  t.states++;
  const counted = countOf(t, kind);
  counted.states++;
  return counted;
}

export function count(t: Tally, f: Failure): void {
  const kind = repeat(t, f.spec.kind);
  t.distinct++;
  kind.distinct++;
  const [first] = f.violations;
  if (first === undefined) return;
  t.violations++;
  kind.violations++;
  const sort = sortOf(f);
  t.wrong[first.kind] = (t.wrong[first.kind] ?? 0) + 1;
  if (!t.failures.some((g) => sortOf(g) === sort)) t.failures.push(f);
}

/** Time that went into a kind. */
export function spend(t: Tally, kind: CrashKind, seconds: number): void {
  countOf(t, kind).seconds += seconds;
}

function countOf(t: Tally, kind: CrashKind): KindCount {
  const known = t.byKind[kind] ?? { states: 0, distinct: 0, violations: 0, seconds: 0 };
  t.byKind[kind] = known;
  return known;
}

const sortOf = (f: Failure): string => `${f.spec.kind} ${f.violations[0]?.kind}`;

export function add(to: Tally, from: Tally): void {
  to.states += from.states;
  to.distinct += from.distinct;
  to.mounted += from.mounted;
  to.violations += from.violations;
  to.runs += from.runs;
  to.writes += from.writes;
  for (const kind of crashKinds) {
    const more = from.byKind[kind];
    if (more === undefined) continue;
    const sum = countOf(to, kind);
    sum.states += more.states;
    sum.distinct += more.distinct;
    sum.violations += more.violations;
    sum.seconds += more.seconds;
  }
  for (const [word, n] of Object.entries(from.wrong)) to.wrong[word] = (to.wrong[word] ?? 0) + n;
  for (const f of from.failures) if (!to.failures.some((g) => sortOf(g) === sortOf(f))) to.failures.push(f);
}
