/** The Andrew benchmark: five phases over a source tree, on each client at the same time. */
import { createHash } from 'node:crypto';
import type { Cluster, ClusterMachine } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import { type Calls, isKernelError, type Storage } from '@backplane/slots';
import {
  type AndrewTimes,
  andrew as andrewProgram,
  andrewSources,
  Commands,
  executables,
  find,
  includeDirectory,
  libraryBytes,
  libraryPath,
  passwordBytes,
  passwordFile,
  systemHeaders,
} from '@backplane/workloads';
import { programsCrashed, programsFailed } from '../errors.ts';
import { defineExperiment, type Experiment, type Laboratory } from '../experiment.ts';
import { directoryFor, place } from '../import-tree.ts';
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
  /** Of the time from the first start to the last end: how much of it servers computed, and the wire was busy. */
  readonly serverProcessorShare: number;
  readonly networkShare: number;
  /** Of every path, mode and byte below the targets, as programs of their machines see them at the end. */
  readonly treeDigest: string;
  /** The same as programs of a server see them: a client may have copies of bytes that its server lost in a crash. */
  readonly storedTreeDigest: string;
}

const name = 'andrew';
export const source = '/andrew/source';
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
  uses: ['systemCalls'],
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
  *run(lab): Task<AndrewResult> {
    return yield* andrewOn(lab, lab.parameters.place === 'local' ? lab.servers : lab.clients, lab.servers);
  },
  passed: (r) => r.storedTreeDigest === r.treeDigest,
  measures: (r) => ({
    'andrew.seconds': r.seconds,
    'andrew.serverProcessorShare': r.serverProcessorShare,
    'andrew.networkShare': r.networkShare,
    ...Object.fromEntries(r.phases.map((p) => [`andrew.${p.name}Seconds`, p.seconds])),
  }),
  table: (r) => ({
    title: `The Andrew benchmark over ${r.files} files`,
    head: ['phase', 'seconds'],
    rows: [...r.phases.map((p) => [p.name, p.seconds.toFixed(1)]), ['total', r.seconds.toFixed(1)]],
    ...noteOn(r),
  }),
});

/** On all of these machines at once. The servers are theirs. */
export function* andrewOn(
  {
    cluster,
    parameters,
    start,
  }: Pick<Laboratory<Pick<Parameters, 'start'>>, 'cluster' | 'parameters' | 'start'>,
  machines: readonly ClusterMachine[],
  servers: readonly ClusterMachine[],
): Task<AndrewResult> {
  const times: AndrewTimes[] = [];
  const load = new Load(cluster, servers.length);
  const failures: string[] = [];
  const programs = machines.map((machine, i) =>
    start(machine, name, function* (sys) {
      const target = `/andrew/${machine.name}`;
      const places = {
        source,
        target,
        temporary: `/tmp/ctm${i}`,
        instructionNs: machine.type.costs.instructionNs,
        commands: new Commands(),
      };
      try {
        if (parameters.start === 'warm') {
          yield* andrewProgram(sys, places);
          yield* remove(sys, target);
        }
        load.begin();
        times[i] = yield* andrewProgram(sys, places);
        load.end();
        return 0;
      } catch (e) {
        if (!isKernelError(e)) throw e;
        failures.push(`on ${machine.name} after ${Math.round(cluster.engine.nowNs / 1e9)} s: ${e.message}`);
        return 1;
      }
    }),
  );
  for (const p of programs) yield* p.join();
  if (failures.length > 0) throw programsFailed(name, failures);
  const [first] = times;
  if (first === undefined || times.filter((t) => t !== undefined).length < machines.length)
    throw programsCrashed(name);
  const phases = first.phases.map((p, n) => ({
    name: p.name,
    seconds: times.reduce((sum, t) => sum + (t.phases[n]?.seconds ?? 0), 0) / times.length,
  }));
  const seenBy = (reader: (machine: ClusterMachine) => ClusterMachine): Task<string> =>
    treesDigest(start, machines, reader);
  return {
    phases,
    seconds: phases.reduce((sum, p) => sum + p.seconds, 0),
    files: first.files,
    compiled: first.compiled,
    skipped: first.skipped,
    serverProcessorShare: load.serverProcessorShare,
    networkShare: load.networkShare,
    treeDigest: yield* seenBy((machine) => machine),
    storedTreeDigest: yield* seenBy((machine) => servers[0] ?? machine),
  };
}

/** Of the targets of all machines. @param readerOf on which machine the target of a machine is read */
function* treesDigest(
  start: Laboratory<unknown>['start'],
  machines: readonly ClusterMachine[],
  readerOf: (machine: ClusterMachine) => ClusterMachine,
): Task<string> {
  const digests: string[] = [];
  for (const [i, machine] of machines.entries()) {
    const reader = readerOf(machine);
    // One that crashes meanwhile reads it all when it is back.
    while (digests[i] === undefined) {
      yield* reader.running();
      const reading = start(reader, `${name} digest`, function* (sys) {
        digests[i] = yield* digestOf(sys, `/andrew/${machine.name}`);
        // What only this machine has goes to its server, so that others see it even if that crashes now.
        yield* sys.syncAll();
        return 0;
      });
      yield* reading.join();
    }
  }
  return createHash('sha256').update(digests.join()).digest('hex');
}

function noteOn({ skipped, treeDigest, storedTreeDigest }: AndrewResult): { readonly note?: string } {
  if (storedTreeDigest !== treeDigest)
    return {
      note: 'The server has other bytes than its clients were told of: it lost some when it crashed, as its boards delay writes.',
    };
  return skipped === null ? {} : { note: `make was skipped: ${skipped}` };
}

/** What the servers and the wire did while it ran, from the first start to the last end. */
class Load {
  readonly #cluster: Cluster;
  readonly #servers: number;
  #beginNs = 0;
  #before: Readonly<Record<string, number>> | null = null;
  #endNs = 0;
  #after: Readonly<Record<string, number>> = {};

  constructor(cluster: Cluster, servers: number) {
    this.#cluster = cluster;
    this.#servers = servers;
  }

  begin(): void {
    if (this.#before !== null) return;
    this.#beginNs = this.#cluster.engine.nowNs;
    this.#before = this.#cluster.metrics();
  }

  end(): void {
    this.#endNs = this.#cluster.engine.nowNs;
    this.#after = this.#cluster.metrics();
  }

  get serverProcessorShare(): number {
    return this.#share('processor.server.busySeconds') / this.#servers;
  }

  get networkShare(): number {
    return this.#share('network.busySeconds');
  }

  #share(metric: string): number {
    const busySeconds = (this.#after[metric] ?? 0) - (this.#before?.[metric] ?? 0);
    return busySeconds / ((this.#endNs - this.#beginNs) / 1e9);
  }
}

/** The tree that comes with the project, with the fixed times and owners of every imported tree. */
export function shippedTree(): Tree {
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

/** Programs, the headers and the library that compilers find, the users, and a place for temporary files. */
export function* systemFiles(storage: Storage): Task<void> {
  for (const { path, text } of systemHeaders())
    yield* place(storage, `${includeDirectory}/${path}`, new Uint8Array(Buffer.from(text)), 0o644);
  yield* place(storage, libraryPath, filler(libraryBytes), 0o644);
  yield* place(storage, passwordFile, filler(passwordBytes), 0o644);
  for (const { path, textBytes, dataBytes } of executables)
    yield* place(storage, path, filler(textBytes + dataBytes), 0o755);
  yield* storage.setAttributes(yield* directoryFor(storage, '/tmp'), { mode: 0o1777 });
}

const filler = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes).fill(0x4e);

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
