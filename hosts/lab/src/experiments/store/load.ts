/** What a phase of work took, and how busy the server's disk and processor were meanwhile. */
import { settle, type Task } from '@backplane/engine';
import type { Laboratory } from '../../experiment.ts';

export interface Load {
  readonly seconds: number;
  /** Of that time; the mean over the server's drives where there are several. */
  readonly diskBusyShare: number;
  readonly processorBusyShare: number;
}

export function* timed(cluster: Laboratory<unknown>['cluster'], work: Task<unknown>): Task<Load> {
  const before = cluster.metrics();
  const startNs = cluster.engine.nowNs;
  yield* work;
  yield* settle();
  const seconds = (cluster.engine.nowNs - startNs) / 1e9;
  const after = cluster.metrics();
  const share = (metric: string): number => perSecond((after[metric] ?? 0) - (before[metric] ?? 0), seconds);
  return {
    seconds,
    diskBusyShare: share('disk.server.busySeconds') / Math.max(1, drivesOf(cluster)),
    processorBusyShare: share('processor.server.busySeconds'),
  };
}

/** Disks of servers that are made of no others: their time is counted together. */
const drivesOf = ({ composition }: Laboratory<unknown>['cluster']): number =>
  composition.machines
    .filter((m) => m.description.role === 'server')
    .flatMap((m) => m.boards)
    .filter(({ board, wrapped }) => board.slot === 'disk' && wrapped.length === 0).length;

/** 0 where no time has passed, on machines and drives that take none. */
export const perSecond = (amount: number, seconds: number): number => (seconds === 0 ? 0 : amount / seconds);

/** The columns that tables have of it. */
export const loadHead: readonly string[] = ['seconds', 'disk busy', 'processor busy'];
export const loadCells = (l: Load): readonly string[] => [
  l.seconds.toFixed(1),
  `${(100 * l.diskBusyShare).toFixed(0)} %`,
  `${(100 * l.processorBusyShare).toFixed(0)} %`,
];

/** As measures, below this prefix. */
export const loadMeasures = (prefix: string, l: Load): Readonly<Record<string, number>> => ({
  [`${prefix}.seconds`]: l.seconds,
  [`${prefix}.diskBusyShare`]: l.diskBusyShare,
  [`${prefix}.processorBusyShare`]: l.processorBusyShare,
});
