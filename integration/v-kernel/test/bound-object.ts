/** A file, open for a process of mace, as regions are bound to it. */
import type { Task } from '@backplane/engine';
import { fileKey, startOf } from '@backplane/file-service';
import { done, entityId, type IpcProcess } from '@backplane/slots';
import { asker, callProcedure, type OpenedFile, openFile } from '@backplane/uio';
import type { BoundObject } from '@backplane/v-operations';
import type { World } from './world.ts';

const who = { uid: 0, gid: 0, groups: [] };
const how = { read: true, write: true, create: true };

/** The process owns the instance. The key is as the cache directory makes it, unless it is given. */
export function* objectOf(w: World, self: IpcProcess, path: string, key?: string): Task<BoundObject> {
  const view = w.machine('mace').board('naming').view();
  const { opened: o, prefix } = yield* view.perform<{ readonly opened: OpenedFile; readonly prefix: string }>(
    path,
    'object',
    function* (t) {
      const from = { start: startOf(t.root), path: t.remainder, machineType: 'any', who };
      const request = { ...from, owner: self.id, how };
      const answer = yield* callProcedure(asker(self), entityId(t.authority), openFile, request);
      return answer.is === 'done' ? done({ opened: answer.value, prefix: t.prefix }) : answer;
    },
  );
  return {
    manager: o.manager,
    instance: o.instance,
    key: key ?? `${prefix}:${fileKey(o.file)}:${o.attributes.version}`,
    sizeBytes: o.attributes.sizeBytes,
    writable: true,
    firstPage: 0,
    private: false,
  };
}
