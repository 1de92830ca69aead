/** The process server: what others ask about processes of this host. */
import type { Task } from '@backplane/engine';
import { type EntityId, KernelError } from '@backplane/slots';
import {
  type Asking,
  arriveProcess,
  ask,
  awaitProcess,
  createProcess,
  departProcess,
  destroyProcess,
  entityList,
  findProcessServer,
  freezeProcess,
  modifyProcess,
  Operations,
  processStates,
  queryProcess,
  queryTeam,
  startProcess,
  unfreezeProcess,
} from '@backplane/v-operations';
import type { Processes } from './processes.ts';

export function processServer(processes: Processes, asking: Asking, self: () => EntityId): Operations {
  return new Operations()
    .on(createProcess, function* (q) {
      return { process: processes.create(q).process.id };
    })
    .on(startProcess, function* (q) {
      processes.start(processes.get(q.process));
      return {};
    })
    .on(destroyProcess, function* (q) {
      processes.destroy(processes.get(q.process));
      return {};
    })
    .on(queryProcess, function* (q) {
      const { state, priority, space, status, name } = processes.get(q.process);
      return { state: processStates.indexOf(state), priority, space, status, name };
    })
    .on(modifyProcess, function* (q) {
      processes.get(q.process).priority = q.priority;
      return {};
    })
    .on(freezeProcess, function* (q) {
      const d = processes.get(q.process);
      yield* d.memory?.quiet() ?? nothing();
      processes.freeze(d);
      return {};
    })
    .on(unfreezeProcess, function* (q) {
      processes.unfreeze(processes.get(q.process));
      return {};
    })
    .on(awaitProcess, function* (q) {
      const d = processes.get(q.process);
      const status = (yield* d.ended.wait()) ?? d.status;
      // Whoever asks again finds it where it is now.
      if (status === 'departed') throw new KernelError('stale', 'it has moved');
      return { status };
    })
    .on(findProcessServer, function* () {
      return { server: self() };
    })
    .on(departProcess, function* ({ process, to, space }) {
      const d = processes.get(process);
      const state = processes.depart(d);
      try {
        yield* ask(asking, to, arriveProcess, { space, state });
      } catch (e) {
        processes.arrive(state, d.space);
        throw e;
      }
      processes.departed(d);
      return {};
    })
    .on(arriveProcess, function* ({ space, state }) {
      processes.arrive(state, space);
      return {};
    })
    .on(queryTeam, function* (q) {
      return { processes: entityList(processes.of(q.space).map((d) => d.process.id)) };
    });
}

function* nothing(): Task<void> {}
