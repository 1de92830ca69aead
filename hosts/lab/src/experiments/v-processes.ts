/** Processes of V that an experiment drives itself, and files that they open by messages of their own. */
import type { ClusterMachine } from '@backplane/chassis';
import { seconds, type Task } from '@backplane/engine';
import { startOf } from '@backplane/file-service';
import {
  type Attempt,
  codeOf,
  type EntityId,
  entityId,
  type IpcProcess,
  KernelError,
  type NameTarget,
  type OpenHow,
  ReplyCode,
  wellKnown,
} from '@backplane/slots';
import {
  asker,
  callProcedure,
  descriptionOf,
  FileClient,
  Instance,
  type OpenedFile,
  openCached,
  toFindDirectory,
} from '@backplane/uio';

/** A process of this machine in a thread of the machine's own does this. */
export function* inProcess<T>(
  machine: ClusterMachine,
  name: string,
  body: (self: IpcProcess) => Task<T>,
): Task<T> {
  const { scope } = machine;
  const self = machine.board('ipc').create({ name, scope, space: null });
  const result = yield* scope.spawn(name, body(self)).join();
  self.destroy();
  return result as T; // boundary: a thread ends without a result where its machine crashes, which is the end of a measurement
}

/** The cache directory of this machine; undefined where its kernel has none. */
export function* cacheDirectoryOf(machine: ClusterMachine, self: IpcProcess): Task<EntityId | undefined> {
  const group = machine.board('ipc').wellKnownGroup(wellKnown.cacheDirectories);
  const { from, message } = yield* self.send(group, toFindDirectory(self.id), { timeoutNs: seconds(1) });
  return codeOf(message) === ReplyCode.ok ? from : undefined;
}

const who = { uid: 0, gid: 0, groups: [] };

/** Opens a file at its server. */
export const openAtServer = (
  machine: ClusterMachine,
  self: IpcProcess,
  path: string,
  how: OpenHow,
): Task<Instance> => {
  const ipc = machine.board('ipc');
  const files = new FileClient({
    asker: asker(self),
    owner: self.id,
    type: machine.type,
    probe: (manager) => ipc.probe(manager),
  });
  return opened(machine, self, path, (t) => files.open(t, how, who));
};

/** Opens a file in the page frames of this machine, by way of its cache directory. */
export const openInCache = (
  machine: ClusterMachine,
  self: IpcProcess,
  directory: EntityId,
  path: string,
  how: OpenHow,
): Task<Instance> =>
  opened(machine, self, path, (t) =>
    callProcedure(asker(self), directory, openCached, {
      start: startOf(t.root),
      path: t.remainder,
      how,
      who,
      machineType: machine.type.name,
      owner: self.id,
      manager: entityId(t.authority),
      prefix: t.prefix,
    }),
  );

function* opened(
  machine: ClusterMachine,
  self: IpcProcess,
  path: string,
  attempt: (t: NameTarget) => Task<Attempt<OpenedFile>>,
): Task<Instance> {
  const view = machine.board('naming').view();
  return new Instance(asker(self), descriptionOf(yield* view.perform(path, 'object', attempt)));
}

/** One kilobyte of a file, which is there. */
export function* readBlock(i: Instance, block: number): Task<Uint8Array> {
  const bytes = yield* i.read({ block, first: 0 });
  if (bytes === null) throw new KernelError('ioError', `no block ${block}`);
  return bytes;
}

/** The text of processes that are made, and never run. */
export function* neverStarted(): Task<number> {
  return 0;
}
