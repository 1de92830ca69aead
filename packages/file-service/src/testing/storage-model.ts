/** What a storage should be: maps and arrays. */
import { KernelError, type KernelErrorKind } from '@backplane/slots';

export interface ModelNode {
  readonly id: number;
  readonly directory: boolean;
  bytes: Uint8Array;
  readonly entries: Map<string, ModelNode>;
  parent: ModelNode | null;
  links: number;
  mode: number;
  version: number;
}

const node = (id: number, directory: boolean, parent: ModelNode | null): ModelNode => ({
  id,
  directory,
  bytes: new Uint8Array(0),
  entries: new Map(),
  parent,
  links: directory ? 2 : 1,
  mode: 0o644,
  version: 1,
});

const fail = (kind: KernelErrorKind): never => {
  throw new KernelError(kind);
};

export class Model {
  readonly root: ModelNode = node(0, true, null);
  #made = 0;

  create(parent: ModelNode, name: string, directory: boolean): ModelNode {
    if (!parent.directory) fail('notDirectory');
    if (parent.entries.has(name)) fail('exists');
    const made = node(++this.#made, directory, directory ? parent : null);
    parent.entries.set(name, made);
    if (directory) parent.links++;
    return made;
  }

  write(f: ModelNode, at: number, bytes: Uint8Array): void {
    if (f.directory) fail('isDirectory');
    const grown = new Uint8Array(Math.max(f.bytes.length, at + bytes.length));
    grown.set(f.bytes);
    grown.set(bytes, at);
    f.bytes = grown;
  }

  truncate(f: ModelNode, sizeBytes: number): void {
    if (f.directory) fail('isDirectory');
    const cut = new Uint8Array(sizeBytes);
    cut.set(f.bytes.subarray(0, sizeBytes));
    f.bytes = cut;
  }

  link(parent: ModelNode, name: string, f: ModelNode): void {
    if (!parent.directory) fail('notDirectory');
    if (f.directory) fail('isDirectory');
    if (parent.entries.has(name)) fail('exists');
    parent.entries.set(name, f);
    f.links++;
  }

  unlink(parent: ModelNode, name: string, directory: boolean): ModelNode {
    if (!parent.directory) fail('notDirectory');
    const f = parent.entries.get(name) ?? fail('notFound');
    if (directory && !f.directory) fail('notDirectory');
    if (!directory && f.directory) fail('isDirectory');
    if (f.entries.size > 0) fail('notEmpty');
    this.#leave(parent, name, f);
    return f;
  }

  rename(from: ModelNode, oldName: string, to: ModelNode, newName: string): ModelNode | undefined {
    if (!from.directory || !to.directory) fail('notDirectory');
    const f = from.entries.get(oldName) ?? fail('notFound');
    if (f.directory)
      for (let n: ModelNode | null = to; n !== null; n = n.parent) if (n === f) fail('badArgument');
    const there = to.entries.get(newName);
    if (there === f) return undefined;
    if (there !== undefined) {
      if (there.directory && !f.directory) fail('isDirectory');
      if (!there.directory && f.directory) fail('notDirectory');
      if (there.entries.size > 0) fail('notEmpty');
      this.#leave(to, newName, there);
    }
    from.entries.delete(oldName);
    to.entries.set(newName, f);
    if (f.directory && from !== to) {
      f.parent = to;
      from.links--;
      to.links++;
    }
    return there;
  }

  #leave(parent: ModelNode, name: string, f: ModelNode): void {
    parent.entries.delete(name);
    if (f.directory) {
      f.links = 0;
      parent.links--;
    } else f.links--;
  }
}

/** Index of the first byte that differs; -1 when none does. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return -1;
}
