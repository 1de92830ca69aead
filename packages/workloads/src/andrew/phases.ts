/**
 * The first four phases of the Andrew benchmark (Howard et al. 1988): MakeDir, Copy, ScanDir, ReadAll. Each is what a
 * program of 4.3BSD did, through system calls, with buffers of 1 KB.
 */
import type { Task } from '@backplane/engine';
import type { Calls } from '@backplane/slots';
import { copyFile, readThrough } from '../stdio.ts';

/** The directories and files below a directory, parents first, names sorted. */
export interface Found {
  readonly directories: readonly string[];
  readonly files: readonly string[];
}

/** As find does: reads each directory, looks at each entry. Paths are relative to the start. */
export function* find(sys: Calls, start: string): Task<Found> {
  const directories: string[] = [];
  const files: string[] = [];
  const visit = function* (path: string): Task<void> {
    for (const name of yield* sys.entries(`${start}/${path}`)) {
      const below = path === '' ? name : `${path}/${name}`;
      const { type } = yield* sys.stat(`${start}/${below}`, { follow: false });
      if (type === 'directory') {
        directories.push(below);
        yield* visit(below);
      } else if (type === 'file') files.push(below);
    }
  };
  yield* visit('');
  return { directories, files };
}

/** Makes a tree of directories like the source's. */
export function* makeDirectories(sys: Calls, tree: Found, target: string): Task<void> {
  yield* sys.mkdir(target, 0o755);
  for (const d of tree.directories) yield* sys.mkdir(`${target}/${d}`, 0o755);
}

export function* copyFiles(sys: Calls, tree: Found, source: string, target: string): Task<void> {
  for (const f of tree.files) yield* copyFile(sys, `${source}/${f}`, `${target}/${f}`);
}

/** Looks at every file without reading it. */
export function* scanDirectories(sys: Calls, target: string): Task<void> {
  yield* find(sys, target);
}

/** Reads every byte of every file once. */
export function* readAll(sys: Calls, tree: Found, target: string): Task<void> {
  for (const f of tree.files) yield* readThrough(sys, `${target}/${f}`);
}
