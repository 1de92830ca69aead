/**
 * A request to the server of a kernel, addressed by itself and by its group with a process beside it: "the same efficiency"
 * (Cheriton 1988, section on object identifiers). The example is the article's: a process is suspended by its priority.
 */
import type { ClusterMachine } from '@backplane/chassis';
import type { Task } from '@backplane/engine';
import { type EntityId, type IpcProcess, wellKnown } from '@backplane/slots';
import {
  type AskOptions,
  ask,
  createProcess,
  findProcessServer,
  modifyProcess,
  priorityOf,
} from '@backplane/v-operations';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { inProcess, neverStarted } from './v-processes.ts';

interface Row {
  /** Of the process that is suspended, seen from who asks. */
  readonly place: 'local' | 'remote';
  /** To the process server of its host. */
  readonly directMilliseconds: number;
  /** To the group of all of them. */
  readonly besideMilliseconds: number;
}
export interface CoResidentResult {
  readonly rows: readonly Row[];
}
interface Parameters {
  readonly times: number;
}

const name = 'co-resident';
const texts = [{ name: 'times', value: '20', description: 'requests by each address' }];

export const coResident: Experiment<Parameters, CoResidentResult> = defineExperiment({
  name,
  description: 'V: a request to a kernel server, by itself and by its group with a process beside it',
  kernel: () => 'v',
  uses: ['ipc'],
  shape: () => ({
    clients: 2,
    clientsMin: 2,
    servers: 0,
    machineTypes: { client: 'sun3-75', server: 'sun3-75' },
    prefixes: [],
    without: ['fileCache', 'objects', 'streams', 'systemCalls'],
  }),
  parameterTexts: texts,
  parameters(given) {
    checkNames(name, given, texts);
    return { times: count(name, given, 'times', 20) };
  },
  *run({ clients: [asking, other], parameters: { times }, cluster }): Task<CoResidentResult> {
    if (asking === undefined || other === undefined) return { rows: [] };
    const text = cluster.natives.texts.add(neverStarted);
    const now = (): number => cluster.engine.nowNs;
    const rows: Row[] = [];
    for (const [place, machine] of [
      ['local', asking],
      ['remote', other],
    ] as const)
      rows.push({ place, ...(yield* timed({ asking, machine, text, times, now })) });
    return { rows };
  },
  measures: ({ rows }) =>
    Object.fromEntries(
      rows.flatMap(({ place, ...r }) =>
        Object.entries(r).map(([what, ms]) => [`coResident.${place}.${what}`, ms]),
      ),
    ),
  table: ({ rows }) => ({
    title: 'A request to a kernel server of V',
    head: ['server', 'by itself, ms', 'by its group, ms'],
    rows: rows.map((r) => [r.place, r.directMilliseconds.toFixed(3), r.besideMilliseconds.toFixed(3)]),
  }),
});

interface Trial {
  readonly asking: ClusterMachine;
  /** Where the process is that is suspended. */
  readonly machine: ClusterMachine;
  readonly text: number;
  readonly times: number;
  readonly now: () => number;
}

function* timed({ asking, machine, text, times, now }: Trial): Task<Omit<Row, 'place'>> {
  const managers = asking.board('ipc').wellKnownGroup(wellKnown.processManagers);
  const resident = machine.board('ipc').create({ name: 'resident', scope: machine.scope, space: null });
  return yield* inProcess(asking, name, function* (self: IpcProcess) {
    const beside = resident.id;
    const { server } = yield* ask(self, managers, findProcessServer, {}, { beside });
    const descriptor = { space: 0, text, argument: 0, priority: priorityOf('background'), name: 'subject' };
    const { process } = yield* ask(self, server, createProcess, descriptor);
    const suspended = { process, priority: priorityOf('stop') };
    const each = function* (to: EntityId, how?: AskOptions): Task<number> {
      // One beforehand, which finds the host.
      yield* ask(self, to, modifyProcess, suspended, how);
      const startNs = now();
      for (let i = 0; i < times; i++) yield* ask(self, to, modifyProcess, suspended, how);
      return (now() - startNs) / 1e6 / times;
    };
    return {
      directMilliseconds: yield* each(server),
      besideMilliseconds: yield* each(managers, { beside: process }),
    };
  });
}
