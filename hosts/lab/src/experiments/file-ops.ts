/** Single operations on files, on the server itself and on a diskless client: names, and throughput by where the bytes are. */
import type { ClusterMachine } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import {
  exists,
  type NameOperation,
  nameOperations,
  readRate,
  timeName,
  writeRate,
} from '@backplane/workloads';
import { defineExperiment, type Experiment, type Laboratory } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';

interface Parameters {
  readonly repeats: number;
  readonly kilobytes: number;
  readonly diskKilobytes: number;
}

/** Where the program runs: on the machine that has the disk, or on one that has none. */
type Place = 'local' | 'diskless';

interface NameRow {
  readonly operation: NameOperation;
  readonly place: Place;
  readonly milliseconds: number;
  /** Processor time of the server for one of them. */
  readonly serverMilliseconds: number;
}

const throughputCases = [
  'read cached here',
  'write cached here',
  'read from the cache of the server',
  'read from the disk',
  'write to the disk',
] as const;
export type ThroughputCase = (typeof throughputCases)[number];

interface ThroughputRow {
  readonly case: ThroughputCase;
  readonly place: Place;
  readonly kilobytesPerSecond: number;
}

export interface FileOpsResult {
  readonly names: readonly NameRow[];
  readonly throughput: readonly ThroughputRow[];
}

const name = 'file-ops';
const parameterTexts = [
  { name: 'repeats', value: '100', description: 'how often each operation on a name is done' },
  { name: 'kilobytes', value: '1024', description: 'size of the files that caches have to hold' },
  {
    name: 'disk-kilobytes',
    value: '24576',
    description: 'size of those that they cannot: twice the memory of a Sun-3/180',
  },
];

export const fileOps: Experiment<Parameters, FileOpsResult> = defineExperiment({
  name,
  description: 'open, stat, read and write one after the other, on the server and on a client',
  uses: ['systemCalls'],
  parameterTexts,
  parameters(given) {
    checkNames(name, given, parameterTexts);
    return {
      repeats: count(name, given, 'repeats', 100),
      kilobytes: count(name, given, 'kilobytes', 1024),
      diskKilobytes: count(name, given, 'disk-kilobytes', 24_576),
    };
  },
  shape: () => ({
    clients: 1,
    servers: 1,
    machineTypes: { client: 'sun3-75', server: 'sun3-180' },
    prefixes: [['/']],
  }),
  *run(lab): Task<FileOpsResult> {
    const { server, client } = machinesOf(lab);
    yield* makeFiles(lab, server);
    const names = [
      ...(yield* timeNames(lab, server, 'local')),
      ...(yield* timeNames(lab, client, 'diskless')),
    ];
    const cached = yield* throughInMemory(lab, client);
    yield* settleWrites(lab, client);
    // What is read now is in nobody's memory.
    yield* server.halt();
    server.boot();
    yield* server.running();
    const local = yield* throughTheDisk(lab, server, 'local');
    const diskless = yield* throughTheDisk(lab, client, 'diskless');
    return { names, throughput: [...cached, ...local, ...diskless] };
  },
  measures: ({ names, throughput }) => ({
    ...Object.fromEntries(
      names.map((r) => [`files.${r.place}.${camel(r.operation)}Milliseconds`, r.milliseconds]),
    ),
    ...Object.fromEntries(
      throughput.map((r) => [`files.${r.place}.${camel(r.case)}KilobytesPerSecond`, r.kilobytesPerSecond]),
    ),
  }),
  table: ({ names, throughput }) => ({
    title: 'Single operations on files',
    head: ['operation', 'place', 'measured', '', 'server'],
    rows: [
      ...names.map((r) => [
        r.operation,
        r.place,
        r.milliseconds.toFixed(2),
        'ms',
        r.place === 'local' ? '' : `${r.serverMilliseconds.toFixed(2)} ms`,
      ]),
      ...throughput.map((r) => [r.case, r.place, r.kilobytesPerSecond.toFixed(0), 'KB/s', '']),
    ],
  }),
});

const subject = '/subject';
const fileOf = (place: Place, what: 'read' | 'write' | 'server'): string => `/${place}.${what}`;

