/**
 * Work that consists of runs (a comparison, a verification) as a generator that asks for each run that it needs. Who
 * drives it decides how a run is made: at once, or in slices with progress between them.
 */
import type { Experiment } from './experiment.ts';
import { type RunResult, type RunSettings, runExperiment } from './run.ts';

export interface RunRequest {
  readonly experiment: Experiment;
  readonly settings: RunSettings;
}
export type Runs<T> = Generator<RunRequest, T, RunResult>;

/** One run, as a step of such work. */
export function* oneRun(experiment: Experiment, settings: RunSettings): Runs<RunResult> {
  return yield { experiment, settings };
}

/** Its result alone. */
export function* resultOf<P, R>(experiment: Experiment<P, R>, settings: RunSettings): Runs<R> {
  // boundary: a request knows no experiment's types, and the answer to this one is of this one's
  return (yield* oneRun(experiment as Experiment, settings)).result as R;
}

/** Makes each run at once. */
export function runAll<T>(runs: Runs<T>): T {
  let step = runs.next();
  while (step.done !== true) step = runs.next(runExperiment(step.value.experiment, step.value.settings));
  return step.value;
}
