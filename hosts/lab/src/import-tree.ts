/** Puts a tree into a storage, below a directory that is made for it. Straight through the storage, as `mkfs` and `tar` on the server's own disk would. */
import type { Task } from '@backplane/engine';
import type { FileId, Storage } from '@backplane/slots';
import type { Tree } from './tree.ts';

const chunkBytes = 65_536;

/** @param at an absolute path in the storage's domain, whose directories are made as needed */
export function* importTree(storage: Storage, tree: Tree, at: string): Task<void> {
  const made = new Map<string, FileId>();
  const base = yield* directoryFor(storage, at);
  for (const e of tree.entries) {
    if (e.path === '') {
      made.set('', base);
      continue;
    }
    const slash = e.path.lastIndexOf('/');
    const parent = made.get(slash < 0 ? '' : e.path.slice(0, slash)) ?? base;
    const name = e.path.slice(slash + 1);
    const file = yield* storage.create(parent, name, {
      type: e.type,
      mode: e.mode,
      uid: e.uid,
      gid: e.gid,
      ...(e.type === 'symlink' && { target: e.target }),
    });
    if (e.type === 'directory') made.set(e.path, file);
    for (let from = 0; from < e.bytes.length; from += chunkBytes)
      yield* storage.write(file, from, e.bytes.subarray(from, from + chunkBytes), 'delayed');
    yield* storage.setAttributes(file, { modifyNs: e.modifyNs, changeNs: e.modifyNs, accessNs: e.modifyNs });
  }
  yield* storage.sync();
}

/** The directory at a path, made with its parents where it is missing. */
export function* directoryFor(storage: Storage, path: string): Task<FileId> {
  let directory = storage.root;
  for (const name of path.split('/').filter((c) => c !== '')) {
    const found = yield* storage.lookup(directory, name);
    directory =
      found ?? (yield* storage.create(directory, name, { type: 'directory', mode: 0o755, uid: 0, gid: 0 }));
  }
  return directory;
}
