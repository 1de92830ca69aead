/** Files as programs open them: a message to the manager of a name, which is found again when it has died. */
import type { Task } from '@backplane/engine';
import { startOf } from '@backplane/file-service';
import {
  type Attempt,
  done,
  entityId,
  type IpcProcess,
  isKernelError,
  type NameTarget,
  type NameView,
  type OpenHow,
  staleName,
} from '@backplane/slots';
import {
  asker,
  descriptionOf,
  Instance,
  type InstanceDescription,
  openFile,
  packed,
  unpacked,
} from '@backplane/uio';
import type { World } from './world.ts';

const who = { uid: 0, gid: 0, groups: [] };

/**
 * Opens it for this process of this machine: the death of the process will close it.
 *
 * @param view the names as the process knows them; by default it knows none
 */
export function* openFileOf(
  w: World,
  on: string,
  self: IpcProcess,
  path: string,
  how: OpenHow,
  view: NameView = w.machine(on).board('naming').view(),
): Task<Instance> {
  const a = asker(self);
  function* attempt(t: NameTarget): Task<Attempt<InstanceDescription>> {
    const request = {
      start: startOf(t.root),
      path: t.remainder,
      how,
      who,
      machineType: 'any',
      owner: self.id,
    };
    try {
      const m = yield* a.send(
        entityId(t.authority),
        packed(openFile.id, 0, openFile.request.encode(request)),
      );
      const reply = openFile.reply.decode(unpacked(m));
      if (reply === undefined) throw new Error('a senseless reply');
      return reply.is === 'done' ? done(descriptionOf(reply.value)) : reply;
    } catch (e) {
      if (isKernelError(e, 'peerDown')) return staleName;
      throw e;
    }
  }
  const open = (): Task<InstanceDescription> => view.perform(`/${path}`, 'object', attempt);
  return new Instance(a, yield* open(), { again: open });
}
