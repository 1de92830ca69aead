/** The server's storage, used below the system calls: for what programs and their caches are no part of. */
import type { Task } from '@backplane/engine';
import type { FileId, NewFile, Storage } from '@backplane/slots';
import { rootStorage } from '../../disk-image.ts';
import type { Laboratory } from '../../experiment.ts';
import { fittedServer, theServer } from './server.ts';

type Lab = Pick<Laboratory<unknown>, 'servers' | 'cluster'>;

/** Of this boot. */
const theStorage = (lab: Lab): Storage => theServer(lab).board('storage', rootStorage(fittedServer(lab)));

/** Does this with the storage in a thread of the server's kernel. */
export function* withStorage<T>(lab: Lab, name: string, body: (storage: Storage) => Task<T>): Task<T> {
  const result = yield* theServer(lab)
    .scope.spawn(name, body(theStorage(lab)))
    .join();
  return result as T; // boundary: a thread ends without a result only where its machine crashes
}

/** Does something, and ends when all of it is on the disk. */
export function* thenStored(lab: Lab, work: Task<unknown>): Task<void> {
  yield* work;
  yield* withStorage(lab, 'sync', (storage) => storage.sync());
}

/** Where recovery would begin; on the disk at least, in a storage that has no such places. */
export function* checkpoint(storage: Storage): Task<void> {
  if (storage.checkpoint === undefined) yield* storage.sync();
  else yield* storage.checkpoint();
}

const own = { mode: 0o644, uid: 0, gid: 0 };

export const makeDirectory = (storage: Storage, name: string): Task<FileId> =>
  storage.create(storage.root, name, { ...own, mode: 0o755, type: 'directory' });

const plainFile: NewFile = { ...own, type: 'file' };

export function* makeFile(
  storage: Storage,
  directory: FileId,
  name: string,
  bytes: Uint8Array,
): Task<FileId> {
  const file = yield* storage.create(directory, name, plainFile);
  yield* storage.write(file, 0, bytes, 'delayed');
  return file;
}
