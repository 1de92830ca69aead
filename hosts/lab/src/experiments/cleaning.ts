/**
 * What cleaning costs in the steady state (Rosenblum and Ousterhout 1992, section 3.5): a small disk is filled with files
 * up to a share of what it holds, and one file after another is overwritten whole, each equally likely, or nine times of
 * ten one of the tenth that is hot. The storage is used directly, on a machine and a drive that take no time. One virtual
 * second lies between two writes, so that blocks have ages.
 *
 * The paper's simulator knew no descriptors, no map and no checkpoints, and of its files of 4 KB only their proportion to
 * the segments counts. Here a file has 16 KB unless told otherwise, so that those weigh little, and a segment 16 files. What
 * the paper took for the size of a segment, and for how many are cleaned at a time, is not in its text.
 */
import { type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import type { FileId, Storage } from '@backplane/slots';
import { wrongParameter } from '../errors.ts';
import { defineExperiment, type Experiment, type Laboratory, type ResultPlot } from '../experiment.ts';
import { checkNames, choice, count } from '../parameters.ts';
import { type Pattern, patterns, pick } from './store/overwriting.ts';
import { serverWithDisk, theServer } from './store/server.ts';
import { makeDirectory, makeFile, withStorage } from './store/storage.ts';
import { cleanerOf, watchedCleaner } from './store/watched-cleaner.ts';

interface Parameters {
  readonly full: readonly number[];
  readonly pattern: Pattern;
  readonly segments: number;
  readonly segmentKilobytes: number;
  readonly fileKilobytes: number;
  readonly turns: number;
}

export interface CleaningRow {
  /** Live bytes over those of all segments but the reserve. */
  readonly full: number;
  readonly files: number;
  /** Overwritings, each of one file: until the cost stood still, and while it was measured. */
  readonly writesBefore: number;
  readonly writes: number;
  /** Did the cost stand still in time? */
  readonly steady: boolean;
  /** Bytes that went to and from the disk for each byte that was new; metadata count as new. */
  readonly writeCost: number;
  /** What it would be if all segments were cleaned at their mean utilisation: 2 / (1 - u). */
  readonly formulaCost: number;
  /** Of what was new: the share that no program wrote. */
  readonly metadataShare: number;
  readonly segmentsCleaned: number;
  /** Of the segments that were cleaned: mean, and the share of them in each twentieth. */
  readonly cleanedUtilisation: number;
  readonly cleanedHistogram: readonly number[];
  /** The same of all segments that could have been. */
  readonly segmentUtilisation: number;
  readonly segmentHistogram: readonly number[];
}

export interface CleaningResult {
  readonly pattern: Pattern;
  readonly rows: readonly CleaningRow[];
}

const name = 'cleaning';
const reserveSegments = 4;
const parameterTexts = [
  {
    name: 'full',
    value: '0.75',
    description: 'share of the disk that is live: 0.1 to 0.9, or a list with commas',
  },
  { name: 'pattern', value: 'uniform', description: `which files are overwritten: ${patterns.join(' or ')}` },
  { name: 'segments', value: '256', description: 'segments of the disk' },
  { name: 'segment-kilobytes', value: '256', description: 'size of a segment' },
  { name: 'file-kilobytes', value: '16', description: 'size of a file' },
  { name: 'turns', value: '12', description: 'overwritings for each file after which it has to be steady' },
];

export const cleaning: Experiment<Parameters, CleaningResult> = defineExperiment({
  name,
  description: 'the cost of cleaning in the steady state, by the share of the disk that is live',
  parameterTexts,
  parameters(given) {
    checkNames(name, given, parameterTexts);
    return {
      full: shares(given['full'] ?? '0.75'),
      pattern: choice(name, given, 'pattern', patterns, 'uniform'),
      segments: count(name, given, 'segments', 256, 4000),
      segmentKilobytes: count(name, given, 'segment-kilobytes', 256, 8192),
      fileKilobytes: count(name, given, 'file-kilobytes', 16, 1024),
      turns: count(name, given, 'turns', 12, 1000),
    };
  },
  watched: watchedCleaner,
  passed: ({ rows }) => rows.every((r) => r.steady),
  shape: ({ segments, segmentKilobytes }) => ({
    ...serverWithDisk,
    machineTypes: { client: 'zero-cost', server: 'zero-cost' },
    settings: [
      `disk=drive:profile=instant,sectors=${(segments + 1) * segmentKilobytes * 2}`,
      [
        `storage=lfs:segmentBytes=${segmentKilobytes * 1024}`,
        `cleanSegmentsMin=${reserveSegments}`,
        'utilisationMax=0.95',
        // When anything goes to the disk is said here, and checkpoints are the cleaner's.
        'metadata=delayed',
        'writeDelaySeconds=4000000',
        'checkpointSeconds=4000000',
      ].join(','),
    ],
  }),
  *run(lab): Task<CleaningResult> {
    const { pattern, full } = lab.parameters;
    const random = lab.cluster.engine.random(name, pattern);
    const rows = yield* withStorage(lab, name, function* (storage) {
      const directory = yield* makeDirectory(storage, name);
      const files: FileId[] = [];
      const found: CleaningRow[] = [];
      for (const share of full) {
        yield* fill(lab, storage, directory, files, share);
        found.push(yield* steadyState(lab, storage, files, random));
      }
      return found;
    });
    return { pattern, rows };
  },
  measures: ({ rows }) =>
    Object.assign(
      {},
      ...rows.map((r) => {
        const prefix = `cleaning.at${Math.round(100 * r.full)}`;
        return {
          [`${prefix}.writeCost`]: r.writeCost,
          [`${prefix}.formulaCost`]: r.formulaCost,
          [`${prefix}.cleanedUtilisationShare`]: r.cleanedUtilisation,
          [`${prefix}.segmentUtilisationShare`]: r.segmentUtilisation,
        };
      }),
    ) as Readonly<Record<string, number>>,
  table: ({ pattern, rows }) => ({
    title: `Cleaning in the steady state, ${pattern}`,
    head: ['full', 'files', 'writes', 'cleaned', 'at', 'write cost', '2 / (1 - u)', 'metadata'],
    rows: rows.map((r) => [
      percent(r.full),
      String(r.files),
      String(r.writes),
      String(r.segmentsCleaned),
      percent(r.cleanedUtilisation),
      r.writeCost.toFixed(2),
      r.formulaCost.toFixed(2),
      percent(r.metadataShare),
    ]),
    ...(rows.some((r) => !r.steady) && { note: 'the cost did not stand still: give more --turns' }),
  }),
  plots: (result) => [
    costPlot(result, 'Write cost by the share of the disk that is live', 'share that is live', (r) => r.full),
    costPlot(
      result,
      'Write cost by the utilisation of the segments that were cleaned',
      'mean utilisation of the cleaned',
      (r) => r.cleanedUtilisation,
    ),
  ],
});

/** Beside the cost of cleaning segments that are all utilised alike, as in the paper's figures 3 and 4. */
function costPlot(
  { pattern, rows }: CleaningResult,
  title: string,
  utilisation: string,
  of: (r: CleaningRow) => number,
): ResultPlot {
  const measured = rows.map((r) => ({ x: of(r), y: r.writeCost })).sort((a, b) => a.x - b.x);
  const formula = Array.from({ length: 91 }, (_, i) => ({ x: i / 100, y: 2 / (1 - i / 100) }));
  return {
    title,
    xTitle: utilisation,
    yTitle: 'write cost',
    curves: [
      { name: `measured, ${pattern}`, points: measured, kind: 'measured' },
      { name: '2 / (1 - u)', points: formula, kind: 'formula' },
    ],
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** In order: files are added from one to the next. @throws BackplaneError */
function shares(text: string): readonly number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.some((n) => !(n >= 0.1 && n <= 0.9)))
    throw wrongParameter(name, `--full takes shares from 0.1 to 0.9, not "${text}".`);
  return [...new Set(numbers)].sort((a, b) => a - b);
}

type Lab = Laboratory<Parameters>;

const metric = ({ cluster }: Lab, what: string): number => cluster.metrics()[`storage.lfs.${what}`] ?? 0;

const holdsBytes = ({ parameters: { segments, segmentKilobytes } }: Lab): number =>
  (segments - reserveSegments) * segmentKilobytes * 1024;

/** Files made between two syncs, while the disk is filled. */
const gatheredFiles = 32;

/** Makes files until that share of the disk is live. */
function* fill(lab: Lab, storage: Storage, directory: FileId, files: FileId[], share: number): Task<void> {
  const bytes = lab.parameters.fileKilobytes * 1024;
  for (;;) {
    yield* storage.sync();
    const missing = share * holdsBytes(lab) - metric(lab, 'liveBytes');
    // A descriptor comes with each.
    const more = Math.floor(missing / (bytes + 200));
    if (more < 1) return;
    for (let i = 0; i < more; i++) {
      files.push(yield* makeFile(storage, directory, `file${files.length}`, content(bytes, files.length)));
      yield* sleep(seconds(1));
      if (i % gatheredFiles === 0) yield* storage.sync();
    }
  }
}

/** Without zeros at its end, which would not be stored. */
const content = (bytes: number, n: number): Uint8Array => new Uint8Array(bytes).fill(1 + (n % 255));

interface Counts {
  readonly logged: number;
  readonly read: number;
  readonly live: number;
}

/** Turns before it is looked whether the cost stands still, by how much it may differ from one to the next, and turns measured. */
const turnsMin = 3;
const stillShare = 0.03;
const turnsMeasured = 4;

function* steadyState(
  lab: Lab,
  storage: Storage,
  files: readonly FileId[],
  random: RandomStream,
): Task<CleaningRow> {
  const { turns, pattern, fileKilobytes, segmentKilobytes, segments } = lab.parameters;
  const bytes = fileKilobytes * 1024;
  const inSegment = Math.ceil(segmentKilobytes / fileKilobytes);
  // Where few files are live the log has to come round, too.
  const inTurn = Math.max(files.length, Math.ceil((segments * inSegment) / 2));
  const watch = cleanerOf(theServer(lab));
  watch.cleaned = () => metric(lab, 'segmentsCleaned');
  let writes = 0;
  const turn = function* (): Task<void> {
    for (let i = 0; i < inTurn; i++) {
      const file = files[pick(pattern, files.length, random)];
      if (file !== undefined) yield* storage.write(file, 0, content(bytes, writes++), 'delayed');
      yield* sleep(seconds(1));
      if (writes % inSegment === 0) yield* storage.sync();
    }
    watch.settle();
    // Settings of one's own for the storage come instead of the experiment's.
    if (watch.segmentBytes !== 0 && watch.segmentBytes !== segmentKilobytes * 1024)
      throw wrongParameter(
        name,
        `the storage has segments of ${watch.segmentBytes} bytes, and --segment-kilobytes is ${segmentKilobytes}.`,
      );
  };
  const counts = (): Counts => ({
    logged: metric(lab, 'bytesLogged'),
    read: metric(lab, 'bytesCleaned'),
    live: watch.taken.sum * segmentKilobytes * 1024,
  });

  watch.settle();
  let cost = 0;
  let steady = false;
  for (let n = 0; n < turns && !steady; n++) {
    const before = counts();
    yield* turn();
    const now = costOf(before, counts());
    steady = n >= turnsMin && Math.abs(now / cost - 1) < stillShare;
    cost = now;
  }
  const writesBefore = writes;
  watch.seen.clear();
  watch.taken.clear();
  const before = counts();
  for (let n = 0; n < turnsMeasured; n++) yield* turn();
  const after = counts();
  const { taken, seen } = watch;
  return {
    full: metric(lab, 'liveBytes') / holdsBytes(lab),
    files: files.length,
    writesBefore,
    writes: writes - writesBefore,
    steady,
    writeCost: costOf(before, after),
    formulaCost: taken.count === 0 ? 1 : 2 / (1 - taken.mean),
    metadataShare: 1 - ((writes - writesBefore) * bytes) / fresh(before, after),
    segmentsCleaned: taken.count,
    cleanedUtilisation: taken.mean,
    cleanedHistogram: taken.histogram,
    segmentUtilisation: seen.mean,
    segmentHistogram: seen.histogram,
  };
}

/** Bytes that went into the log, less those that the cleaner has found live and so put there again. */
const fresh = (from: Counts, to: Counts): number => to.logged - from.logged - (to.live - from.live);

const costOf = (from: Counts, to: Counts): number =>
  (to.logged - from.logged + to.read - from.read) / fresh(from, to);
