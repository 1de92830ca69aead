/**
 * How long a server's storage takes to be in order again after a crash, by what was written since the last checkpoint:
 * so many bytes in files of one size (Rosenblum and Ousterhout 1992, section 5.3). Each time on an empty disk. The files are
 * in one directory, and no checkpoint was made after them, where the storage leaves that to its option `checkpointSeconds`.
 */
import type { Task } from '@backplane/engine';
import { wrongParameter } from '../errors.ts';
import { defineExperiment, type Experiment, type Laboratory } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { emptyDisk, serverWithDisk, theServer } from './store/server.ts';
import { checkpoint, makeDirectory, makeFile, withStorage } from './store/storage.ts';

interface Parameters {
  readonly megabytes: readonly number[];
  readonly kilobytes: readonly number[];
}

export interface RecoveryRow {
  readonly fileKilobytes: number;
  readonly megabytes: number;
  readonly files: number;
  /** Files that are there afterwards, with all their bytes. */
  readonly recovered: number;
  /** From the power to the end of the boot. */
  readonly seconds: number;
}

export interface RecoveryResult {
  readonly rows: readonly RecoveryRow[];
}

const name = 'recovery';
const parameterTexts = [
  { name: 'megabytes', value: '1,10,50', description: 'written since the checkpoint, a list with commas' },
  { name: 'kilobytes', value: '1,10,100', description: 'size of each file, a list with commas' },
];

export const recovery: Experiment<Parameters, RecoveryResult> = defineExperiment({
  name,
  description:
    'the time a storage takes to recover, by bytes written since its checkpoint and by size of the files',
  parameterTexts,
  parameters(given) {
    checkNames(name, given, parameterTexts);
    return {
      megabytes: counts(given, 'megabytes', [1, 10, 50], 200),
      kilobytes: counts(given, 'kilobytes', [1, 10, 100], 1024),
    };
  },
  shape: () => ({
    ...serverWithDisk,
    settings: [
      ...(serverWithDisk.settings ?? []),
      'storage=lfs:segmentBytes=1048576,checkpointSeconds=86400',
    ],
  }),
  *run(lab): Task<RecoveryResult> {
    const rows: RecoveryRow[] = [];
    for (const fileKilobytes of lab.parameters.kilobytes)
      for (const megabytes of lab.parameters.megabytes)
        rows.push(yield* recovered(lab, fileKilobytes, megabytes));
    return { rows };
  },
  passed: ({ rows }) => rows.every((r) => r.recovered === r.files),
  measures: ({ rows }) =>
    Object.fromEntries(
      rows.map((r) => [`recovery.of${r.megabytes}MBIn${r.fileKilobytes}KB.seconds`, r.seconds]),
    ),
  table: ({ rows }) => ({
    title: 'Recovery after a crash',
    head: ['file, KB', 'written, MB', 'files', 'recovered', 'seconds'],
    rows: rows.map((r) => [
      String(r.fileKilobytes),
      String(r.megabytes),
      String(r.files),
      String(r.recovered),
      r.seconds.toFixed(2),
    ]),
  }),
});

const directoryName = name;

function* recovered(
  lab: Laboratory<Parameters>,
  fileKilobytes: number,
  megabytes: number,
): Task<RecoveryRow> {
  const fileBytes = fileKilobytes * 1024;
  const files = Math.max(1, Math.floor((megabytes << 20) / fileBytes));
  yield* emptyDisk(lab);
  yield* withStorage(lab, name, function* (storage) {
    const directory = yield* makeDirectory(storage, directoryName);
    yield* checkpoint(storage);
    for (let i = 0; i < files; i++)
      yield* makeFile(storage, directory, `file${i}`, new Uint8Array(fileBytes).fill(1 + (i % 255)));
    yield* storage.sync();
  });
  const seconds = yield* crashAndBoot(lab);
  const recoveredFiles = yield* withStorage(lab, name, function* (storage) {
    const directory = yield* storage.lookup(storage.root, directoryName);
    if (directory === undefined) return 0;
    let whole = 0;
    for (const { file } of yield* storage.entries(directory))
      if ((yield* storage.attributes(file)).sizeBytes === fileBytes) whole++;
    return whole;
  });
  return { fileKilobytes, megabytes, files, recovered: recoveredFiles, seconds };
}

function* crashAndBoot(lab: Laboratory<Parameters>): Task<number> {
  const server = theServer(lab);
  const { engine } = lab.cluster;
  server.crash();
  const startNs = engine.nowNs;
  server.boot();
  yield* server.running();
  return (engine.nowNs - startNs) / 1e9;
}

/** @throws BackplaneError */
function counts(
  given: Readonly<Record<string, string>>,
  parameter: string,
  otherwise: readonly number[],
  max: number,
): readonly number[] {
  const text = given[parameter];
  if (text === undefined) return otherwise;
  const numbers = text.split(',').map((t) => count(name, { [parameter]: t }, parameter, 1, max));
  if (new Set(numbers).size < numbers.length)
    throw wrongParameter(name, `--${parameter} has a number twice: "${text}".`);
  return numbers;
}
