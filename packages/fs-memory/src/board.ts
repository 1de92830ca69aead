/**
 * The board for slot `storage` in main memory: maps and byte arrays, nothing cached, nothing delayed, no virtual time.
 * It is the storage that is obviously right: the model that the others are tested against, and what a cluster uses whose
 * disks are not the question. Everything is lost when its machine loses power.
 */
import type { Task } from '@backplane/engine';
import { compareBytes } from '@backplane/file-service';
import {
  type AttributeChange,
  type Component,
  componentBytesMax,
  type DirectoryEntry,
  defineComponent,
  type FileId,
  KernelError,
  type Machine,
  type NewFile,
  type Storage,
  type StorageUsage,
  type StoredAttributes,
} from '@backplane/slots';
import { encodeUtf8, utf8Length } from '@backplane/wire';
import { z } from 'zod';
import { blockBytes } from './blocks.ts';
import { Node } from './node.ts';
import { version } from './version.ts';

const options = z.strictObject({
  domain: z.int().min(0).max(0xffff).default(0).describe('number of the domain, unique on its server'),
  sizeBytes: z.int().positive().default(400_000_000).describe('bytes of files that it holds'),
  filesMax: z.int().positive().default(100_000).describe('objects that it holds'),
});
export interface MemoryStorageOptions {
  readonly domain?: number;
  readonly sizeBytes?: number;
  readonly filesMax?: number;
}

export const memoryStorage: Component<'storage', MemoryStorageOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/fs-memory',
  version,
  slot: 'storage',
  contract: 1,
  requires: [],
  options,
  create: (_granted, { domain, sizeBytes, filesMax }, machine) =>
    new MemoryStorage(machine, domain, Math.floor(sizeBytes / blockBytes), filesMax),
});

const fileBytesMax = 0xffff_ffff;
const linksMax = 32_767;

class MemoryStorage implements Storage {
  readonly domain: number;
  readonly root: FileId;
  readonly blockBytes: number = blockBytes;
  readonly fileBytesMax: number = fileBytesMax;
  readonly #machine: Machine;
  readonly #blocks: number;
  readonly #filesMax: number;
  readonly #nodes = new Map<number, Node>();
  /** Never used twice, so that every file has a generation of its own by its number alone. */
  #numbers = 1;
  #blocksUsed = 0;

