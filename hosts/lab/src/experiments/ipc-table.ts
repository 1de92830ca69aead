/** V's message transactions by place and size: Table I of "The V Distributed System" (Cheriton 1988), and what stands beside it. */
import type { ClusterMachine } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import type { AddressSpace, IpcProcess } from '@backplane/slots';
import { type Exchange, mapBuffer, serveTransactions, transactions } from '@backplane/workloads';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, choice, count } from '../parameters.ts';
import { grantedRequests, serveGranted } from './granted-requests.ts';

interface Row {
  /** Of the server, seen from the client. */
  readonly place: 'local' | 'remote';
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** The request's data do not come along: the server moves them out of the sender's memory. */
  readonly moved: boolean;
  /** Only the sending was measured: nobody answers. */
  readonly datagram: boolean;
  readonly milliseconds: number;
}
export interface IpcTableResult {
  readonly rows: readonly Row[];
}
interface Parameters {
  readonly times: number;
  readonly place: Row['place'] | 'both';
  readonly data: 'yes' | 'no';
}

const name = 'ipc-table';
const texts = [
  { name: 'times', value: '20', description: 'transactions of each size' },
  { name: 'place', value: 'both', description: 'where the server is: local, remote, or one of each' },
  { name: 'data', value: 'yes', description: 'no: transactions of 32 bytes only' },
];

type Case = Exchange & Pick<Row, 'place'> & { readonly moved?: true };

const kilobytes = [0, 1, 4, 8, 12, 16];
const exchanges: readonly Case[] = [
  { place: 'local', requestBytes: 0, responseBytes: 0 },
  { place: 'local', requestBytes: 0, responseBytes: 8192 },
  ...kilobytes.map((k) => ({ place: 'remote' as const, requestBytes: 0, responseBytes: k * 1024 })),
  { place: 'remote', requestBytes: 16_384, responseBytes: 0 },
  ...kilobytes
    .filter((k) => k > 1)
    .map((k) => ({
      place: 'remote' as const,
      requestBytes: k * 1024,
      responseBytes: 0,
      moved: true as const,
    })),
  { place: 'remote', requestBytes: 0, responseBytes: 0, datagram: true },
];

export const ipcTable: Experiment<Parameters, IpcTableResult> = defineExperiment({
  name,
  description: 'V: message transactions between two processes, by place and size',
  kernel: () => 'v',
  uses: ['ipc', 'vm'],
  shape: () => ({
    clients: 1,
    servers: 1,
    machineTypes: { client: 'sun3-75', server: 'sun3-75' },
    prefixes: [],
    without: ['servers', 'fileCache', 'objects', 'streams', 'systemCalls'],
  }),
  parameterTexts: texts,
  parameters(given) {
    checkNames(name, given, texts);
    return {
      times: count(name, given, 'times', 20),
      place: choice(name, given, 'place', ['local', 'remote', 'both'], 'both'),
      data: choice(name, given, 'data', ['yes', 'no'], 'yes'),
    };
  },
  *run({ clients: [client], servers: [server], parameters, cluster }): Task<IpcTableResult> {
    if (client === undefined || server === undefined) return { rows: [] };
    const remote = serve(server);
    const local = serve(client);
    const takes = serveMoving(server);
    const asker = processOn(client, 'client');
    const now = (): number => cluster.engine.nowNs;
    const rows: Row[] = [];
    for (const e of exchanges.filter((x) => isWanted(x, parameters))) {
      const to = e.place === 'local' ? local : remote;
      const { times } = parameters;
      const asking =
        e.moved === true
          ? grantedRequests(asker.process, asker.space, takes.id, e.requestBytes, times, now)
          : transactions(asker.process, to.id, e, times, now);
      const meanNs = yield* client.scope.spawn(name, asking).join();
      const { place, requestBytes, responseBytes, moved, datagram } = e;
      rows.push({
        place,
        requestBytes,
        responseBytes,
        moved: moved === true,
        datagram: datagram === true,
        milliseconds: meanNs / 1e6,
      });
    }
    return { rows };
  },
  measures: ({ rows }) =>
    Object.fromEntries(rows.map((r) => [`ipc.${measureOf(r)}.milliseconds`, r.milliseconds])),
  table: ({ rows }) => ({
    title: 'Message transactions of V',
    head: ['place', 'request bytes', 'response bytes', 'ms'],
    rows: rows.map((r) => [
      r.place,
      r.moved ? `${r.requestBytes}, moved` : String(r.requestBytes),
      r.datagram ? 'none wanted' : String(r.responseBytes),
      r.milliseconds.toFixed(3),
    ]),
  }),
});

const isWanted = ({ place, requestBytes, responseBytes, datagram }: Case, p: Parameters): boolean =>
  (p.place === 'both' || p.place === place) &&
  (p.data === 'yes' || (requestBytes + responseBytes === 0 && datagram !== true));

const measureOf = ({ place, requestBytes, responseBytes, moved, datagram }: Row): string => {
  if (datagram) return `${place}.datagram`;
  return `${place}.${moved ? 'moved' : ''}${requestBytes}to${responseBytes}`;
};

interface Placed {
  readonly process: IpcProcess;
  readonly space: AddressSpace;
}

/** A process with a buffer in its memory. */
function processOn(machine: ClusterMachine, who: string): Placed {
  const space = machine.board('vm').space(who);
  mapBuffer(space);
  return { process: machine.board('ipc').create({ name: who, scope: machine.scope, space }), space };
}

function serve(machine: ClusterMachine): IpcProcess {
  const { process, space } = processOn(machine, 'server');
  machine.scope.spawn('server', serveTransactions(process, space));
  return process;
}

/** One that moves what its clients have for it. */
function serveMoving(machine: ClusterMachine): IpcProcess {
  const { process } = processOn(machine, 'moving server');
  machine.scope.spawn('moving server', serveGranted(process));
  return process;
}
