/**
 * What a kilobyte of a file takes by V's uniform I/O when a server has it in memory: Table II of "The V Distributed System"
 * (Cheriton 1988), and reading from the page frames of one's own machine, which is measured where the kernel caches files.
 *
 *   communication   a message of 32 bytes, answered with 1 KB
 *   blocks          reading blocks of 1 KB
 *   bytes           the same blocks through a byte stream, byte by byte
 *   get-byte        the bytes of a stream that has them in its buffer
 */
import type { ClusterMachine } from '@backplane/chassis';
import { settle, type Task } from '@backplane/engine';
import type { EntityId, IpcProcess } from '@backplane/slots';
import { ByteStream, type Instance, unitBytes } from '@backplane/uio';
import { mapBuffer, serveTransactions, transactions } from '@backplane/workloads';
import { defineExperiment, type Experiment, type Laboratory } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { cacheDirectoryOf, inProcess, openAtServer, openInCache, readBlock } from './v-processes.ts';

/** Milliseconds for one kilobyte. */
interface Row {
  /** Of the file server, seen from who reads. */
  readonly place: 'local' | 'remote';
  readonly communication: number;
  readonly blocks: number;
  readonly bytes: number;
  readonly getByte: number;
}
interface Cached {
  /** A block that is in a page frame of the reader's machine. */
  readonly hit: number;
  /** The first time: it comes from the file server. */
  readonly miss: number;
}
export interface UioTableResult {
  readonly rows: readonly Row[];
  /** Null where the kernel caches no files on the reader's machine. */
  readonly cached: Cached | null;
}
interface Parameters {
  readonly kilobytes: number;
}

const name = 'uio-table';
const texts = [{ name: 'kilobytes', value: '64', description: 'size of the file' }];
const path = '/uio-table';
const blockBytes = 1024;

export const uioTable: Experiment<Parameters, UioTableResult> = defineExperiment({
  name,
  description: 'V: a kilobyte of a file by uniform I/O, as blocks and as bytes, by place',
  kernel: () => 'v',
  uses: ['ipc', 'vm', 'naming'],
  shape: () => ({
    clients: 1,
    servers: 1,
    serversMax: 1,
    machineTypes: { client: 'microvax2', server: 'microvax2' },
    prefixes: [['/']],
  }),
  parameterTexts: texts,
  parameters(given) {
    checkNames(name, given, texts);
    return { kilobytes: count(name, given, 'kilobytes', 64, 1024) };
  },
  *run(lab): Task<UioTableResult> {
    const { clients, servers, parameters } = lab;
    const [client] = clients;
    const [server] = servers;
    if (client === undefined || server === undefined) return { rows: [], cached: null };
    yield* inProcess(server, 'writer', (self) => writeFile(server, self, parameters.kilobytes));
    const answering = serve(server);
    const rows = [
      yield* inProcess(server, name, (self) => timed(lab, 'local', server, self, answering)),
      yield* inProcess(client, name, (self) => timed(lab, 'remote', client, self, answering)),
    ];
    return { rows, cached: yield* inProcess(client, name, (self) => timedCached(lab, client, self)) };
  },
  measures: ({ rows, cached }) => ({
    ...Object.fromEntries(
      rows.flatMap(({ place, ...r }) =>
        Object.entries(r).map(([what, ms]) => [`uio.${place}.${what}Milliseconds`, ms]),
      ),
    ),
    ...(cached !== null && {
      'uio.cached.hitMilliseconds': cached.hit,
      'uio.cached.missMilliseconds': cached.miss,
    }),
  }),
  table: ({ rows, cached }) => ({
    title: 'A kilobyte of a file in V, in milliseconds',
    head: ['file server', 'get-byte', 'bytes', 'blocks', 'communication'],
    rows: rows.map((r) => [r.place, ...[r.getByte, r.bytes, r.blocks, r.communication].map(text)]),
    note:
      cached === null
        ? 'This kernel caches no files on the machine that reads.'
        : `From the page frames of the machine that reads: ${text(cached.hit)}; the first time ${text(cached.miss)}.`,
  }),
});

