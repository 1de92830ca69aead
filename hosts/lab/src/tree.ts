/**
 * A host's directory tree as data, for importing. Names are sorted by their bytes; owners, modes and times follow a fixed
 * rule unless they are to be preserved, so that what a run sees depends on content alone. Of preserved times the order is kept. What is neither file, directory
 * nor symbolic link is left out and counted.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { unreadableTree } from './errors.ts';

export interface TreeEntry {
  /** Relative to the root of the tree, with slashes; '' is the root. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Virtual nanoseconds. */
  readonly modifyNs: number;
  readonly bytes: Uint8Array;
  readonly target: string;
}

export interface Tree {
  readonly name: string;
  /** Parents before what they hold. */
  readonly entries: readonly TreeEntry[];
  readonly leftOut: number;
}

const none = new Uint8Array(0);

/** @throws BackplaneError UNREADABLE_TREE */
export function readTree(directory: string, o: { readonly preserve: boolean } = { preserve: false }): Tree {
  const entries: TreeEntry[] = [];
  let leftOut = 0;
  const visit = (path: string): void => {
    const full = join(directory, path);
    const s = lstatSync(full);
    const kept = o.preserve
      ? {
          mode: s.mode & 0o7777,
          uid: s.uid,
          gid: s.gid,
          // Milliseconds of the host's clock, until all are known.
          modifyNs: s.mtimeMs,
        }
      : { mode: s.isDirectory() || (s.mode & 0o111) !== 0 ? 0o755 : 0o644, uid: 0, gid: 0, modifyNs: 0 };
    if (s.isSymbolicLink())
      entries.push({ path, type: 'symlink', ...kept, bytes: none, target: readlinkSync(full) });
    else if (s.isFile())
      entries.push({ path, type: 'file', ...kept, bytes: new Uint8Array(readFileSync(full)), target: '' });
    else if (s.isDirectory()) {
      entries.push({ path, type: 'directory', ...kept, bytes: none, target: '' });
      for (const name of readdirSync(full).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
        visit(path === '' ? name : `${path}/${name}`);
    } else leftOut++;
  };
  try {
    if (!lstatSync(directory).isDirectory()) throw unreadableTree(directory, 'it is not a directory.');
    visit('');
  } catch (e) {
    if (e instanceof Error && 'code' in e && 'syscall' in e)
      throw unreadableTree(
        directory,
        String(e.code) === 'ENOENT' ? 'there is no such directory.' : e.message,
      );
    throw e;
  }
  return { name: directory, entries: o.preserve ? entries.map(inOrder(entries)) : entries, leftOut };
}

/**
 * Times in their order. Virtual time begins later than any file of a host was modified and knows no time before, so the
 * oldest entries count as modified when it begins, and each later time a nanosecond after the one before.
 */
function inOrder(entries: readonly TreeEntry[]): (e: TreeEntry) => TreeEntry {
  const times = [...new Set(entries.map((e) => e.modifyNs))].sort((a, b) => a - b);
  const ranks = new Map(times.map((time, rank) => [time, rank]));
  return (e) => ({ ...e, modifyNs: ranks.get(e.modifyNs) ?? 0 });
}
