/** Storage for tests: files and directories in maps, nothing delayed. */
import type { Task } from '@backplane/engine';
import {
  type AttributeChange,
  type DirectoryEntry,
  type FileId,
  KernelError,
  type NewFile,
  type Storage,
  type StorageUsage,
  type StoredAttributes,
} from '@backplane/slots';

interface Node {
  attributes: StoredAttributes;
  bytes: Uint8Array;
  readonly entries: Map<string, FileId>;
}

export class MapStorage implements Storage {
  readonly domain = 0;
  readonly blockBytes = 1024;
  readonly fileBytesMax: number = 1 << 30;
  readonly root: FileId;
  readonly #nodes = new Map<number, Node>();
  synced = 0;
  #last = 0;

  constructor() {
    this.root = this.#make({ type: 'directory', mode: 0o777, uid: 0, gid: 0 });
    this.#node(this.root).attributes = { ...this.#node(this.root).attributes, links: 2, version: 2 };
  }

  get files(): number {
    return this.#nodes.size - 1;
  }

  *attributes(f: FileId): Task<StoredAttributes> {
    return this.#node(f).attributes;
  }

  *setAttributes(f: FileId, change: AttributeChange): Task<void> {
    const node = this.#node(f);
    node.attributes = { ...node.attributes, ...change };
  }

  *read(f: FileId, at: number, count: number): Task<Uint8Array> {
    return this.#node(f).bytes.slice(at, at + count);
  }

  *write(f: FileId, at: number, bytes: Uint8Array): Task<void> {
    const node = this.#node(f);
    this.#resize(node, Math.max(node.bytes.length, at + bytes.length));
    node.bytes.set(bytes, at);
  }

  *truncate(f: FileId, sizeBytes: number): Task<void> {
    this.#resize(this.#node(f), sizeBytes);
  }

  *lookup(directory: FileId, name: string): Task<FileId | undefined> {
    return this.#node(directory).entries.get(name);
  }

  *entries(directory: FileId): Task<readonly DirectoryEntry[]> {
    return [...this.#node(directory).entries].map(([name, file]) => ({ name, file }));
  }

  *create(directory: FileId, name: string, file: NewFile): Task<FileId> {
    const made = this.#make(file);
    this.#node(directory).entries.set(name, made);
    return made;
  }

  *unlink(directory: FileId, name: string): Task<{ readonly file: FileId; readonly linksLeft: number }> {
    const { entries } = this.#node(directory);
    const file = entries.get(name);
    if (file === undefined) throw new KernelError('notFound', name);
    entries.delete(name);
    return { file, linksLeft: 0 };
  }

  *reclaim(f: FileId): Task<void> {
    this.#nodes.delete(f.number);
  }

  *sync(): Task<void> {
    this.synced++;
  }

  *link(): Task<void> {
    throw new KernelError('unsupported');
  }

  *rename(): Task<{ readonly file: FileId }> {
    throw new KernelError('unsupported');
  }

  *recover(): Task<void> {}

  usage(): StorageUsage {
    return { blockBytes: this.blockBytes, blocks: 1000, blocksFree: 1000, filesFree: 1000 };
  }

  #make({ type, mode, uid, gid }: NewFile): FileId {
    const number = ++this.#last;
    this.#nodes.set(number, {
      attributes: {
        type,
        mode,
        uid,
        gid,
        sizeBytes: 0,
        links: 1,
        version: 2,
        modifyNs: 0,
        changeNs: 0,
        accessNs: 0,
        createNs: 0,
      },
      bytes: new Uint8Array(0),
      entries: new Map(),
    });
    return { domain: this.domain, number, generation: 1 };
  }

  #resize(node: Node, length: number): void {
    const bytes = new Uint8Array(length);
    bytes.set(node.bytes.subarray(0, length));
    node.bytes = bytes;
    node.attributes = { ...node.attributes, sizeBytes: length };
  }

  #node(f: FileId): Node {
    const node = this.#nodes.get(f.number);
    if (node === undefined) throw new KernelError('stale');
    return node;
  }
}
