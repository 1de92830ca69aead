/**
 * Makes a failing case smaller: fewer operations, then fewer writes lost, as long as something of the same sort is wrong.
 * Without an operation all is recorded anew, so that its states are looked through for one that fails like the first.
 */
import type { CrashWorkload } from './operation.ts';
import { Probe } from './probe.ts';
import type { StateSpec } from './states.ts';
import type { Failure } from './tally.ts';
import type { Tester } from './tester.ts';

/** @param untilMs when to be content with what there is */
export function shrink(tester: Tester, failure: Failure, untilMs: number): Failure {
  let best = failure;
  for (let smaller = true; smaller && Date.now() < untilMs; ) {
    smaller = false;
    for (let i = best.workload.operations.length - 1; i >= 0 && Date.now() < untilMs; i--) {
      const found = failingLike(tester, best, without(best.workload, i), untilMs);
      if (found === null) continue;
      best = found;
      smaller = true;
    }
  }
  return withFewerLost(tester, best, untilMs);
}

function without(w: CrashWorkload, i: number): CrashWorkload {
  return {
    ...w,
    operations: w.operations.filter((_, k) => k !== i),
    prelude: i < w.prelude ? w.prelude - 1 : w.prelude,
    points: w.points.filter((p) => p !== i).map((p) => (p > i ? p - 1 : p)),
  };
}

function failingLike(tester: Tester, f: Failure, workload: CrashWorkload, untilMs: number): Failure | null {
  const probe = new Probe(tester, f.size, untilMs);
  // Most that fail in a harder way fail in this one, too.
  const kind = f.spec.kind === 'run' ? [] : [f.spec.kind];
  probe.test(workload, kind, { samples: 4, seed: 1 });
  const [wanted] = f.violations;
  return (
    probe.tally.failures.find((g) => g.spec.kind === f.spec.kind && g.violations[0]?.kind === wanted?.kind) ??
    null
  );
}

function withFewerLost(tester: Tester, f: Failure, untilMs: number): Failure {
  let best = f;
  for (const write of f.spec.lost ?? []) {
    if (Date.now() >= untilMs) break;
    const spec: StateSpec = { ...best.spec, lost: (best.spec.lost ?? []).filter((w) => w !== write) };
    const { violations } = tester.decide(best.workload, spec);
    if (violations[0]?.kind === f.violations[0]?.kind) best = { ...best, spec, violations };
  }
  return best;
}
