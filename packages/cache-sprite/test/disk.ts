/**
 * A storage for tests, and the disk below it. Files are byte arrays. Names, versions and truncations are on the disk at
 * once; bytes when the file is synced, or written `through`; a crash takes the rest. Every operation takes a little time.
 */
import { sleep, type Task, us } from '@backplane/engine';
import {
  type AttributeChange,
  type DirectoryEntry,
  type FileId,
  KernelError,
  type NewFile,
  type Storage,
  type StorageUsage,
  type StoredAttributes,
  type WriteWhen,
} from '@backplane/slots';

interface Node {
  readonly id: FileId;
  attributes: Omit<StoredAttributes, 'sizeBytes'>;
  bytes: Uint8Array;
  /** What a crash leaves. */
  onDisk: Uint8Array;
  readonly entries: Map<string, Node>;
}

/** Survives crashes; one storage at a time. */
export class Disk {
  readonly nodes: Map<number, Node> = new Map();
  numbers: number = 0;
  /** Bytes of all files together that it takes. */
  room: number = Number.POSITIVE_INFINITY;
}

export class TestStorage implements Storage {
  readonly domain: number = 0;
  readonly root: FileId;
  readonly blockBytes = 4096;
  readonly fileBytesMax: number = 2 ** 30;
  readonly #disk: Disk;
  readonly #nowNs: () => number;
  /** Writes that arrived, by file number, in order: "3 through 8192+4096". */
  readonly writes: string[] = [];
  /** How long the next look at attributes takes. */
  delayOnceNs: number = us(20);

  constructor(disk: Disk, nowNs: () => number) {
    this.#disk = disk;
    this.#nowNs = nowNs;
    if (disk.nodes.size === 0) this.#make({ type: 'directory', mode: 0o777, uid: 0, gid: 0 });
    this.root = (disk.nodes.get(1) as Node).id;
  }

  *attributes(f: FileId): Task<StoredAttributes> {
    const delayNs = this.delayOnceNs;
    this.delayOnceNs = us(20);
    yield* sleep(delayNs);
    const node = this.#node(f);
    return { ...node.attributes, sizeBytes: node.bytes.length };
  }

  *setAttributes(f: FileId, change: AttributeChange): Task<void> {
    yield* sleep(us(20));
    const node = this.#node(f);
    node.attributes = { ...node.attributes, ...change };
  }

  *read(f: FileId, at: number, count: number): Task<Uint8Array> {
    yield* sleep(us(50));
    return this.#node(f).bytes.subarray(at, at + count);
  }

  *write(f: FileId, at: number, bytes: Uint8Array, when: WriteWhen): Task<void> {
    yield* sleep(us(50));
    const node = this.#node(f);
    const sizeBytes = Math.max(node.bytes.length, at + bytes.length);
    if (this.#used() + sizeBytes - node.bytes.length > this.#disk.room) throw new KernelError('noSpace');
    const next = new Uint8Array(sizeBytes);
    next.set(node.bytes);
    next.set(bytes, at);
    node.bytes = next;
    node.attributes = { ...node.attributes, modifyNs: this.#nowNs() };
    if (when === 'through') node.onDisk = next;
    this.writes.push(`${f.number} ${when} ${at}+${bytes.length}`);
  }

  *truncate(f: FileId, sizeBytes: number): Task<void> {
    yield* sleep(us(50));
    const node = this.#node(f);
    node.bytes = resized(node.bytes, sizeBytes);
    node.onDisk = resized(node.onDisk, sizeBytes);
    node.attributes = { ...node.attributes, modifyNs: this.#nowNs() };
  }

  *lookup(directory: FileId, name: string): Task<FileId | undefined> {
    yield* sleep(us(20));
    return this.#node(directory).entries.get(name)?.id;
  }

  *entries(directory: FileId): Task<readonly DirectoryEntry[]> {
    return [...this.#node(directory).entries].map(([name, n]) => ({ name, file: n.id }));
  }

  *create(directory: FileId, name: string, file: NewFile): Task<FileId> {
    const parent = this.#node(directory);
    if (parent.entries.has(name)) throw new KernelError('exists', name);
    const node = this.#make(file);
    parent.entries.set(name, node);
    return node.id;
  }

  *link(directory: FileId, name: string, f: FileId): Task<void> {
    const node = this.#node(f);
    this.#node(directory).entries.set(name, node);
    node.attributes = { ...node.attributes, links: node.attributes.links + 1 };
  }

  *unlink(directory: FileId, name: string): Task<{ readonly file: FileId; readonly linksLeft: number }> {
    const parent = this.#node(directory);
    const node = parent.entries.get(name);
    if (node === undefined) throw new KernelError('notFound', name);
    parent.entries.delete(name);
    node.attributes = { ...node.attributes, links: node.attributes.links - 1 };
    return { file: node.id, linksLeft: node.attributes.links };
  }

  *rename(): Task<{ readonly file: FileId }> {
    throw new KernelError('unsupported', 'this storage renames nothing');
  }

  *reclaim(f: FileId): Task<void> {
    yield* sleep(us(50));
    this.#node(f);
    this.#disk.nodes.delete(f.number);
  }

  *sync(f?: FileId): Task<void> {
    yield* sleep(us(500));
    for (const node of f === undefined ? this.#disk.nodes.values() : [this.#node(f)])
      node.onDisk = node.bytes;
  }

  usage(): StorageUsage {
    return { blockBytes: 4096, blocks: 1e6, blocksFree: 1e6, filesFree: 1e6 };
  }

  *recover(): Task<void> {
    yield* sleep(us(500));
    for (const node of [...this.#disk.nodes.values()]) {
      node.bytes = node.onDisk;
      if (node.attributes.links <= 0) this.#disk.nodes.delete(node.id.number);
    }
  }

  #used(): number {
    let used = 0;
    for (const node of this.#disk.nodes.values()) used += node.bytes.length;
    return used;
  }

  #make(file: NewFile): Node {
    const nowNs = this.#nowNs();
    const number = ++this.#disk.numbers;
    const node: Node = {
      id: { domain: 0, number, generation: 1 },
      attributes: {
        type: file.type,
        links: 1,
        mode: file.mode,
        uid: file.uid,
        gid: file.gid,
        version: 1,
        modifyNs: nowNs,
        changeNs: nowNs,
        accessNs: nowNs,
        createNs: nowNs,
        ...(file.device && { device: file.device }),
      },
      bytes: new Uint8Array(0),
      onDisk: new Uint8Array(0),
      entries: new Map(),
    };
    this.#disk.nodes.set(number, node);
    return node;
  }

  #node(f: FileId): Node {
    const node = this.#disk.nodes.get(f.number);
    if (node === undefined) throw new KernelError('stale', `file ${f.number}`);
    return node;
  }
}

function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const next = new Uint8Array(sizeBytes);
  next.set(bytes.subarray(0, sizeBytes));
  return next;
}
