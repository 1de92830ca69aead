/**
 * Single operations on files between a Sun-3/75 and a Sun-3/180 with an Eagle (Nelson, Welch and Ousterhout 1988,
 * "Caching in the Sprite network file system", section on performance); and a page fetched between SPARCstations 1, of
 * which a range was published (Baker et al. 1991, "Measurements of a distributed file system").
 */
import { type FileOpsResult, fileOps, type ThroughputCase } from '../experiments/file-ops.ts';
import { resultOf } from '../runs.ts';
import { type PublishedRow, type PublishedTable, row, settingsFor } from './table.ts';

const source = 'Nelson, Welch and Ousterhout 1988';
/** Of elapsed times and throughputs, and of what the server's processor does. */
const band = { elapsed: 0.15, server: 0.25 };

type Names = FileOpsResult['names'][number];

interface NameFigure {
  readonly operation: Names['operation'];
  readonly place: Names['place'];
  readonly of: 'elapsed' | 'server';
  readonly published: number;
  readonly kind: 'fitted' | 'predicted';
}

const nameFigures: readonly NameFigure[] = [
  { operation: 'open and close', place: 'local', of: 'elapsed', published: 2.17, kind: 'fitted' },
  { operation: 'open and close', place: 'diskless', of: 'elapsed', published: 8.11, kind: 'predicted' },
  { operation: 'open and close', place: 'diskless', of: 'server', published: 3.75, kind: 'predicted' },
  { operation: 'failed open', place: 'local', of: 'elapsed', published: 1.48, kind: 'predicted' },
  { operation: 'failed open', place: 'diskless', of: 'elapsed', published: 4.13, kind: 'predicted' },
  { operation: 'failed open', place: 'diskless', of: 'server', published: 2.01, kind: 'predicted' },
  { operation: 'stat', place: 'local', of: 'elapsed', published: 1.28, kind: 'fitted' },
  { operation: 'stat', place: 'diskless', of: 'elapsed', published: 4.47, kind: 'predicted' },
  { operation: 'stat', place: 'diskless', of: 'server', published: 2.12, kind: 'predicted' },
];

interface ThroughputFigure {
  readonly row: string;
  readonly case: ThroughputCase;
  readonly place: 'local' | 'diskless';
  readonly published: number;
  readonly kind: 'fitted' | 'predicted';
  /** Every write goes to the server at once. */
  readonly writeThrough?: true;
}

const throughputFigures: readonly ThroughputFigure[] = [
  { row: 'read, local cache', case: 'read cached here', place: 'diskless', published: 3269, kind: 'fitted' },
  {
    row: 'write, local cache',
    case: 'write cached here',
    place: 'diskless',
    published: 2893,
    kind: 'predicted',
  },
  {
    row: 'read, server cache',
    case: 'read from the cache of the server',
    place: 'diskless',
    published: 475,
    kind: 'predicted',
  },
  {
    row: 'write, server cache',
    case: 'write cached here',
    place: 'diskless',
    published: 380,
    kind: 'predicted',
    writeThrough: true,
  },
  { row: 'read, local disk', case: 'read from the disk', place: 'local', published: 224, kind: 'predicted' },
  { row: 'write, local disk', case: 'write to the disk', place: 'local', published: 197, kind: 'predicted' },
  {
    row: 'read, server disk',
    case: 'read from the disk',
    place: 'diskless',
    published: 212,
    kind: 'predicted',
  },
  {
    row: 'write, server disk',
    case: 'write to the disk',
    place: 'diskless',
    published: 176,
    kind: 'predicted',
  },
];

export const spriteFiles: PublishedTable = {
  name: 'sprite-files',
  title: 'Single operations on files in Sprite',
  *measure(given) {
    // Where nothing is published of the disk, its files are small.
    const parameters = { 'disk-kilobytes': '4' };
    const sparcs = yield* resultOf(fileOps, {
      ...settingsFor(given),
      machineTypes: { '': 'sparcstation1' },
      parameters,
    });
    // As Sprite's servers of 1988 did it.
    const storage = 'storage=ofs:metadata=delayed';
    const cache = 'fileCache=sprite:serverWrite=delayed';
    const delayed = yield* resultOf(fileOps, settingsFor(given, storage, cache));
    const through = yield* resultOf(fileOps, {
      ...settingsFor(given, storage, `${cache},policy=write-through`),
      parameters,
    });
    return [
      ...nameFigures.map((f) => nameRow(f, delayed)),
      ...throughputFigures.map((f) => throughputRow(f, f.writeThrough === true ? through : delayed)),
      pageRow(sparcs),
    ];
  },
};

function nameRow(f: NameFigure, { names }: FileOpsResult): PublishedRow {
  const found = names.find((r) => r.operation === f.operation && r.place === f.place);
  return row({
    source,
    table: 'sprite-files',
    row: `${f.operation}, ${f.place}${f.of === 'server' ? ', processor of the server' : ''}`,
    unit: 'ms',
    published: f.published,
    measured: (f.of === 'server' ? found?.serverMilliseconds : found?.milliseconds) ?? 0,
    kind: f.kind,
    band: band[f.of],
  });
}

/** Published in whole milliseconds, "6-7": from 5.5 to 7.5. */
function pageRow({ throughput }: FileOpsResult): PublishedRow {
  const fetched = throughput.find((r) => r.case === 'read from the cache of the server');
  return row({
    source: 'Baker et al. 1991',
    table: 'sprite-files',
    row: "sparcstation1: 4 KB from a server's cache",
    unit: 'ms',
    published: 6.5,
    measured: fetched === undefined ? 0 : (4 / fetched.kilobytesPerSecond) * 1e3,
    kind: 'check',
    band: 1 / 6.5,
  });
}

function throughputRow(f: ThroughputFigure, { throughput }: FileOpsResult): PublishedRow {
  const found = throughput.find((r) => r.case === f.case && r.place === f.place);
  return row({
    source,
    table: 'sprite-files',
    row: f.row,
    unit: 'KB/s',
    published: f.published,
    measured: found?.kilobytesPerSecond ?? 0,
    kind: f.kind,
    band: band.elapsed,
  });
}
