/** What making a process and ending it takes in V: two messages to the process server of the same kernel (Cheriton 1988). */
import type { Task } from '@backplane/engine';
import { type IpcProcess, wellKnown } from '@backplane/slots';
import { ask, createProcess, destroyProcess, findProcessServer, priorityOf } from '@backplane/v-operations';
import { defineExperiment, type Experiment } from '../experiment.ts';
import { checkNames, count } from '../parameters.ts';
import { inProcess, neverStarted } from './v-processes.ts';

export interface ProcessCreationResult {
  /** Of making one and ending it. */
  readonly milliseconds: number;
}
interface Parameters {
  readonly times: number;
}

const name = 'process-creation';
const texts = [{ name: 'times', value: '20', description: 'processes that are made and ended' }];

export const processCreation: Experiment<Parameters, ProcessCreationResult> = defineExperiment({
  name,
  description: 'V: making a process and ending it, by messages to the process server',
  kernel: () => 'v',
  uses: ['ipc'],
  shape: () => ({
    clients: 1,
    servers: 0,
    machineTypes: { client: 'microvax2', server: 'microvax2' },
    prefixes: [],
    without: ['fileCache', 'objects', 'streams', 'systemCalls'],
  }),
  parameterTexts: texts,
  parameters(given) {
    checkNames(name, given, texts);
    return { times: count(name, given, 'times', 20) };
  },
  *run({ clients: [client], parameters: { times }, cluster }): Task<ProcessCreationResult> {
    if (client === undefined) return { milliseconds: 0 };
    const managers = client.board('ipc').wellKnownGroup(wellKnown.processManagers);
    const text = cluster.natives.texts.add(neverStarted);
    return yield* inProcess(client, name, function* (self: IpcProcess) {
      const { server } = yield* ask(self, managers, findProcessServer, {}, { beside: self.id });
      const descriptor = { space: 0, text, argument: 0, priority: priorityOf('foreground'), name: 'subject' };
      const startNs = cluster.engine.nowNs;
      for (let i = 0; i < times; i++) {
        const { process } = yield* ask(self, server, createProcess, descriptor);
        yield* ask(self, server, destroyProcess, { process });
      }
      return { milliseconds: (cluster.engine.nowNs - startNs) / 1e6 / times };
    });
  },
  measures: (r) => ({ 'process.createAndDestroyMilliseconds': r.milliseconds }),
  table: (r) => ({
    title: 'A process of V',
    head: ['', 'ms'],
    rows: [['create and destroy', r.milliseconds.toFixed(2)]],
  }),
});
