/** Programs that are moved while they run. */
import { sleep, type Task } from '@backplane/engine';
import { type EntityId, type IpcProcess, KernelError, wellKnown } from '@backplane/slots';
import { ask, entitiesIn, findProgramManager, listPrograms, migrateProgram } from '@backplane/v-operations';
import type { World } from './world.ts';

const again = 100_000_000;

/** Some process of this host. */
export const hereOf = (w: World, name: string): EntityId =>
  w.ipc(name).create({ name: 'here', scope: w.machine(name).scope, space: null }).id;

/** The roots of the programs that run there. */
export function* rootsAt(w: World, self: IpcProcess, host: string): Task<readonly EntityId[]> {
  const managers = w.group(host, wellKnown.programManagers);
  return entitiesIn((yield* ask(self, managers, listPrograms, {}, { beside: hereOf(w, host) })).roots);
}

/** Moves the program to this host. Returns when it runs there. */
export function* moveTo(w: World, self: IpcProcess, root: EntityId, to: string): Task<void> {
  const managers = w.group(to, wellKnown.programManagers);
  const { manager } = yield* ask(self, managers, findProgramManager, {}, { beside: hereOf(w, to) });
  const servers = w.group(to, wellKnown.migrationServers);
  yield* ask(self, servers, migrateProgram, { root, to: manager }, { beside: root });
}

/** Moves the only program of `from`, asked for from a third host. */
export function* moveOnly(w: World, from: string, to: string): Task<void> {
  yield* w.on('sage', function* (self) {
    const [root] = yield* rootsAt(w, self, from);
    if (root === undefined) throw new KernelError('noProcess', from);
    yield* moveTo(w, self, root, to);
  });
}

/** Until that is so; it takes minutes at most. */
export function* until(done: () => boolean): Task<void> {
  for (let waited = 0; !done() && waited < 3000; waited++) yield* sleep(again);
}

export const metricOf = (w: World, host: string, name: string): number =>
  w.machine(host).metrics().toRecord()[name] ?? 0;
