/** `andrew`: the Andrew benchmark of one client on the preset's kernels. A unit is a virtual second. */
import { experiment } from '@backplane/lab';
import { measuredRun } from '../measured-run.ts';
import type { Session } from '../session.ts';
import { type Line, rounded } from './line.ts';

export async function andrew({ interrupted }: Session): Promise<Line> {
  const run = await measuredRun(experiment('andrew'), {}, interrupted);
  const { treeDigest } = run.result as { readonly treeDigest: string };
  return {
    name: 'andrew',
    units: rounded(run.virtualSeconds),
    sec: run.wallSeconds,
    cpu: run.cpuSeconds,
    rate: Math.round(run.virtualSeconds / run.cpuSeconds),
    check: `tree ${treeDigest.slice(0, 16)}`,
  };
}
