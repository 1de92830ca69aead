/**
 * What it costs that pipes are outside of the kernel: bytes from one program of V to another through the pipe server, and
 * through the same objects in a module of the kernel (Cheriton 1988, section on servers; Zwaenepoel 1985).
 *
 *   blocks   the programs write and read whole blocks: nothing but the pipe takes time
 *   bytes    they put and get one byte after another through streams with a buffer of a block, as filters do
 */
import type { Cluster, ClusterMachine } from '@backplane/chassis';
import { type Task, WaitQueue } from '@backplane/engine';
import { pipeServer } from '@backplane/pipe-server-v';
import type { Ipc, IpcProcess, Machine, Server } from '@backplane/slots';
import { asker, ByteStream, endOfStream, Instance } from '@backplane/uio';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { inProcess } from './v-processes.ts';

type Place = 'local' | 'remote';
type Access = 'blocks' | 'bytes';

interface Row {
  /** Of the reader, seen from the writer and the pipe. */
  readonly place: Place;
  readonly access: Access;
  /** A process that receives messages. */
  readonly outsideSeconds: number;
  /** A module of the kernel that is called. */
  readonly insideSeconds: number;
  /** How much longer it takes outside. */
  readonly penaltyPercent: number;
}
export interface PipeResult {
  readonly rows: readonly Row[];
}
interface Parameters {
  readonly kilobytes: number;
  readonly blockBytes: number;
}

const name = 'pipe';
const texts = [
  { name: 'kilobytes', value: '256', description: 'how much is written' },
  { name: 'block-bytes', value: '1024', description: 'of one write, and of one read' },
];

export const pipe: Experiment<Parameters, PipeResult> = defineExperiment({
  name,
  description: 'V: bytes through a pipe outside of the kernel, and inside',
  kernel: () => 'v',
  uses: ['ipc'],
  shape: () => ({
    clients: 2,
    clientsMin: 2,
    servers: 0,
    machineTypes: { client: 'sun3-75', server: 'sun3-75' },
    prefixes: [],
    without: ['servers', 'fileCache', 'objects', 'streams', 'systemCalls'],
  }),
  parameterTexts: texts,
  parameters(given) {
    checkNames(name, given, texts);
    return {
      kilobytes: count(name, given, 'kilobytes', 256),
      blockBytes: count(name, given, 'block-bytes', 1024, 16_384),
    };
  },
  *run({ clients: [writer, other], parameters, cluster }): Task<PipeResult> {
    if (writer === undefined || other === undefined) return { rows: [] };
    const rows: Row[] = [];
    for (const [place, access] of [
      ['local', 'blocks'],
      ['remote', 'blocks'],
      ['local', 'bytes'],
      ['remote', 'bytes'],
    ] as const) {
      const reader = place === 'local' ? writer : other;
      const course = { cluster, writer, reader, access, ...parameters };
      const outsideSeconds = yield* through('messages', course);
      const insideSeconds = yield* through('procedures', course);
      // On machines of no cost it may take no time at all.
      const more = outsideSeconds - insideSeconds;
      const penaltyPercent = more === 0 ? 0 : (100 * more) / insideSeconds;
      rows.push({ place, access, outsideSeconds, insideSeconds, penaltyPercent });
    }
    return { rows };
  },
  measures: ({ rows }) =>
    Object.fromEntries(
      rows.flatMap((r) => [
        [`pipe.${r.place}.${r.access}.outsideSeconds`, r.outsideSeconds],
        [`pipe.${r.place}.${r.access}.insideSeconds`, r.insideSeconds],
        [`pipe.${r.place}.${r.access}.penaltyPercent`, r.penaltyPercent],
      ]),
    ),
  table: ({ rows }) => ({
    title: 'A pipe of V outside of the kernel, and inside',
    head: ['reader', 'programs use', 'outside, s', 'inside, s', 'more'],
    rows: rows.map((r) => [
      r.place,
      r.access,
      r.outsideSeconds.toFixed(3),
      r.insideSeconds.toFixed(3),
      `${r.penaltyPercent.toFixed(1)} %`,
    ]),
  }),
});

interface Course extends Parameters {
  readonly cluster: Cluster;
  /** The pipe is here, too. */
  readonly writer: ClusterMachine;
  readonly reader: ClusterMachine;
  readonly access: Access;
}

/** Virtual seconds from the making of the pipe to its end. */
function* through(model: 'messages' | 'procedures', c: Course): Task<number> {
  const manager = startServer(c, model).process;
  const { nowNs: startNs } = c.cluster.engine;
  const ready = new WaitQueue<Instance>();
  const writing = c.cluster.start(
    'writing',
    inProcess(c.writer, 'writer', (self) => write(c, self, manager, ready)),
  );
  const written = yield* ready.wait();
  if (written === undefined) throw new Error(`${name}: no pipe`);
  yield* inProcess(c.reader, 'reader', (self) => readAll(c, self, written));
  yield* writing.join();
  return (c.cluster.engine.nowNs - startNs) / 1e9;
}

function* write(
  { kilobytes, blockBytes, access, writer }: Course,
  self: IpcProcess,
  manager: Server['process'],
  ready: WaitQueue<Instance>,
): Task<void> {
  const i = yield* Instance.create(asker(self), manager, { mode: 3 });
  ready.wakeAll(i);
  const bytes = new Uint8Array(kilobytes * 1024).fill(0x56);
  if (access === 'bytes') {
    const stream = new ByteStream(i, writer.type.costs, blockBytes);
    for (const byte of bytes) yield* stream.putByte(byte);
    yield* stream.flush();
  } else {
    for (let at = 0; at < bytes.length; at += blockBytes)
      yield* i.append(bytes.subarray(at, at + blockBytes));
  }
  yield* i.release();
}

function* readAll(
  { kilobytes, blockBytes, access, reader }: Course,
  self: IpcProcess,
  { manager, number }: Instance,
): Task<void> {
  const i = yield* Instance.of(asker(self), manager, number + 1);
  yield* i.setOwner(self.id);
  const wanted = kilobytes * 1024;
  let got = 0;
  if (access === 'bytes') {
    const stream = new ByteStream(i, reader.type.costs, blockBytes);
    while (got < wanted && (yield* stream.getByte()) !== endOfStream) got++;
  } else {
    for (let block = 0; got < wanted; block++) {
      const bytes = yield* i.read({ block, first: 0 }, blockBytes);
      if (bytes === null) break;
      got += bytes.length;
    }
  }
  if (got < wanted) throw new Error(`${name}: it ends after ${got} bytes`);
  yield* i.release();
}

/** On the writer's machine: not a part of its kernel but a program, which is started when it is wanted. */
function startServer(c: Course, model: 'messages' | 'procedures'): Server {
  const { engine, natives } = c.cluster;
  const { name: machine, host, role, type, bootId, scope } = c.writer;
  const place: Machine = {
    ...{ name: machine, host, role, type, bootId, engine, natives },
    scope: scope.child('pipes'),
    metrics: { register: () => () => {} },
    random: (purpose) => engine.random(purpose, machine),
  };
  const granted: { readonly ipc: Ipc } = { ipc: c.writer.board('ipc') };
  // boundary: what a board requires is checked where kernels are composed; this is what the pipe server requires
  return pipeServer({ model, blockBytes: c.blockBytes }).create(granted as never, place);
}
