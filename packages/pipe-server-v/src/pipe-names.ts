/**
 * The names of pipes as one flat directory: what a storage is to the names of files, so that names of pipes are walked,
 * permitted, listed, renamed and removed as those are. There is nothing behind them but a pipe, and nothing survives.
 */

import type { Task } from '@backplane/engine';
import { compareBytes, sameFile } from '@backplane/file-service';
import {
  type AttributeChange,
  type DirectoryEntry,
  type FileId,
  type FileType,
  KernelError,
  type Machine,
  type NewFile,
  type Storage,
  type StorageUsage,
  type StoredAttributes,
} from '@backplane/slots';
import { Pipe } from './pipe.ts';

interface Named {
  readonly file: FileId;
  readonly pipe: Pipe;
  attributes: StoredAttributes;
}

/** Of no storage of files: attributes tell the objects of one host apart by it. */
const pipesDomain = 0xffff_0000;
/** Everybody may make one, and take away their own. */
const directoryMode = 0o1777;

export class PipeNames implements Storage {
  readonly domain: number = pipesDomain;
  readonly root: FileId = { domain: pipesDomain, number: 1, generation: 1 };
  readonly blockBytes: number;
  readonly fileBytesMax: number = 0;
  readonly #machine: Machine;
  readonly #blocks: number;
  readonly #byName = new Map<string, Named>();
  /** Also those whose name is gone, as long as they are open. */
  readonly #byNumber = new Map<number, Named>();
  #directory: StoredAttributes;
  /** Never used twice. */
  #last = 1;

  constructor(machine: Machine, blocks: number, blockBytes: number) {
    this.#machine = machine;
    this.#blocks = blocks;
    this.blockBytes = blockBytes;
    this.#directory = this.#made('directory', { mode: directoryMode, uid: 0, gid: 0 }, 2);
  }

  get count(): number {
    return this.#byName.size;
  }

  /** @throws KernelError `stale`, `isDirectory` */
  pipe(file: FileId): Pipe {
    if (this.#isRoot(file)) throw new KernelError('isDirectory', 'the names of pipes');
    return this.#named(file).pipe;
  }

  *attributes(f: FileId): Task<StoredAttributes> {
    return this.#isRoot(f) ? this.#directory : this.#named(f).attributes;
  }

  *setAttributes(f: FileId, change: AttributeChange): Task<void> {
    if (this.#isRoot(f)) this.#directory = { ...this.#directory, ...change };
    else {
      const named = this.#named(f);
      named.attributes = { ...named.attributes, ...change };
    }
  }

  *lookup(directory: FileId, name: string): Task<FileId | undefined> {
    this.#demandDirectory(directory);
    return name === '.' || name === '..' ? this.root : this.#byName.get(name)?.file;
  }

  *entries(directory: FileId): Task<readonly DirectoryEntry[]> {
    this.#demandDirectory(directory);
    return [...this.#byName]
      .map(([name, { file }]) => ({ name, file }))
      .sort((a, b) => compareBytes(a.name, b.name));
  }

  /** What is created by opening it is a pipe. @throws KernelError `exists`, `unsupported`: nothing else has a name here */
  *create(directory: FileId, name: string, o: NewFile): Task<FileId> {
    this.#demandDirectory(directory);
    if (o.type !== 'file' && o.type !== 'namedPipe') throw new KernelError('unsupported', o.type);
    if (this.#byName.has(name)) throw new KernelError('exists', name);
    const file = { ...this.root, number: ++this.#last };
    const named = { file, pipe: new Pipe(this.#blocks, 'named'), attributes: this.#made('namedPipe', o, 1) };
    this.#byName.set(name, named);
    this.#byNumber.set(file.number, named);
    this.#touched();
    return file;
  }

  *unlink(
    directory: FileId,
    name: string,
    what: { readonly directory: boolean },
  ): Task<{ readonly file: FileId; readonly linksLeft: number }> {
    this.#demandDirectory(directory);
    const named = this.#byName.get(name);
    if (named === undefined) throw new KernelError('notFound', name);
    if (what.directory) throw new KernelError('notDirectory', name);
    this.#byName.delete(name);
    this.#touched();
    return this.#nameless(named);
  }

  *rename(from: FileId, oldName: string, to: FileId, newName: string): ReturnType<Storage['rename']> {
    this.#demandDirectory(from);
    this.#demandDirectory(to);
    const named = this.#byName.get(oldName);
    if (named === undefined) throw new KernelError('notFound', oldName);
    const there = this.#byName.get(newName);
    if (there === named) return { file: named.file };
    this.#byName.delete(oldName);
    this.#byName.set(newName, named);
    this.#touched();
    return there === undefined ? { file: named.file } : { file: named.file, replaced: this.#nameless(there) };
  }

  *reclaim(f: FileId): Task<void> {
    this.#byNumber.delete(this.#named(f).file.number);
  }

  // ---- what storages have beside names ----

  *link(): Task<void> {
    throw new KernelError('unsupported', 'a second name of a pipe');
  }

  *read(): Task<Uint8Array> {
    throw new KernelError('unsupported', 'a pipe is read by its ends');
  }

  *write(): Task<void> {
    throw new KernelError('unsupported', 'a pipe is written by its ends');
  }

  *truncate(): Task<void> {
    throw new KernelError('unsupported', 'a pipe has no size');
  }

  *sync(): Task<void> {}

  *recover(): Task<void> {}

  usage(): StorageUsage {
    return { blockBytes: this.blockBytes, blocks: 0, blocksFree: 0, filesFree: Number.MAX_SAFE_INTEGER };
  }

  // ---- inside ----

  #isRoot(f: FileId): boolean {
    return sameFile(f, this.root);
  }

  #demandDirectory(f: FileId): void {
    if (this.#isRoot(f)) return;
    this.#named(f);
    throw new KernelError('notDirectory');
  }

  #named(f: FileId): Named {
    const named = this.#byNumber.get(f.number);
    if (named === undefined || !sameFile(named.file, f)) throw new KernelError('stale', `pipe ${f.number}`);
    return named;
  }

  #nameless(named: Named): { readonly file: FileId; readonly linksLeft: number } {
    named.attributes = { ...named.attributes, links: 0, changeNs: this.#machine.engine.nowNs };
    return { file: named.file, linksLeft: 0 };
  }

  #touched(): void {
    const { nowNs } = this.#machine.engine;
    this.#directory = { ...this.#directory, modifyNs: nowNs, changeNs: nowNs };
  }

  #made(
    type: FileType,
    { mode, uid, gid }: Pick<NewFile, 'mode' | 'uid' | 'gid'>,
    links: number,
  ): StoredAttributes {
    const { nowNs } = this.#machine.engine;
    const times = { modifyNs: nowNs, changeNs: nowNs, accessNs: nowNs, createNs: nowNs };
    return { type, sizeBytes: 0, links, mode, uid, gid, version: 1, ...times };
  }
}
