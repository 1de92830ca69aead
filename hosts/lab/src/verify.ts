/** Runs an experiment twice and compares the event logs; on a difference finds the first event that differs. */
import type { EngineEvent } from '@backplane/engine';
import type { Experiment } from './experiment.ts';
import { type RunSettings, runExperiment } from './run.ts';

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

export function verifyExperiment(experiment: Experiment, settings: RunSettings): Verification {
  const a = runExperiment(experiment, settings);
  const b = runExperiment(experiment, settings);
  const equal = a.traceHash === b.traceHash;
  return {
    experiment: experiment.name,
    equal,
    traceHashes: [a.traceHash, b.traceHash],
    events: [a.events, b.events],
    firstDivergence: equal ? null : firstDivergence(experiment, settings, settings),
  };
}

const windowEvents = 100_000;

/**
 * The first event in which two runs differ. Both are recorded in windows of as many events as fit memory: a run is a
 * function of its inputs, so each window can be had by running again.
 */
export function firstDivergence(
  experiment: Experiment,
  one: RunSettings,
  two: RunSettings,
): Divergence | null {
  for (let from = 0; ; from += windowEvents) {
    const a = record(experiment, one, from);
    const b = record(experiment, two, from);
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      const x = a[i];
      const y = b[i];
      if (x !== undefined && y !== undefined && same(x, y)) continue;
      return divergence(from + i, x ?? y);
    }
    if (a.length < windowEvents) return null;
  }
}

function record(experiment: Experiment, settings: RunSettings, from: number): readonly EngineEvent[] {
  const events: EngineEvent[] = [];
  let index = 0;
  runExperiment(experiment, {
    ...settings,
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