function machinesOf({ servers, clients }: Laboratory<Parameters>): {
  server: ClusterMachine;
  client: ClusterMachine;
} {
  const [server] = servers;
  const [client] = clients;
  if (server === undefined || client === undefined) throw new Error(`${name}: wants a server and a client`);
  return { server, client };
}

/** Runs a program to its end; its result is what `body` returned. */
function* program<T>(
  { start }: Laboratory<Parameters>,
  machine: ClusterMachine,
  body: (sys: Calls) => Task<T>,
): Task<T> {
  const results: T[] = [];
  const running = start(machine, name, function* (sys) {
    results.push(yield* body(sys));
    return 0;
  });
  yield* running.join();
  const [result] = results;
  if (result === undefined) throw new Error(`${name}: the program on ${machine.name} failed`);
  return result;
}

const cachedBytes = ({ parameters }: Laboratory<Parameters>): number => parameters.kilobytes * 1024;
const diskBytes = ({ parameters }: Laboratory<Parameters>): number => parameters.diskKilobytes * 1024;

function* makeFiles(lab: Laboratory<Parameters>, server: ClusterMachine): Task<void> {
  yield* program(lab, server, function* (sys) {
    for (const place of ['local', 'diskless'] as const)
      yield* writeRate(sys, fileOf(place, 'read'), { sizeBytes: diskBytes(lab), synced: true });
    yield* writeRate(sys, subject, { sizeBytes: 4096, synced: false });
    yield* writeRate(sys, fileOf('diskless', 'server'), { sizeBytes: cachedBytes(lab), synced: false });
    return null;
  });
}

/** What is still dirty somewhere would share the disk with what is measured next. */
function* settleWrites(lab: Laboratory<Parameters>, machine: ClusterMachine): Task<void> {
  yield* program(lab, machine, function* (sys) {
    yield* sys.syncAll();
    return null;
  });
}

function* timeNames(lab: Laboratory<Parameters>, machine: ClusterMachine, place: Place): Task<NameRow[]> {
  const { repeats } = lab.parameters;
  const serverSeconds = (): number => lab.cluster.metrics()['processor.server.busySeconds'] ?? 0;
  return yield* program(lab, machine, function* (sys) {
    const rows: NameRow[] = [];
    for (const operation of nameOperations) {
      // The call that learns the prefix is not to be counted.
      yield* timeName(sys, operation, subject, 1);
      const before = serverSeconds();
      const oneNs = yield* timeName(sys, operation, subject, repeats);
      const serverMilliseconds = ((serverSeconds() - before) * 1e3) / (repeats + 1);
      rows.push({ operation, place, milliseconds: oneNs / 1e6, serverMilliseconds });
    }
    return rows;
  });
}

const kilobytes = (bytesPerSecond: number): number => bytesPerSecond / 1024;

function* throughInMemory(lab: Laboratory<Parameters>, client: ClusterMachine): Task<ThroughputRow[]> {
  return yield* program(lab, client, function* (sys) {
    const file = fileOf('diskless', 'server');
    const fetched = yield* readRate(sys, file);
    const again = yield* readRate(sys, file);
    const written = yield* writeRate(sys, file, { sizeBytes: cachedBytes(lab), synced: false });
    const row = (which: ThroughputCase, bytesPerSecond: number): ThroughputRow => ({
      case: which,
      place: 'diskless',
      kilobytesPerSecond: kilobytes(bytesPerSecond),
    });
    return [
      row('read cached here', again),
      row('write cached here', written),
      row('read from the cache of the server', fetched),
    ];
  });
}

function* throughTheDisk(
  lab: Laboratory<Parameters>,
  machine: ClusterMachine,
  place: Place,
): Task<ThroughputRow[]> {
  return yield* program(lab, machine, function* (sys) {
    // A store in memory has lost it with the power, and has no disk.
    if (!(yield* exists(sys, fileOf(place, 'read')))) return [];
    const read = yield* readRate(sys, fileOf(place, 'read'));
    const written = yield* writeRate(sys, fileOf(place, 'write'), {
      sizeBytes: diskBytes(lab),
      synced: true,
    });
    return [
      { case: 'read from the disk', place, kilobytesPerSecond: kilobytes(read) },
      { case: 'write to the disk', place, kilobytesPerSecond: kilobytes(written) },
    ] as const;
  });
}

const camel = (words: string): string =>
  words.replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
