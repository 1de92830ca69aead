/** Runs an experiment twice and compares the event logs; on a difference finds the first event that differs. */
import type { EngineEvent } from '@backplane/engine';
import type { Experiment } from './experiment.ts';
import type { RunSettings } from './run.ts';
import { oneRun, type Runs, runAll } from './runs.ts';

/** A run once more, for its events alone. */
function unrecorded(settings: RunSettings): RunSettings {
  const { attach: _, watchCalls: __, ...again } = settings;
  return again;
}

export interface Divergence {
  readonly index: number;
  readonly virtualSeconds: number;
  /** The machine, or the medium. */
  readonly machine: string;
  /** Thread or timer, as its board named it. */
  readonly component: string;
  readonly event: string;
}

export interface Verification {
  readonly experiment: string;
  readonly equal: boolean;
  readonly traceHashes: readonly [string, string];
  readonly events: readonly [number, number];
  readonly firstDivergence: Divergence | null;
}

export const verifyExperiment = (experiment: Experiment, settings: RunSettings): Verification =>
  runAll(verification(experiment, settings));

/** The runs of a verification. What is attached sees the first of them only. */
export function* verification(experiment: Experiment, settings: RunSettings): Runs<Verification> {
  const again = unrecorded(settings);
  const a = yield* oneRun(experiment, settings);
  const b = yield* oneRun(experiment, again);
  const equal = a.traceHash === b.traceHash;
  return {
    experiment: experiment.name,
    equal,
    traceHashes: [a.traceHash, b.traceHash],
    events: [a.events, b.events],
    firstDivergence: equal ? null : yield* firstDivergence(experiment, again, again),
  };
}

const windowEvents = 100_000;

/**
 * The first event in which two runs differ. Both are recorded in windows of as many events as fit memory: a run is a
 * function of its inputs, so each window can be had by running again.
 */
export function* firstDivergence(
  experiment: Experiment,
  one: RunSettings,
  two: RunSettings,
): Runs<Divergence | null> {
  for (let from = 0; ; from += windowEvents) {
    const a = yield* record(experiment, one, from);
    const b = yield* record(experiment, two, from);
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      const x = a[i];
      const y = b[i];
      if (x !== undefined && y !== undefined && same(x, y)) continue;
      return divergence(from + i, x ?? y);
    }
    if (a.length < windowEvents) return null;
  }
}

function* record(experiment: Experiment, settings: RunSettings, from: number): Runs<readonly EngineEvent[]> {
  const events: EngineEvent[] = [];
  let index = 0;
  yield* oneRun(experiment, {
    ...unrecorded(settings),
    watchEvents: (e) => {
      if (index >= from && index < from + windowEvents) events.push({ ...e });
      index++;
    },
  });
  return events;
}

const same = (a: EngineEvent, b: EngineEvent): boolean =>
  a.timeNs === b.timeNs && a.kind === b.kind && a.id === b.id && a.scopeId === b.scopeId;

function divergence(index: number, e: EngineEvent | undefined): Divergence | null {
  if (e === undefined) return null;
  return { index, virtualSeconds: e.timeNs / 1e9, machine: e.scopeName, component: e.name, event: e.kind };
}