const text = (milliseconds: number): string => milliseconds.toFixed(2);

function* writeFile(machine: ClusterMachine, self: IpcProcess, kilobytes: number): Task<void> {
  const i = yield* openAtServer(machine, self, path, { write: true, create: true });
  for (let block = 0; block < kilobytes; block++)
    yield* i.write({ block, first: 0 }, new Uint8Array(blockBytes).fill(block));
  yield* i.release();
}

/** A process that answers messages, with as many bytes as are wanted. */
function serve(machine: ClusterMachine): EntityId {
  const space = machine.board('vm').space('answering');
  mapBuffer(space);
  const process = machine.board('ipc').create({ name: 'answering', scope: machine.scope, space });
  machine.scope.spawn('answering', serveTransactions(process, space));
  return process.id;
}

type Lab = Laboratory<Parameters>;

/** Milliseconds of this for one kilobyte of the file. */
function* perKilobyte({ cluster, parameters }: Lab, body: Task<void>): Task<number> {
  // What was done before has been paid, and so is this.
  yield* settle();
  const startNs = cluster.engine.nowNs;
  yield* body;
  yield* settle();
  return (cluster.engine.nowNs - startNs) / 1e6 / parameters.kilobytes;
}

function* timed(
  lab: Lab,
  place: Row['place'],
  machine: ClusterMachine,
  self: IpcProcess,
  answering: EntityId,
): Task<Row> {
  const { kilobytes } = lab.parameters;
  const exchange = { requestBytes: 0, responseBytes: blockBytes };
  const ns = yield* transactions(self, answering, exchange, kilobytes, () => lab.cluster.engine.nowNs);
  const i = yield* openAtServer(machine, self, path, { read: true });
  const { costs } = machine.type;
  // The first kilobyte has the server found.
  yield* readBlock(i, 0);
  const blocks = yield* perKilobyte(lab, readAll(i, kilobytes));
  const bytes = yield* perKilobyte(lab, getAll(new ByteStream(i, costs, blockBytes), kilobytes * blockBytes));
  const getByte = yield* timedGetByte(lab, new ByteStream(i, costs), kilobytes);
  yield* i.release();
  return { place, communication: ns / 1e6, blocks, bytes, getByte };
}

function* readAll(i: Instance, kilobytes: number): Task<void> {
  for (let block = 0; block < kilobytes; block++) yield* readBlock(i, block);
}

function* getAll(stream: ByteStream, bytes: number): Task<void> {
  for (let n = 0; n < bytes; n++) yield* stream.getByte();
}

/** Without the first byte of each buffer, which has it filled. */
function* timedGetByte({ cluster: { engine } }: Lab, stream: ByteStream, kilobytes: number): Task<number> {
  let ns = 0;
  let got = 0;
  for (let left = kilobytes * blockBytes; left > 0; left -= unitBytes) {
    yield* stream.getByte();
    yield* settle();
    const startNs = engine.nowNs;
    const rest = Math.min(left, unitBytes) - 1;
    yield* getAll(stream, rest);
    yield* settle();
    ns += engine.nowNs - startNs;
    got += rest;
  }
  return ((ns / got) * blockBytes) / 1e6;
}

function* timedCached(lab: Lab, machine: ClusterMachine, self: IpcProcess): Task<Cached | null> {
  const directory = yield* cacheDirectoryOf(machine, self);
  if (directory === undefined) return null;
  const i = yield* openInCache(machine, self, directory, path, { read: true });
  const { kilobytes } = lab.parameters;
  const miss = yield* perKilobyte(lab, readAll(i, kilobytes));
  const hit = yield* perKilobyte(lab, readAll(i, kilobytes));
  yield* i.release();
  return { hit, miss };
}
