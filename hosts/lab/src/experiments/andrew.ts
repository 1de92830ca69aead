/** The Andrew benchmark: five phases over a source tree, on each client at the same time. */
import { createHash } from 'node:crypto';
import type { Task } from '@backplane/engine';
import type { Calls, Storage } from '@backplane/slots';
import {
  type AndrewTimes,
  andrew as andrewProgram,
  andrewSources,
  find,
  includeDirectory,
  libraryBytes,
  libraryPath,
  systemHeaders,
} from '@backplane/workloads';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { directoryFor } from '../import-tree.ts';
import { checkNames, choice } from '../parameters.ts';
import type { Tree, TreeEntry } from '../tree.ts';

interface Parameters {
  readonly start: 'cold' | 'warm';
  readonly place: 'diskless' | 'local';
}

export interface AndrewResult {
  /** Means over the machines that ran it. */
  readonly phases: readonly { readonly name: string; readonly seconds: number }[];
  readonly seconds: number;
  readonly files: number;
  readonly compiled: number;
  readonly skipped: string | null;
  /** Of every path, mode and byte below the targets, as programs see them at the end. */
  readonly treeDigest: string;
}

const name = 'andrew';
const source = '/andrew/source';
const parameterTexts = [
  {
    name: 'start',
    value: 'cold',
    description: 'cold: caches are empty; warm: the second of two runs is timed',
  },
  {
    name: 'place',
    value: 'diskless',
    description: 'diskless: on every client; local: on the server, which has the disk',
  },
];

export const andrew: Experiment<Parameters, AndrewResult> = defineExperiment({
  name,
  description: 'the Andrew benchmark: make directories, copy, look, read, compile',
  parameterTexts,
  parameters(given) {
    checkNames(name, given, parameterTexts);
    return {
      start: choice(name, given, 'start', ['cold', 'warm'], 'cold'),
      place: choice(name, given, 'place', ['diskless', 'local'], 'diskless'),
    };
  },
  shape: () => ({
    clients: 1,
    servers: 1,
    machineTypes: { client: 'sun3-75', server: 'sun3-180' },
    prefixes: [['/']],
  }),
  treeAt: source,
  defaultTree: shippedTree,
  *prepare(storage) {
    yield* systemFiles(storage);
  },
  *run({ clients, servers, parameters, start }): Task<AndrewResult> {
    const machines = parameters.place === 'local' ? servers : clients;
    const times: AndrewTimes[] = [];
    const digests: string[] = [];
    const programs = machines.map((machine, i) =>
      start(machine, name, function* (sys) {
        const target = `/andrew/${machine.name}`;
        const places = {
          source,
          target,
          temporary: `/tmp/ctm${i}`,
          instructionNs: machine.type.costs.instructionNs,
        };
        if (parameters.start === 'warm') {
          yield* andrewProgram(sys, places);
          yield* remove(sys, target);
        }
        times[i] = yield* andrewProgram(sys, places);
        digests[i] = yield* digestOf(sys, target);
        return 0;
      }),
    );
    for (const p of programs) yield* p.join();
    const [first] = times;
    if (first === undefined || times.filter((t) => t !== undefined).length < machines.length)
      throw new Error('andrew: a machine did not finish');
    const phases = first.phases.map((p, n) => ({
      name: p.name,
      seconds: times.reduce((sum, t) => sum + (t.phases[n]?.seconds ?? 0), 0) / times.length,
    }));
    return {
      phases,
      seconds: phases.reduce((sum, p) => sum + p.seconds, 0),
      files: first.files,
      compiled: first.compiled,
      skipped: first.skipped,
      treeDigest: createHash('sha256').update(digests.join()).digest('hex'),
    };
  },
  measures: (r) => ({
    'andrew.seconds': r.seconds,
    ...Object.fromEntries(r.phases.map((p) => [`andrew.${p.name}Seconds`, p.seconds])),
  }),
  table: (r) => ({
    title: `The Andrew benchmark over ${r.files} files`,
    head: ['phase', 'seconds'],
    rows: [...r.phases.map((p) => [p.name, p.seconds.toFixed(1)]), ['total', r.seconds.toFixed(1)]],
    ...(r.skipped !== null && { note: `make was skipped: ${r.skipped}` }),
  }),
});

/** The tree that comes with the project, with the fixed times and owners of every imported tree. */
function shippedTree(): Tree {
  const fixed = { uid: 0, gid: 0, modifyNs: 0, target: '' };
  const directories = new Set<string>(['']);
  const files: TreeEntry[] = [];
  for (const { path, text } of andrewSources()) {
    const parts = path.split('/').slice(0, -1);
    for (let n = 1; n <= parts.length; n++) directories.add(parts.slice(0, n).join('/'));
    files.push({ ...fixed, path, type: 'file', mode: 0o644, bytes: new Uint8Array(Buffer.from(text)) });
  }
  const made = [...directories].map(
    (path): TreeEntry => ({ ...fixed, path, type: 'directory', mode: 0o755, bytes: new Uint8Array(0) }),
  );
  return { name: 'the tree that comes with the project', entries: [...made, ...files], leftOut: 0 };
}

/** The headers and the library that compilers find on the system, and a place for temporary files. */
function* systemFiles(storage: Storage): Task<void> {
  const file = { type: 'file', mode: 0o644, uid: 0, gid: 0 } as const;
  const headers = yield* directoryFor(storage, includeDirectory);
  for (const { path, text } of systemHeaders())
    yield* storage.write(
      yield* storage.create(headers, path, file),
      0,
      new Uint8Array(Buffer.from(text)),
      'delayed',
    );
  const [, directory = '', library = ''] = libraryPath.split('/');
  const archive = yield* storage.create(yield* directoryFor(storage, `/${directory}`), library, file);
  yield* storage.write(archive, 0, new Uint8Array(libraryBytes).fill(0x4e), 'delayed');
  yield* storage.setAttributes(yield* directoryFor(storage, '/tmp'), { mode: 0o1777 });
}

function* remove(sys: Calls, directory: string): Task<void> {
  const { files, directories } = yield* find(sys, directory);
  for (const f of files) yield* sys.unlink(`${directory}/${f}`);
  for (const d of directories.toReversed()) yield* sys.rmdir(`${directory}/${d}`);
  yield* sys.rmdir(directory);
}

function* digestOf(sys: Calls, directory: string): Task<string> {
  const hash = createHash('sha256');
  const { files, directories } = yield* find(sys, directory);
  for (const path of [...directories, ...files]) {
    const a = yield* sys.stat(`${directory}/${path}`);
    hash.update(`${path}\0${a.type}\0${a.mode}\0`);
    if (a.type !== 'file') continue;
    const fd = yield* sys.open(`${directory}/${path}`, { read: true });
    for (;;) {
      const bytes = yield* sys.read(fd, 8192);
      if (bytes.length === 0) break;
      hash.update(bytes);
    }
    yield* sys.close(fd);
  }
  return hash.digest('hex');
}
