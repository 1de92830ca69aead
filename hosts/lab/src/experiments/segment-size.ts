/**
 * How much of a drive's bandwidth is left when it writes in segments at random places (Rosenblum 1992, Table 4-1): each
 * costs the drive its overhead, a seek and the wait for its first sector. The drive alone, without a storage.
 */
import type { RandomStream, Task } from '@backplane/engine';
import type { Disk } from '@backplane/slots';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { perSecond } from './store/load.ts';
import { serverWithDisk, theDisk } from './store/server.ts';

interface Parameters {
  readonly writes: number;
  readonly megabytes: number;
}

interface SegmentRow {
  readonly kilobytes: number;
  readonly writes: number;
  readonly kilobytesPerSecond: number;
  /** Of what the drive writes in one piece. */
  readonly bandwidthShare: number;
}

export interface SegmentSizeResult {
  readonly sequentialKilobytesPerSecond: number;
  readonly rows: readonly SegmentRow[];
}

const name = 'segment-size';
const sizesKilobytes: readonly number[] = [32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];
const parameterTexts = [
  { name: 'writes', value: '1000', description: 'segments written of each size, unless that is too much' },
  { name: 'megabytes', value: '200', description: 'the most that is written of each size' },
];

export const segmentSize: Experiment<Parameters, SegmentSizeResult> = defineExperiment({
  name,
  description:
    "segments written at random places of a drive: the share of the drive's bandwidth by their size",
  parameterTexts,
  parameters(given) {
    checkNames(name, given, parameterTexts);
    return {
      writes: count(name, given, 'writes', 1000, 100_000),
      megabytes: count(name, given, 'megabytes', 200, 10_000),
    };
  },
  // What a processor adds is no part of the question.
  shape: () => ({ ...serverWithDisk, machineTypes: { client: 'zero-cost', server: 'zero-cost' } }),
  *run(lab): Task<SegmentSizeResult> {
    const { writes, megabytes } = lab.parameters;
    const { engine } = lab.cluster;
    const disk = theDisk(lab);
    const measured = function* (work: Task<number>): Task<number> {
      const startNs = engine.nowNs;
      const kilobytes = yield* work;
      return perSecond(kilobytes, (engine.nowNs - startNs) / 1e9);
    };
    const sequentialKilobytesPerSecond = yield* measured(writeThrough(disk));
    const rows: SegmentRow[] = [];
    for (const kilobytes of sizesKilobytes) {
      const n = Math.max(1, Math.min(writes, Math.floor((megabytes * 1024) / kilobytes)));
      const random = engine.random(name, String(kilobytes));
      const kilobytesPerSecond = yield* measured(writeSegments(disk, kilobytes, n, random));
      rows.push({
        kilobytes,
        writes: n,
        kilobytesPerSecond,
        bandwidthShare: perSecond(kilobytesPerSecond, sequentialKilobytesPerSecond),
      });
    }
    return { sequentialKilobytesPerSecond, rows };
  },
  measures: ({ sequentialKilobytesPerSecond, rows }) => ({
    'segments.sequentialKilobytesPerSecond': sequentialKilobytesPerSecond,
    ...Object.fromEntries(rows.map((r) => [`segments.of${r.kilobytes}KB.bandwidthShare`, r.bandwidthShare])),
  }),
  table: ({ sequentialKilobytesPerSecond, rows }) => ({
    title: 'Segments at random places of a drive',
    head: ['KB', 'writes', 'KB/s', 'of the bandwidth'],
    rows: rows.map((r) => [
      String(r.kilobytes),
      String(r.writes),
      r.kilobytesPerSecond.toFixed(0),
      `${(100 * r.bandwidthShare).toFixed(1)} %`,
    ]),
    note: `in one piece it writes ${sequentialKilobytesPerSecond.toFixed(0)} KB/s`,
  }),
});

/** A quarter of the disk in one request. Returns kilobytes. */
function* writeThrough(disk: Disk): Task<number> {
  const bytes = Math.floor(disk.sectors / 4) * disk.sectorBytes;
  yield* disk.write(0, new Uint8Array(bytes));
  return bytes / 1024;
}

/** At places that are multiples of their size. Returns kilobytes. */
function* writeSegments(disk: Disk, kilobytes: number, n: number, random: RandomStream): Task<number> {
  const segment = new Uint8Array(kilobytes * 1024);
  const sectors = segment.length / disk.sectorBytes;
  const places = Math.floor(disk.sectors / sectors);
  for (let i = 0; i < n; i++) yield* disk.write(random.below(places) * sectors, segment);
  return n * kilobytes;
}
