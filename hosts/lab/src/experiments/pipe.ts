/**
 * What it costs that pipes are outside of the kernel: bytes from one program of V to another through the pipe server, and
 * through the same objects in a module of the kernel (Cheriton 1988, section on servers; Zwaenepoel 1985).
 */
import type { Cluster, ClusterMachine } from '@backplane/chassis';
import { type Task, WaitQueue } from '@backplane/engine';
import { pipeServer } from '@backplane/pipe-server-v';
import type { Ipc, IpcProcess, Machine, Server } from '@backplane/slots';
import { asker, Instance } from '@backplane/uio';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { inProcess } from './v-processes.ts';

interface Row {
  /** Of the reader, seen from the writer and the pipe. */
  readonly place: 'local' | 'remote';
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
    for (const [place, reader] of [
      ['local', writer],
      ['remote', other],
    ] as const) {
      const course = { cluster, writer, reader, ...parameters };
      const outsideSeconds = yield* through('messages', course);
      const insideSeconds = yield* through('procedures', course);
      // On machines of no cost it may take no time at all.
      const more = outsideSeconds - insideSeconds;
      const penaltyPercent = more === 0 ? 0 : (100 * more) / insideSeconds;
      rows.push({ place, outsideSeconds, insideSeconds, penaltyPercent });
    }
    return { rows };
  },
  measures: ({ rows }) =>
    Object.fromEntries(
      rows.flatMap((r) => [
        [`pipe.${r.place}.outsideSeconds`, r.outsideSeconds],
        [`pipe.${r.place}.insideSeconds`, r.insideSeconds],
        [`pipe.${r.place}.penaltyPercent`, r.penaltyPercent],
      ]),
    ),
  table: ({ rows }) => ({
    title: 'A pipe of V outside of the kernel, and inside',
    head: ['reader', 'outside, s', 'inside, s', 'more'],
    rows: rows.map((r) => [
      r.place,
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
  { kilobytes, blockBytes }: Course,
  self: IpcProcess,
  manager: Server['process'],
  ready: WaitQueue<Instance>,
): Task<void> {
  const i = yield* Instance.create(asker(self), manager, { mode: 3 });
  ready.wakeAll(i);
  const bytes = new Uint8Array(kilobytes * 1024).fill(0x56);
  for (let at = 0; at < bytes.length; at += blockBytes) yield* i.append(bytes.subarray(at, at + blockBytes));
  yield* i.release();
}

function* readAll(
  { kilobytes, blockBytes }: Course,
  self: IpcProcess,
  { manager, number }: Instance,
): Task<void> {
  const i = yield* Instance.of(asker(self), manager, number + 1);
  yield* i.setOwner(self.id);
  let got = 0;
  for (let block = 0; got < kilobytes * 1024; block++) {
    const bytes = yield* i.read({ block, first: 0 }, blockBytes);
    if (bytes === null) throw new Error(`${name}: it ends after ${got} bytes`);
    got += bytes.length;
  }
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
