/** `rpc8k`: every host asks every other for 8 KB, over a kernel's own transport on machines of no cost. A unit is a frame. */
import { experiment } from '@backplane/lab';
import { measuredRun } from '../measured-run.ts';
import type { Session } from '../session.ts';
import { type Line, rounded } from './line.ts';

export interface Rpc8kOptions {
  readonly point: string;
  readonly kernel: string;
  readonly seconds?: string;
}

/** Simulated, by point: so long that what the runtime compiles at the start does not count. */
const defaultSeconds: Readonly<Record<string, string>> = { A: '2000', B: '1000', C: '1000' };

const simulatedSeconds = (o: Rpc8kOptions): string => o.seconds ?? defaultSeconds[o.point] ?? '1000';

export async function rpc8k(o: Rpc8kOptions, { outside, interrupted }: Session): Promise<Line> {
  const kernels = { '': await outside.kernel(o.kernel) };
  const parameters = { point: o.point, seconds: simulatedSeconds(o) };
  const run = await measuredRun(experiment('rpc8k'), { kernels, parameters }, interrupted);
  const r = run.result as {
    readonly point: string;
    readonly rpcs: number;
    readonly frames: number;
    readonly simulatedSeconds: number;
    readonly rpcsPerSecond: number;
  };
  return {
    name: 'rpc8k',
    units: r.frames,
    sec: run.wallSeconds,
    cpu: run.cpuSeconds,
    rate: Math.round(r.frames / run.cpuSeconds),
    check: `${r.rpcsPerSecond.toFixed(1)} RPCs per simulated second`,
    point: r.point,
    rpcs: r.rpcs,
    frames: r.frames,
    simulatedSeconds: r.simulatedSeconds,
    simulatedSecondsPerCpuSecond: rounded(r.simulatedSeconds / run.cpuSeconds),
  };
}