  constructor(machine: Machine, domain: number, blocks: number, filesMax: number) {
    this.domain = domain;
    this.#machine = machine;
    this.#blocks = blocks;
    this.#filesMax = filesMax;
    const root = this.#make({ type: 'directory', mode: 0o755, uid: 0, gid: 0 });
    root.parent = root;
    root.change({ links: 2 });
    this.root = root.id;
    machine.metrics.register('storage.memory.blocks', () => this.#blocksUsed);
  }

  *attributes(f: FileId): Task<StoredAttributes> {
    return this.#node(f).stored();
  }

  *setAttributes(f: FileId, change: AttributeChange): Task<void> {
    this.#node(f).change(change);
  }

  *read(f: FileId, at: number, count: number): Task<Uint8Array> {
    const node = this.#node(f);
    node.change({ accessNs: this.#nowNs });
    return node.bytes.read(at, count);
  }

  *write(f: FileId, at: number, bytes: Uint8Array): Task<void> {
    const node = this.#file(f);
    if (at + bytes.length > fileBytesMax) throw new KernelError('tooLarge');
    const added = node.bytes.added(at, bytes.length);
    if (this.#blocksUsed + added > this.#blocks) throw new KernelError('noSpace');
    this.#blocksUsed += added;
    node.bytes.write(at, bytes);
    node.change({ modifyNs: this.#nowNs, changeNs: this.#nowNs });
  }

  *truncate(f: FileId, sizeBytes: number): Task<void> {
    const node = this.#file(f);
    if (sizeBytes > fileBytesMax) throw new KernelError('tooLarge');
    const before = node.bytes.blocks;
    node.bytes.truncate(sizeBytes);
    this.#blocksUsed += node.bytes.blocks - before;
    node.change({ modifyNs: this.#nowNs, changeNs: this.#nowNs });
  }

  *lookup(directory: FileId, name: string): Task<FileId | undefined> {
    const node = this.#directory(directory);
    if (name === '.') return node.id;
    if (name === '..') return node.parent?.id;
    return node.entries.get(name)?.id;
  }

  *entries(directory: FileId): Task<readonly DirectoryEntry[]> {
    const node = this.#directory(directory);
    node.change({ accessNs: this.#nowNs });
    return [...node.entries]
      .map(([name, n]) => ({ name, file: n.id }))
      .sort((a, b) => compareBytes(a.name, b.name));
  }

  *create(directory: FileId, name: string, file: NewFile): Task<FileId> {
    const parent = this.#parentFor(directory, name);
    if (parent.entries.has(name) || isDot(name)) throw new KernelError('exists', name);
    if (this.#nodes.size >= this.#filesMax) throw new KernelError('noSpace');
    if (file.type === 'directory' && parent.attributes.links >= linksMax)
      throw new KernelError('tooManyLinks', name);
    const node = this.#make(file);
    this.#enter(parent, name, node);
    if (file.target !== undefined) node.bytes.write(0, encodeUtf8(file.target));
    this.#blocksUsed += node.bytes.blocks;
    return node.id;
  }

  *link(directory: FileId, name: string, f: FileId): Task<void> {
    const parent = this.#parentFor(directory, name);
    const node = this.#node(f);
    if (node.isDirectory) throw new KernelError('isDirectory', name);
    if (parent.entries.has(name) || isDot(name)) throw new KernelError('exists', name);
    if (node.attributes.links >= linksMax) throw new KernelError('tooManyLinks', name);
    this.#enter(parent, name, node);
    node.change({ changeNs: this.#nowNs });
  }

  *unlink(
    directory: FileId,
    name: string,
    what: { readonly directory: boolean },
  ): Task<{ readonly file: FileId; readonly linksLeft: number }> {
    const parent = this.#directory(directory);
    const node = parent.entries.get(name);
    if (node === undefined) throw new KernelError('notFound', name);
    if (what.directory && !node.isDirectory) throw new KernelError('notDirectory', name);
    if (!what.directory && node.isDirectory) throw new KernelError('isDirectory', name);
    if (node.isDirectory && node.entries.size > 0) throw new KernelError('notEmpty', name);
    return this.#leave(parent, name, node);
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
    const target = this.#parentFor(to, newName);
    const node = source.entries.get(oldName);
    if (isDot(oldName) || isDot(newName)) throw new KernelError('badArgument', 'a dot');
    if (node === undefined) throw new KernelError('notFound', oldName);
    if (node.isDirectory && isWithin(target, node))
      throw new KernelError('badArgument', 'a directory into itself');
    const there = target.entries.get(newName);
    if (there === node) return { file: node.id };
    if (there !== undefined) {
      if (there.isDirectory && !node.isDirectory) throw new KernelError('isDirectory', newName);
      if (!there.isDirectory && node.isDirectory) throw new KernelError('notDirectory', newName);
      if (there.entries.size > 0) throw new KernelError('notEmpty', newName);
    } else if (node.isDirectory && source !== target && target.attributes.links >= linksMax)
      throw new KernelError('tooManyLinks', newName);
    const replaced = there === undefined ? undefined : this.#leave(target, newName, there);
    source.entries.delete(oldName);
    target.entries.set(newName, node);
    if (node.isDirectory && source !== target) {
      node.parent = target;
      source.change({ links: source.attributes.links - 1 });
      target.change({ links: target.attributes.links + 1 });
    }
    this.#touched(source);
    this.#touched(target);
    node.change({ changeNs: this.#nowNs });
    return replaced === undefined ? { file: node.id } : { file: node.id, replaced };
  }

  *reclaim(f: FileId): Task<void> {
    const node = this.#node(f);
    this.#blocksUsed -= node.bytes.blocks;
    this.#nodes.delete(f.number);
  }

  *sync(): Task<void> {}

  usage(): StorageUsage {
    return {
      blockBytes,
      blocks: this.#blocks,
      blocksFree: this.#blocks - this.#blocksUsed,
      filesFree: this.#filesMax - this.#nodes.size,
    };
  }

  /** Nothing survives in memory, so nothing is inconsistent. */
  *recover(): Task<void> {}

  get #nowNs(): number {
    return this.#machine.engine.nowNs;
  }

  #make(file: NewFile): Node {
    const nowNs = this.#nowNs;
    const number = this.#numbers++;
    const node = new Node(
      { domain: this.domain, number, generation: 1 },
      {
        type: file.type,
        links: 0,
        mode: file.mode & 0o7777,
        uid: file.uid,
        gid: file.gid,
        version: 1,
        modifyNs: nowNs,
        changeNs: nowNs,
        accessNs: nowNs,
        createNs: nowNs,
        ...(file.device && { device: file.device }),
      },
    );
    this.#nodes.set(number, node);
    return node;
  }

  /** One more name for a node; a directory's own "." counts too. */
  #enter(parent: Node, name: string, node: Node): void {
    parent.entries.set(name, node);
    node.change({ links: node.attributes.links + (node.isDirectory ? 2 : 1) });
    if (node.isDirectory) {
      node.parent = parent;
      parent.change({ links: parent.attributes.links + 1 });
    }
    this.#touched(parent);
  }

  #leave(parent: Node, name: string, node: Node): { readonly file: FileId; readonly linksLeft: number } {
    parent.entries.delete(name);
    const linksLeft = node.isDirectory ? 0 : node.attributes.links - 1;
    node.change({ links: linksLeft, changeNs: this.#nowNs });
    if (node.isDirectory) parent.change({ links: parent.attributes.links - 1 });
    this.#touched(parent);
    return { file: node.id, linksLeft };
  }

  #touched(directory: Node): void {
    directory.change({ modifyNs: this.#nowNs, changeNs: this.#nowNs });
  }

  #node(f: FileId): Node {
    const node = this.#nodes.get(f.number);
    if (node === undefined || f.domain !== this.domain || f.generation !== node.id.generation)
      throw new KernelError('stale');
    return node;
  }

  #file(f: FileId): Node {
    const node = this.#node(f);
    if (node.isDirectory) throw new KernelError('isDirectory');
    return node;
  }

  #directory(f: FileId): Node {
    const node = this.#node(f);
    if (!node.isDirectory) throw new KernelError('notDirectory');
    return node;
  }

  /** A directory that takes a new entry of this name. */
  #parentFor(f: FileId, name: string): Node {
    const node = this.#directory(f);
    if (node.attributes.links === 0) throw new KernelError('notFound', 'a directory that was removed');
    if (name === '' || name.includes('/') || name.includes('\0')) throw new KernelError('badArgument', name);
    if (utf8Length(name) > componentBytesMax) throw new KernelError('nameTooLong', name.slice(0, 40));
    return node;
  }
}

const isDot = (name: string): boolean => name === '.' || name === '..';

function isWithin(node: Node, ancestor: Node): boolean {
  for (let n: Node = node; ; n = n.parent) {
    if (n === ancestor) return true;
    if (n.parent === null || n.parent === n) return false;
  }
}
