/** Puts a tree into a storage, below a directory that is made for it. Straight through the storage, as `mkfs` and `tar` on the server's own disk would. */
import type { Task } from '@backplane/engine';
import type { FileId, NewFile, Storage } from '@backplane/slots';
import type { Tree } from './tree.ts';

const chunkBytes = 65_536;

/** Of what nobody has touched since virtual time began. */
const ancient = { modifyNs: 0, changeNs: 0, accessNs: 0 };

/** @param at an absolute path in the storage's domain, whose directories are made as needed */
export function* importTree(storage: Storage, tree: Tree, at: string): Task<void> {
  const base = yield* directoryFor(storage, at);
  const made = new Map<string, FileId>([['', base]]);
  for (const e of tree.entries) {
    if (e.path === '') continue;
    const slash = e.path.lastIndexOf('/');
    const parent = made.get(slash < 0 ? '' : e.path.slice(0, slash)) ?? base;
    const file = yield* storage.create(parent, e.path.slice(slash + 1), {
      type: e.type,
      mode: e.mode,
      uid: e.uid,
      gid: e.gid,
      ...(e.type === 'symlink' && { target: e.target }),
    });
    made.set(e.path, file);
    for (let from = 0; from < e.bytes.length; from += chunkBytes)
      yield* storage.write(file, from, e.bytes.subarray(from, from + chunkBytes), 'delayed');
  }
  // Now that nothing is made in a directory any more.
  yield* storage.setAttributes(base, ancient);
  for (const { path, modifyNs } of tree.entries) {
    const file = made.get(path);
    if (file !== undefined)
      yield* storage.setAttributes(file, { modifyNs, changeNs: modifyNs, accessNs: modifyNs });
  }
  yield* storage.sync();
}

/** The directory at a path, made with its parents where it is missing. */
export function* directoryFor(storage: Storage, path: string): Task<FileId> {
  let directory = storage.root;
  for (const name of path.split('/').filter((c) => c !== '')) {
    const found = yield* storage.lookup(directory, name);
    directory =
      found ??
      (yield* make(storage, directory, name, { type: 'directory', mode: 0o755, uid: 0, gid: 0 }, noBytes));
  }
  return directory;
}

const noBytes = new Uint8Array(0);

/** Puts one file of the super user at a path. */
export function* place(storage: Storage, path: string, bytes: Uint8Array, mode: number): Task<void> {
  const cut = path.lastIndexOf('/');
  const directory = yield* directoryFor(storage, path.slice(0, cut));
  yield* make(storage, directory, path.slice(cut + 1), { type: 'file', mode, uid: 0, gid: 0 }, bytes);
}

function* make(
  storage: Storage,
  directory: FileId,
  name: string,
  what: NewFile,
  bytes: Uint8Array,
): Task<FileId> {
  const file = yield* storage.create(directory, name, what);
  if (bytes.length > 0) yield* storage.write(file, 0, bytes, 'delayed');
  for (const changed of [file, directory]) yield* storage.setAttributes(changed, ancient);
  return file;
}
