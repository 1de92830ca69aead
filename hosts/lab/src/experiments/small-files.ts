/**
 * Many small files on a server's own disk: made, read in the order in which they were made, and deleted (Rosenblum and
 * Ousterhout 1992, section 5.1). All are in one directory, the program's own: the paper tells of none. A phase ends when
 * everything is on the disk, so that none leaves its work to the next; each begins with empty caches.
 */
import type { Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { type Load, loadCells, loadHead, loadMeasures, perSecond, timed } from './store/load.ts';
import { coldCaches, program, serverWithDisk } from './store/server.ts';
import { thenStored } from './store/storage.ts';

interface Parameters {
  readonly files: number;
  readonly bytes: number;
}

type PhaseName = 'create' | 'read' | 'delete';

export interface SmallFilesPhase extends Load {
  readonly name: PhaseName;
  readonly files: number;
  readonly filesPerSecond: number;
}

export interface SmallFilesResult {
  readonly fileBytes: number;
  readonly phases: readonly SmallFilesPhase[];
}

const name = 'small-files';
const parameterTexts = [
  { name: 'files', value: '10000', description: 'how many files' },
  { name: 'bytes', value: '1024', description: 'size of each' },
];

export const smallFiles: Experiment<Parameters, SmallFilesResult> = defineExperiment({
  name,
  description: 'many small files on a local disk: create, read, delete',
  uses: ['systemCalls'],
  parameterTexts,
  parameters(given) {
    checkNames(name, given, parameterTexts);
    return {
      files: count(name, given, 'files', 10_000, 100_000),
      bytes: count(name, given, 'bytes', 1024, 1 << 20),
    };
  },
  shape: () => serverWithDisk,
  *run(lab): Task<SmallFilesResult> {
    const { files, bytes } = lab.parameters;
    const phases: SmallFilesPhase[] = [];
    yield* program(lab, name, makeDirectory);
    for (const [phase, each] of Object.entries(operations) as [PhaseName, Operation][]) {
      yield* coldCaches(lab);
      const work = program(lab, name, function* (sys) {
        yield* sys.chdir(directory);
        for (let i = 0; i < files; i++) yield* each(sys, i, bytes);
        return null;
      });
      const load = yield* timed(lab.cluster, thenStored(lab, work));
      phases.push({ name: phase, files, filesPerSecond: perSecond(files, load.seconds), ...load });
    }
    return { fileBytes: bytes, phases };
  },
  measures: ({ phases }) =>
    Object.assign(
      {},
      ...phases.map((p) => ({
        [`smallFiles.${p.name}.filesPerSecond`]: p.filesPerSecond,
        ...loadMeasures(`smallFiles.${p.name}`, p),
      })),
    ) as Readonly<Record<string, number>>,
  table: ({ fileBytes, phases }) => ({
    title: `${phases[0]?.files ?? 0} files of ${fileBytes} bytes`,
    head: ['phase', 'files/s', ...loadHead],
    rows: phases.map((p) => [p.name, p.filesPerSecond.toFixed(1), ...loadCells(p)]),
  }),
});

type Operation = (sys: Calls, i: number, bytes: number) => Task<void>;

const directory = '/small-files';
const nameOf = (i: number): string => `file${i}`;

function* makeDirectory(sys: Calls): Task<null> {
  yield* sys.mkdir(directory, 0o755);
  return null;
}

const operations: { readonly [N in PhaseName]: Operation } = {
  *create(sys, i, bytes) {
    const fd = yield* sys.open(nameOf(i), { write: true, create: true, exclusive: true, mode: 0o644 });
    yield* sys.write(fd, new Uint8Array(bytes).fill(markOf(i)));
    yield* sys.close(fd);
  },
  *read(sys, i, bytes) {
    const fd = yield* sys.open(nameOf(i), { read: true });
    const content = yield* sys.read(fd, bytes);
    yield* sys.close(fd);
    if (content.length !== bytes || content[bytes - 1] !== markOf(i))
      throw new Error(`${name}: ${nameOf(i)} does not have what was written`);
  },
  *delete(sys, i) {
    yield* sys.unlink(nameOf(i));
  },
};

/** What a file is filled with: never zeros, which need not be stored. */
const markOf = (i: number): number => 1 + (i % 255);
