/** What a storage shows of itself when somebody walks through it. */
import type { Task } from '@backplane/engine';
import { type FileId, type FileType, isKernelError } from '@backplane/slots';
import type { Files } from './files.ts';
import { fileKey } from './perform.ts';

export interface TreeNode {
  readonly id: string;
  readonly path: string;
  readonly type: FileType;
  readonly links: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly bytes: Uint8Array;
  readonly entries: { readonly name: string; readonly node: TreeNode }[];
  /** Names that lead here. */
  names: number;
  /** Of a directory: there may be names that could not be read. */
  partial: boolean;
}

export interface Tree {
  readonly root: TreeNode;
  readonly nodes: ReadonlyMap<string, TreeNode>;
  /** What could not be read, and why. */
  readonly unreadable: readonly string[];
}

const noBytes: Uint8Array = new Uint8Array(0);

/** Ends even if directories form a ring: each file is looked at once. */
export function* walk(files: Files): Task<Tree> {
  const nodes = new Map<string, TreeNode>();
  const unreadable: string[] = [];
  const root = yield* look(files, files.root, '/', unreadable);
  if (root === null) throw new Error('unreachable: the root is read by whoever walks first');
  nodes.set(root.id, root);
  const queue: { readonly f: FileId; readonly node: TreeNode }[] = [{ f: files.root, node: root }];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { node } = next;
    try {
      for (const { name, file } of yield* files.entries(next.f)) {
        const key = fileKey(file);
        const path = node.path === '/' ? `/${name}` : `${node.path}/${name}`;
        let child: TreeNode | null | undefined = nodes.get(key);
        if (child === undefined) {
          child = yield* look(files, file, path, unreadable);
          if (child === null) {
            node.partial = true;
            continue;
          }
          nodes.set(key, child);
          if (child.type === 'directory') queue.push({ f: file, node: child });
        }
        child.names++;
        node.entries.push({ name, node: child });
      }
    } catch (e) {
      if (!isKernelError(e)) throw e;
      node.partial = true;
      unreadable.push(`${node.path}: ${e.message}`);
    }
  }
  return { root, nodes, unreadable };
}

function* look(files: Files, f: FileId, path: string, unreadable: string[]): Task<TreeNode | null> {
  try {
    const { type, links, mode, uid, gid, sizeBytes } = yield* files.attributes(f);
    // By copy: the cache may go on with these bytes.
    const bytes = type === 'directory' ? noBytes : yield* files.read(f, 0, sizeBytes);
    return {
      id: fileKey(f),
      path,
      type,
      links,
      mode,
      uid,
      gid,
      bytes,
      entries: [],
      names: 0,
      partial: false,
    };
  } catch (e) {
    if (!isKernelError(e) || path === '/') throw e;
    unreadable.push(`${path}: ${e.message}`);
    return null;
  }
}

/** Where do two trees of one disk differ? */
export function difference(a: Tree, b: Tree): string | null {
  for (const [id, x] of a.nodes) {
    const y = b.nodes.get(id);
    if (y === undefined) return `${x.path} is gone`;
    if (x.links !== y.links || x.mode !== y.mode || x.uid !== y.uid || x.gid !== y.gid)
      return `${x.path} has other attributes`;
    if (x.entries.length !== y.entries.length) return `${x.path} has other names`;
    for (const [i, e] of x.entries.entries()) {
      const other = y.entries[i];
      if (e.name !== other?.name || e.node.id !== other.node.id) return `${x.path} has other names`;
    }
    if (x.bytes.length !== y.bytes.length || Buffer.compare(x.bytes, y.bytes) !== 0)
      return `${x.path} has other bytes`;
  }
  return b.nodes.size > a.nodes.size ? 'there are more files' : null;
}
