/** A run with what the host measured beside it, and progress while it goes on. */
import { type Experiment, prepare, type RunResult, type RunSettings } from '@backplane/lab';
import { Progress } from './progress.ts';

export interface MeasuredRun extends RunResult {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

const sliceNs = 1e9;

/** Yields to the host between slices of virtual time, so that an interrupt is heard. */
export async function measuredRun(experiment: Experiment, settings: RunSettings): Promise<MeasuredRun> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const progress = new Progress();
  const run = prepare(experiment, settings);
  try {
    while (!run.ended) {
      run.advance(sliceNs);
      progress.show(experiment.name, run.cluster.engine.nowNs / 1e9, run.cluster.engine.events);
      await new Promise((resume) => setImmediate(resume));
    }
  } finally {
    progress.done();
  }
  const used = process.cpuUsage(cpu);
  const round = (n: number): number => Math.round(n * 1000) / 1000;
  return {
    ...run.result(),
    wallSeconds: round((performance.now() - startedMs) / 1000),
    cpuSeconds: round((used.user + used.system) / 1e6),
  };
}
