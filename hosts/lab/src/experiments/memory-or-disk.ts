/**
 * 8 KB of a file from the memory of another machine and from a disk of one's own: "it is faster to access a copy of the block
 * at a remote server that has the data in its RAM cache than to read it from a local disk" (Cheriton 1988, section on IPC).
 * The blocks are read in their order, which is kinder to the disk than any other.
 */
import type { ClusterMachine } from '@backplane/chassis';
import { settle, type Task } from '@backplane/engine';
import { type IpcProcess, isKernelError } from '@backplane/slots';
import { defineExperiment, type Experiment, type Laboratory } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { inProcess, openAtServer } from './v-processes.ts';

/** Of one unit. */
export interface MemoryOrDiskResult {
  /** Of the machine that reads: it is the file server itself. */
  readonly ownMemoryMilliseconds: number;
  readonly otherMemoryMilliseconds: number;
  /** Null where the storage has lost the file with its power: it has no disk. */
  readonly ownDiskMilliseconds: number | null;
}
interface Parameters {
  readonly units: number;
}
type Lab = Laboratory<Parameters>;

const name = 'memory-or-disk';
const texts = [{ name: 'units', value: '32', description: 'units of 8 KB that the file has' }];
const path = '/memory-or-disk';
const unitBytes = 8192;

export const memoryOrDisk: Experiment<Parameters, MemoryOrDiskResult> = defineExperiment({
  name,
  description: 'V: 8 KB of a file from the memory of another machine, and from a disk of its own',
  kernel: () => 'v',
  uses: ['ipc', 'naming'],
  shape: () => ({
    clients: 1,
    servers: 1,
    serversMax: 1,
    machineTypes: { client: 'sun3-75', server: 'sun3-75' },
    prefixes: [['/']],
  }),
  parameterTexts: texts,
  parameters(given) {
    checkNames(name, given, texts);
    return { units: count(name, given, 'units', 32, 256) };
  },
  *run(lab): Task<MemoryOrDiskResult> {
    const [client] = lab.clients;
    const [server] = lab.servers;
    if (client === undefined || server === undefined) throw new Error(`${name}: wants a client and a server`);
    yield* inProcess(server, 'writer', (self) => writeFile(lab, server, self));
    const ownMemoryMilliseconds = yield* inProcess(server, name, (self) => timed(lab, server, self));
    const otherMemoryMilliseconds = yield* inProcess(client, name, (self) => timed(lab, client, self));
    // What is read now is in nobody's memory.
    yield* server.halt();
    server.boot();
    yield* server.running();
    const ownDiskMilliseconds = yield* inProcess(server, name, (self) =>
      unlessLost(timed(lab, server, self)),
    );
    return { ownMemoryMilliseconds, otherMemoryMilliseconds, ownDiskMilliseconds };
  },
  measures: ({ ownDiskMilliseconds, ...memory }) => ({
    ...Object.fromEntries(Object.entries(memory).map(([what, ms]) => [`reading.${what}`, ms])),
    ...(ownDiskMilliseconds !== null && { 'reading.ownDiskMilliseconds': ownDiskMilliseconds }),
  }),
  table: (r) => ({
    title: '8 KB of a file in V',
    head: ['from', 'ms'],
    rows: [
      ['its own memory', r.ownMemoryMilliseconds.toFixed(2)],
      ['the memory of another machine', r.otherMemoryMilliseconds.toFixed(2)],
      ['its own disk', r.ownDiskMilliseconds?.toFixed(2) ?? 'none'],
    ],
  }),
});

function* unlessLost(reading: Task<number>): Task<number | null> {
  try {
    return yield* reading;
  } catch (e) {
    if (!isKernelError(e, 'notFound')) throw e;
    return null;
  }
}

function* writeFile({ parameters }: Lab, machine: ClusterMachine, self: IpcProcess): Task<void> {
  const i = yield* openAtServer(machine, self, path, { write: true, create: true });
  for (let unit = 0; unit < parameters.units; unit++)
    yield* i.write(
      { block: (unit * unitBytes) / i.blockBytes, first: 0 },
      new Uint8Array(unitBytes).fill(unit),
    );
  yield* i.release();
}

function* timed(
  { cluster, parameters: { units } }: Lab,
  machine: ClusterMachine,
  self: IpcProcess,
): Task<number> {
  const i = yield* openAtServer(machine, self, path, { read: true });
  yield* settle();
  const startNs = cluster.engine.nowNs;
  for (let unit = 0; unit < units; unit++) {
    const bytes = yield* i.read({ block: (unit * unitBytes) / i.blockBytes, first: 0 }, unitBytes);
    if (bytes === null || bytes.length < unitBytes || bytes[0] !== unit)
      throw new Error(`${name}: no unit ${unit}`);
  }
  yield* settle();
  const ns = cluster.engine.nowNs - startNs;
  yield* i.release();
  return ns / 1e6 / units;
}
