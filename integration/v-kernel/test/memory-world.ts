/** V machines whose memory is one cache of pages, and files that programs of theirs open by way of its cache directory. */
import type { Task } from '@backplane/engine';
import { fileKey, startOf } from '@backplane/file-service';
import { memory } from '@backplane/hw-memory';
import { unifiedMemory } from '@backplane/memory-policy-unified';
import {
  done,
  entityId,
  type IpcProcess,
  isKernelError,
  type Kernel,
  type OpenHow,
  type PagedObject,
  staleName,
  type Vm,
} from '@backplane/slots';
import {
  asker,
  descriptionOf,
  Instance,
  type OpenedFile,
  openCached,
  openFile,
  packed,
  reopenFile,
  unpacked,
} from '@backplane/uio';
import { vWorkstation } from '@backplane/v';
import { cacheDirectory, type VMemoryOptions, vMemory } from '@backplane/vm-v';
import type { World } from './world.ts';

/** A workstation with so many page frames of that size; all that its type has, if left out. */
export const caching = (options: VMemoryOptions = {}, kernel: Kernel = vWorkstation()): Kernel =>
  kernel.with({
    memory: memory({ kernelBytes: 0 }),
    memoryPolicy: unifiedMemory(),
    vm: vMemory(options),
    servers: { cacheDirectory: cacheDirectory() },
  });

const who = { uid: 0, gid: 0, groups: [] };
export const readWrite: OpenHow = { read: true, write: true, create: true };

/** Opens the file in the cache of this machine, for this process. */
export function* openCachedOf(
  w: World,
  on: string,
  self: IpcProcess,
  path: string,
  how: OpenHow = readWrite,
): Task<Instance> {
  const a = asker(self);
  const machine = w.machine(on);
  const directory = machine.board('servers', 'servers.cacheDirectory').process;
  const opened = yield* machine
    .board('naming')
    .view()
    .perform<OpenedFile>(`/${path}`, 'object', function* (t) {
      const request = {
        start: startOf(t.root),
        path: t.remainder,
        how,
        who,
        machineType: 'any',
        owner: self.id,
        manager: entityId(t.authority),
        prefix: t.prefix,
      };
      const m = packed(openCached.id, 0, openCached.request.encode(request));
      const reply = openCached.reply.decode(unpacked(yield* a.send(directory, m)));
      if (reply === undefined) throw new Error('a senseless reply');
      return reply;
    });
  return new Instance(a, descriptionOf(opened));
}

/**
 * The file as regions are bound to it; it is found again when its server has died.
 *
 * @param own not the object that the cache directory makes of the file, but one more
 */
export function* openPages(
  w: World,
  on: string,
  path: string,
  how: OpenHow = readWrite,
  own = false,
): Task<PagedObject> {
  // It outlives who opens: the file may have to be found again.
  const a = asker(w.ipc(on).create({ name: 'opener', scope: w.machine(on).scope, space: null }));
  const view = w.machine(on).board('naming').view();
  const vm: Vm = w.machine(on).board('vm');
  const { objects } = vm;
  if (objects === undefined) throw new Error('a memory without objects');
  const owner = objects.server;
  const { manager, instance, file, attributes } = yield* view.perform<OpenedFile>(
    `/${path}`,
    'object',
    function* (t) {
      const from = { start: startOf(t.root), path: t.remainder, machineType: 'any', who };
      const m = packed(openFile.id, 0, openFile.request.encode({ ...from, how, owner }));
      const reply = openFile.reply.decode(unpacked(yield* a.send(entityId(t.authority), m)));
      if (reply === undefined) throw new Error('a senseless reply');
      return reply;
    },
  );
  return yield* objects.open({
    manager,
    instance,
    key: own ? `own ${fileKey(file)}` : `/:${fileKey(file)}:${attributes.version}`,
    writable: how.write === true,
    reopen: () =>
      view.perform<OpenedFile>(`/${path}`, 'object', function* (t) {
        const again = { file, how: { read: true, write: true }, owner };
        const m = packed(reopenFile.id, 0, reopenFile.request.encode(again));
        try {
          const reply = reopenFile.reply.decode(unpacked(yield* a.send(entityId(t.authority), m)));
          if (reply === undefined) throw new Error('a senseless reply');
          return done(reply);
        } catch (e) {
          if (isKernelError(e, 'peerDown')) return staleName;
          throw e;
        }
      }),
  });
}
