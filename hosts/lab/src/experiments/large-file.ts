/**
 * One large file on a server's own disk: written from end to end, read, written in random order, read in another random
 * order, and read from end to end again (Rosenblum and Ousterhout 1992, section 5.1). In units of 4 KB, Sprite's block:
 * the paper does not say which its programs took. Random order touches each unit once. A phase ends when everything is on
 * the disk; each begins with empty caches.
 */
import type { RandomStream, Task } from '@backplane/engine';
import type { Calls, Fd } from '@backplane/slots';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { type Load, loadCells, loadHead, loadMeasures, perSecond, timed } from './store/load.ts';
import { coldCaches, program, serverWithDisk } from './store/server.ts';
import { thenStored } from './store/storage.ts';

interface Parameters {
  readonly megabytes: number;
  readonly unitKilobytes: number;
}

export const largeFilePhases = [
  'sequential write',
  'sequential read',
  'random write',
  'random read',
  'sequential reread',
] as const;
export type LargeFilePhaseName = (typeof largeFilePhases)[number];

export interface LargeFilePhase extends Load {
  readonly name: LargeFilePhaseName;
  readonly megabytes: number;
  readonly kilobytesPerSecond: number;
}

export interface LargeFileResult {
  readonly unitBytes: number;
  readonly phases: readonly LargeFilePhase[];
}

const name = 'large-file';
const parameterTexts = [
  { name: 'megabytes', value: '100', description: 'size of the file' },
  { name: 'unit-kilobytes', value: '4', description: 'bytes of one read or write' },
];

export const largeFile: Experiment<Parameters, LargeFileResult> = defineExperiment({
  name,
  description: 'a large file on a local disk: sequential and random, writes and reads',
  uses: ['systemCalls'],
  parameterTexts,
  parameters(given) {
    checkNames(name, given, parameterTexts);
    return {
      megabytes: count(name, given, 'megabytes', 100, 2000),
      unitKilobytes: count(name, given, 'unit-kilobytes', 4, 1024),
    };
  },
  shape: () => serverWithDisk,
  *run(lab): Task<LargeFileResult> {
    const { megabytes } = lab.parameters;
    const unitBytes = lab.parameters.unitKilobytes * 1024;
    const units = Math.floor((megabytes << 20) / unitBytes);
    const phases: LargeFilePhase[] = [];
    for (const phase of largeFilePhases) {
      yield* coldCaches(lab);
      const random = phase.startsWith('random') ? lab.cluster.engine.random(`${name}, ${phase}`) : null;
      const order = orderOf(units, random);
      const transfer = phase.endsWith('write') ? write : read;
      const work = program(lab, name, (sys) => transfer(sys, order, unitBytes));
      const load = yield* timed(lab.cluster, thenStored(lab, work));
      const kilobytesPerSecond = perSecond((units * unitBytes) / 1024, load.seconds);
      phases.push({ name: phase, megabytes, kilobytesPerSecond, ...load });
    }
    return { unitBytes, phases };
  },
  measures: ({ phases }) =>
    Object.assign(
      {},
      ...phases.map((p) => ({
        [`largeFile.${camel(p.name)}.kilobytesPerSecond`]: p.kilobytesPerSecond,
        ...loadMeasures(`largeFile.${camel(p.name)}`, p),
      })),
    ) as Readonly<Record<string, number>>,
  table: ({ unitBytes, phases }) => ({
    title: `A file of ${phases[0]?.megabytes ?? 0} MB, in units of ${unitBytes} bytes`,
    head: ['phase', 'KB/s', ...loadHead],
    rows: phases.map((p) => [p.name, p.kilobytesPerSecond.toFixed(0), ...loadCells(p)]),
  }),
});

const path = '/large-file';

const orderOf = (units: number, random: RandomStream | null): readonly number[] => {
  const order = Array.from({ length: units }, (_, i) => i);
  return random === null ? order : random.shuffle(order);
};

function* write(sys: Calls, order: readonly number[], unitBytes: number): Task<null> {
  const fd = yield* sys.open(path, { write: true, create: true, mode: 0o644 });
  for (const unit of order)
    yield* sys.writeAt(fd, unit * unitBytes, new Uint8Array(unitBytes).fill(markOf(unit)));
  yield* sys.close(fd);
  return null;
}

function* read(sys: Calls, order: readonly number[], unitBytes: number): Task<null> {
  const fd: Fd = yield* sys.open(path, { read: true });
  for (const unit of order) {
    const bytes = yield* sys.readAt(fd, unit * unitBytes, unitBytes);
    if (bytes.length !== unitBytes || bytes[0] !== markOf(unit))
      throw new Error(`${name}: unit ${unit} is not what was written`);
  }
  yield* sys.close(fd);
  return null;
}

/** What a unit is filled with: never zeros, which need not be stored. */
const markOf = (unit: number): number => 1 + (unit % 255);

const camel = (words: string): string =>
  words.replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
