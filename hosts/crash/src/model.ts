/**
 * What a file system is, in maps and arrays: the same contract as a storage, without a disk, and everything that changes
 * goes into a history. It shares nothing with any storage.
 */
import type { Task } from '@backplane/engine';
import {
  type AttributeChange,
  type DirectoryEntry,
  type FileId,
  type FileType,
  KernelError,
  type KernelErrorKind,
  type NewFile,
  type StoredAttributes,
  type WriteWhen,
} from '@backplane/slots';
import { encodeUtf8, utf8Length } from '@backplane/wire';
import type { Files } from './files.ts';
import { entryKey, History, type Node, nobody, rootNode } from './history.ts';
import type { Tree, TreeNode } from './tree.ts';

interface ModelFile {
  readonly node: Node;
  readonly type: FileType;
  readonly entries: Map<string, ModelFile>;
  bytes: Uint8Array;
  parent: ModelFile | null;
  links: number;
  mode: number;
  uid: number;
  gid: number;
  version: number;
  times: Pick<StoredAttributes, 'modifyNs' | 'accessNs' | 'changeNs' | 'createNs'>;
}

const noTimes = { modifyNs: 0, accessNs: 0, changeNs: 0, createNs: 0 };
const fail = (kind: KernelErrorKind, detail?: string): never => {
  throw new KernelError(kind, detail);
};

export class Model implements Files {
  readonly history: History = new History();
  readonly root: FileId = { domain: 0, number: rootNode, generation: 1 };
  readonly #files = new Map<Node, ModelFile>();
  /** Without a name and without an open: they come back when the storage has failed to let them go. */
  readonly #reclaimed = new Map<Node, ModelFile>();

  constructor() {
    this.#make({ type: 'directory', mode: 0o755, uid: 0, gid: 0 }, null);
  }

  // ---- the contract ----

  *attributes(f: FileId): Task<StoredAttributes> {
    const { type, links, mode, uid, gid, version, bytes, times } = this.#file(f);
    return { type, sizeBytes: bytes.length, links, mode, uid, gid, version, ...times };
  }

  *setAttributes(f: FileId, change: AttributeChange): Task<void> {
    const file = this.#file(f);
    file.mode = change.mode ?? file.mode;
    file.uid = change.uid ?? file.uid;
    file.gid = change.gid ?? file.gid;
    this.#noteAttributes(file);
  }

  *read(f: FileId, at: number, count: number): Task<Uint8Array> {
    return this.#file(f).bytes.subarray(at, at + count);
  }

  *write(f: FileId, at: number, bytes: Uint8Array, _: WriteWhen): Task<void> {
    const file = this.#file(f);
    if (file.type === 'directory') fail('isDirectory');
    const grown = new Uint8Array(Math.max(file.bytes.length, at + bytes.length));
    grown.set(file.bytes);
    grown.set(bytes, at);
    this.#setBytes(file, grown);
  }

  *truncate(f: FileId, sizeBytes: number): Task<void> {
    const file = this.#file(f);
    if (file.type === 'directory') fail('isDirectory');
    const cut = new Uint8Array(sizeBytes);
    cut.set(file.bytes.subarray(0, sizeBytes));
    this.#setBytes(file, cut);
  }

  *lookup(directory: FileId, name: string): Task<FileId | undefined> {
    const d = this.#directory(directory);
    if (name === '.') return directory;
    if (name === '..') return idOf(d.parent ?? d);
    const found = d.entries.get(name);
    return found === undefined ? undefined : idOf(found);
  }

