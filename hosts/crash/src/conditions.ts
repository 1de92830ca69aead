/** Conditions of an operation file, looked up in a tree. */
import type { Condition, Content } from '@backplane/lab';
import type { Demand } from './operation.ts';
import type { Tree, TreeNode } from './tree.ts';
import type { Violation } from './violation.ts';

/** @param passed persistence points that were passed; all demands are due when left out */
export function unmet(demands: readonly Demand[], tree: Tree, passed?: number): readonly Violation[] {
  const found: Violation[] = [];
  for (const d of demands) {
    if (passed !== undefined && passed < d.after) continue;
    const reasons = d.alternatives.map((all) => firstReason(all, tree));
    if (reasons.every((r) => r !== null))
      found.push({ kind: 'condition', text: `line ${d.line}: ${reasons.join('; ')} (${d.text})` });
  }
  return found;
}

function firstReason(all: readonly Condition[], tree: Tree): string | null {
  for (const c of all) {
    const reason = whyNot(c, tree);
    if (reason !== null) return reason;
  }
  return null;
}

function whyNot(c: Condition, tree: Tree): string | null {
  const t = find(tree, c.path);
  if (c.is === 'absent') return t === null ? null : `${c.path} exists`;
  if (t === null) return `${c.path} does not exist`;
  switch (c.is) {
    case 'exists':
      return null;
    case 'count':
      return t.entries.length === c.count ? null : `${c.path} has ${t.entries.length} entries`;
    case 'link': {
      const text = t.type === 'symlink' ? Buffer.from(t.bytes).toString('utf8') : null;
      return text === c.text ? null : `${c.path} leads to ${text ?? 'nothing'}`;
    }
    case 'content':
      for (const content of c.all) {
        const reason = wrong(t, content, tree);
        if (reason !== null) return `${c.path}: ${reason}`;
      }
      return null;
  }
}

function wrong(t: TreeNode, c: Content, tree: Tree): string | null {
  const all = (from: number, to: number, byte: number): string | null => {
    for (let i = from; i < to; i++)
      if (t.bytes[i] !== byte) return `byte ${i} is ${t.bytes[i] ?? 'beyond the end'}, not ${byte}`;
    return null;
  };
  switch (c.is) {
    case 'size':
      return t.bytes.length === c.size ? null : `its size is ${t.bytes.length}`;
    case 'byte':
      return all(0, t.bytes.length, c.byte);
    case 'range':
      return all(c.from, c.to, c.byte);
    case 'prefix':
      return all(0, c.length, c.byte);
    case 'nlink':
      return t.links === c.count ? null : `it has ${t.links} links`;
    case 'mode':
      return t.mode === c.mode ? null : `its mode is ${t.mode.toString(8)}`;
    case 'same-inode':
      return find(tree, c.path) === t ? null : `it is not the same object as ${c.path}`;
  }
}

function find(tree: Tree, path: string): TreeNode | null {
  let at: TreeNode = tree.root;
  for (const name of path.split('/').filter((p) => p !== '')) {
    const next = at.entries.find((e) => e.name === name);
    if (next === undefined) return null;
    at = next.node;
  }
  return at;
}
