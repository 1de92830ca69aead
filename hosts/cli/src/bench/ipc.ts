/** `ipc-local`, `ipc-remote`: V's message transactions of 32 bytes on machines of no cost. A unit is a transaction. */
import { experiment } from '@backplane/lab';
import { measuredRun } from '../measured-run.ts';
import type { Session } from '../session.ts';
import type { Line } from './line.ts';

/** So many that what the runtime compiles at the start does not count. */
const transactions = { local: 500_000, remote: 150_000 } as const;

export async function ipc(place: 'local' | 'remote', { interrupted }: Session): Promise<Line> {
  const times = transactions[place];
  const parameters = { place, data: 'no', times: String(times) };
  const run = await measuredRun(
    experiment('ipc-table'),
    { parameters, machineTypes: { '': 'zero-cost' } },
    interrupted,
  );
  const { rows } = run.result as { readonly rows: readonly { readonly milliseconds: number }[] };
  return {
    name: `ipc-${place}`,
    units: times,
    sec: run.wallSeconds,
    cpu: run.cpuSeconds,
    rate: Math.round(times / run.cpuSeconds),
    check: `${rows[0]?.milliseconds.toFixed(4)} ms each`,
  };
}
