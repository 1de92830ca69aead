/** A run with what the host measured beside it, and progress while it goes on. */
import { type Experiment, prepare, type RunResult, type RunSettings, type Runs } from '@backplane/lab';
import { isBackplaneError } from '@backplane/slots';
import { compileForKernels } from './compilation.ts';
import { Progress } from './progress.ts';
import { Interrupted, RunFailed } from './session.ts';

export interface MeasuredRun extends RunResult {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

const sliceNs = 1e9;

/**
 * Yields to the host between slices of virtual time, so that an interrupt is heard.
 *
 * @throws Interrupted, RunFailed, and BackplaneError when the settings cannot work
 */
export async function measuredRun(
  experiment: Experiment,
  settings: RunSettings,
  interrupted: AbortSignal,
): Promise<MeasuredRun> {
  compileForKernels();
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const progress = new Progress();
  const run = prepare(experiment, settings);
  try {
    while (!run.ended) {
      if (interrupted.aborted) throw new Interrupted();
      run.advance(sliceNs);
      progress.show(experiment.name, run.cluster.engine.nowNs / 1e9, run.cluster.engine.events);
      await new Promise((resume) => setImmediate(resume));
    }
    const used = process.cpuUsage(cpu);
    return {
      ...run.result(),
      wallSeconds: round((performance.now() - startedMs) / 1000),
      cpuSeconds: round((used.user + used.system) / 1e6),
    };
  } catch (e) {
    throw e instanceof Interrupted || (isBackplaneError(e) && e.code === 'DID_NOT_END')
      ? e
      : new RunFailed(e);
  } finally {
    progress.done();
  }
}

const round = (n: number): number => Math.round(n * 1000) / 1000;

/** Work that consists of runs, each of them made like that. */
export async function measuredRuns<T>(runs: Runs<T>, interrupted: AbortSignal): Promise<T> {
  let step = runs.next();
  while (step.done !== true) {
    const { experiment, settings } = step.value;
    try {
      step = runs.next(await measuredRun(experiment, settings, interrupted));
    } catch (e) {
      step = runs.throw(e);
    }
  }
  return step.value;
}