  *entries(directory: FileId): Task<readonly DirectoryEntry[]> {
    return [...this.#directory(directory).entries]
      .map(([name, f]) => ({ name, file: idOf(f) }))
      .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  *create(directory: FileId, name: string, file: NewFile): Task<FileId> {
    const d = this.#target(directory, name);
    const made = this.#make(file, file.type === 'directory' ? d : null);
    d.entries.set(name, made);
    if (file.type === 'directory') d.links++;
    this.history.entries([{ directory: d.node, name, to: made.node }]);
    return idOf(made);
  }

  *link(directory: FileId, name: string, f: FileId): Task<void> {
    const file = this.#file(f);
    this.#directory(directory);
    if (file.type === 'directory') fail('isDirectory');
    const d = this.#target(directory, name);
    d.entries.set(name, file);
    file.links++;
    this.history.entries([{ directory: d.node, name, to: file.node }]);
  }

  *unlink(
    directory: FileId,
    name: string,
    what: { readonly directory: boolean },
  ): Task<{ readonly file: FileId; readonly linksLeft: number }> {
    const d = this.#directory(directory);
    const file = this.#entry(d, name);
    if (what.directory && file.type !== 'directory') fail('notDirectory');
    if (!what.directory && file.type === 'directory') fail('isDirectory');
    if (file.entries.size > 0) fail('notEmpty');
    this.#leave(d, name, file);
    this.history.entries([{ directory: d.node, name, to: nobody }]);
    return { file: idOf(file), linksLeft: file.links };
  }

  *rename(
    from: FileId,
    oldName: string,
    to: FileId,
    newName: string,
  ): Task<{
    readonly file: FileId;
    readonly replaced?: { readonly file: FileId; readonly linksLeft: number };
  }> {
    const source = this.#directory(from);
    const target = this.#directory(to);
    if ([oldName, newName].some((n) => n === '.' || n === '..')) fail('badArgument');
    const file = this.#entry(source, oldName);
    for (let up: ModelFile | null = target; up !== null; up = up.parent)
      if (up === file) fail('badArgument', 'into its own subtree');
    const there = target.entries.get(newName);
    if (there === file) return { file: idOf(file) };
    if (there === undefined) this.#target(to, newName);
    else {
      if (there.type === 'directory' && file.type !== 'directory') fail('isDirectory');
      if (there.type !== 'directory' && file.type === 'directory') fail('notDirectory');
      if (there.entries.size > 0) fail('notEmpty');
      this.#leave(target, newName, there);
    }
    source.entries.delete(oldName);
    target.entries.set(newName, file);
    if (file.type === 'directory' && source !== target) {
      file.parent = target;
      source.links--;
      target.links++;
    }
    // The new name first: the file is never without one.
    this.history.entries([
      { directory: target.node, name: newName, to: file.node },
      { directory: source.node, name: oldName, to: nobody },
    ]);
    if (there === undefined) return { file: idOf(file) };
    return { file: idOf(file), replaced: { file: idOf(there), linksLeft: there.links } };
  }

  *reclaim(f: FileId): Task<void> {
    const file = this.#file(f);
    this.#files.delete(file.node);
    this.#reclaimed.set(file.node, file);
  }

  *sync(): Task<void> {}

  // ---- what was confirmed ----

  /** Everything is on the disk. */
  confirmAll(): void {
    this.history.confirm(true, nobody, new Set());
  }

  /** A file is on the disk, with the names that lead to it; of a directory perhaps the names in it. */
  confirmFile(f: FileId, o: { readonly namesInside: boolean }): void {
    const names = new Set<string>();
    const file = this.#files.get(f.number);
    if (file === undefined) return;
    const wanted = new Set([file]);
    for (const w of wanted)
      for (const d of this.#files.values())
        for (const [name, child] of d.entries) {
          if (child === w) {
            names.add(entryKey(d.node, name));
            wanted.add(d);
          }
        }
    if (o.namesInside && file.type === 'directory')
      for (const key of this.history.names.keys()) if (key.startsWith(`${file.node}/`)) names.add(key);
    this.history.confirm(false, file.node, names);
  }

  // ---- after an operation that failed half-way ----

  /**
   * Takes what the storage says that it has now: nobody knows how far an operation came that ended with an error.
   *
   * @param nodes the model's number of a storage's file; unknown files get one
   */
  adopt(tree: Tree, nodes: Map<string, Node>): void {
    const fileOf = (t: TreeNode): ModelFile => {
      const node = nodes.get(t.id) ?? nobody;
      const known = this.#files.get(node) ?? this.#reclaimed.get(node);
      if (known !== undefined) {
        this.#files.set(node, known);
        return known;
      }
      const made = this.#make({ type: t.type, mode: t.mode, uid: t.uid, gid: t.gid }, null);
      nodes.set(t.id, made.node);
      return made;
    };
    const changes: { directory: Node; name: string; to: Node }[] = [];
    for (const t of tree.nodes.values()) {
      const file = fileOf(t);
      const wanted = new Map(t.entries.map(({ name, node }) => [name, fileOf(node)]));
      for (const name of file.entries.keys())
        if (!wanted.has(name)) changes.push({ directory: file.node, name, to: nobody });
      for (const [name, child] of wanted) {
        if (child.type === 'directory') child.parent = file;
        if (file.entries.get(name) !== child) changes.push({ directory: file.node, name, to: child.node });
      }
      file.entries.clear();
      for (const [name, child] of wanted) file.entries.set(name, child);
      if (t.type !== 'directory' && Buffer.compare(file.bytes, t.bytes) !== 0) this.#setBytes(file, t.bytes);
      file.links = t.links;
      if (file.mode !== t.mode || file.uid !== t.uid || file.gid !== t.gid) {
        file.mode = t.mode;
        file.uid = t.uid;
        file.gid = t.gid;
        this.#noteAttributes(file);
      }
    }
    if (changes.length > 0) this.history.entries(changes);
  }

  // ---- parts ----

  #make(file: NewFile, parent: ModelFile | null): ModelFile {
    const node = this.history.types.size + 1;
    const { type, mode, uid, gid } = file;
    const made: ModelFile = {
      node,
      type,
      entries: new Map(),
      bytes: file.target === undefined ? new Uint8Array(0) : encodeUtf8(file.target),
      parent,
      links: type === 'directory' ? 2 : 1,
      mode,
      uid,
      gid,
      version: 1,
      times: noTimes,
    };
    this.#files.set(node, made);
    this.history.made(node, type, { mode, uid, gid }, made.bytes);
    return made;
  }

  #setBytes(file: ModelFile, bytes: Uint8Array): void {
    file.bytes = bytes;
    this.history.content(file.node, bytes);
  }

  #noteAttributes({ node, mode, uid, gid }: ModelFile): void {
    this.history.attribute(node, { mode, uid, gid });
  }

  #leave(d: ModelFile, name: string, file: ModelFile): void {
    d.entries.delete(name);
    if (file.type === 'directory') {
      file.links = 0;
      d.links--;
    } else file.links--;
  }

  #file(f: FileId): ModelFile {
    return this.#files.get(f.number) ?? fail('stale');
  }

  #directory(f: FileId): ModelFile {
    const d = this.#file(f);
    return d.type === 'directory' ? d : fail('notDirectory');
  }

  /** A directory that takes this name. */
  #target(f: FileId, name: string): ModelFile {
    const d = this.#directory(f);
    if (d.links === 0) fail('notFound');
    if (name === '.' || name === '..' || d.entries.has(name)) fail('exists', name);
    if (utf8Length(name) > 255) fail('nameTooLong');
    return d;
  }

  #entry(d: ModelFile, name: string): ModelFile {
    return d.entries.get(name) ?? fail('notFound', name);
  }
}

const idOf = (f: ModelFile): FileId => ({ domain: 0, number: f.node, generation: 1 });
