/**
 * The board's object: a log-structured file system on one disk. What is done to names is in names.ts, to bytes in
 * file-bytes.ts, and how it all comes into the log in commits.ts.
 */
import { type Scope, seconds, type Task, tasks } from '@backplane/engine';
import { attributesOfStored, changeStoredFile, compareBytes } from '@backplane/file-service';
import {
  type AttributeChange,
  assert,
  type BlockCache,
  type CleaningPolicy,
  type DirectoryEntry,
  type Disk,
  type FileId,
  isKernelError,
  KernelError,
  type Machine,
  type NewFile,
  type Storage,
  type StorageUsage,
  type StoredAttributes,
  type WriteWhen,
} from '@backplane/slots';
import { assemble, freeUnlinked, type Parts, rollForward, type StorageOptions } from './assemble.ts';
import { attach } from './attach.ts';
import type { Handle } from './handle.ts';
import { blockBytes, fileBytesMax, rootNumber } from './layouts.ts';
import type { Names, Unlinked } from './names.ts';
import { nameBytes } from './space.ts';

export interface StorageCounts {
  /** Virtual time that the last attachment took. */
  attachNs: number;
  /** What the last roll-forward found after the checkpoint. */
  recoveredFiles: number;
  recoveredNames: number;
  recoveredBytes: number;
}

/** "soon": how long writes are gathered before they go into the log together. */
const gatherSeconds = 0.5;

export class LfsStorage implements Storage {
  static {
    tasks(LfsStorage);
  }

  readonly domain: number;
  readonly root: FileId;
  readonly blockBytes: number = blockBytes;
  readonly fileBytesMax: number = fileBytesMax;
  readonly counts: StorageCounts = { attachNs: 0, recoveredFiles: 0, recoveredNames: 0, recoveredBytes: 0 };
  readonly #machine: Machine;
  readonly #disk: Disk;
  readonly #cache: BlockCache;
  readonly #policy: CleaningPolicy;
  readonly #options: StorageOptions;
  #parts: Parts | null = null;
  /** Of the attachment's own threads and timers. */
  #scope: Scope | null = null;
  /** Why the disk could not be attached. */
  #refusal: KernelError | null = null;

  constructor(
    machine: Machine,
    disk: Disk,
    cache: BlockCache,
    policy: CleaningPolicy,
    options: StorageOptions,
  ) {
    this.#machine = machine;
    this.#disk = disk;
    this.#cache = cache;
    this.#policy = policy;
    this.#options = options;
    this.domain = options.domain;
    this.root = { domain: options.domain, number: rootNumber, generation: 1 };
  }

  /** Could the disk not be attached? */
  get refused(): boolean {
    return this.#refusal !== null;
  }

  /** What is counted while the disk is attached. */
  get parts(): Parts | null {
    return this.#parts;
  }

  // ---- attributes and bytes ----

  *attributes(f: FileId): Task<StoredAttributes> {
    const { handles, map } = this.#attached;
    const h = handles.tryHold(f) ?? (yield* handles.hold(f));
    handles.release(h);
    h.descriptor.accessNs = map.accessNs(f.number);
    return attributesOfStored(h.descriptor);
  }

  *setAttributes(f: FileId, change: AttributeChange): Task<void> {
    const { handles, map, commits } = this.#attached;
    yield* this.#begin(0);
    try {
      const h = handles.tryHold(f) ?? (yield* handles.hold(f));
      try {
        changeStoredFile(h.descriptor, change);
        if (change.accessNs !== undefined) map.accessed(f.number, change.accessNs);
        h.changed = true;
        commits.touch(h);
      } finally {
        handles.release(h);
      }
    } finally {
      commits.changes.end();
    }
  }

  *read(f: FileId, at: number, count: number): Task<Uint8Array> {
    const { handles, bytes, map, commits } = this.#attached;
    const h = this.#tryLock(f) ?? (yield* this.#lock(f));
    try {
      if (h.isDirectory) throw new KernelError('isDirectory');
      const read = yield* bytes.read(h, at, count);
      map.accessed(f.number, commits.nowNs);
      commits.age.stir();
      return read;
    } finally {
      h.unlock();
      handles.release(h);
    }
  }

  *write(f: FileId, at: number, content: Uint8Array, when: WriteWhen): Task<void> {
    if (!this.#tryWrite(f, at, content)) yield* this.#write(f, at, content);
    if (when === 'through') yield* this.sync(f);
    else if (when === 'soon') this.#attached.commits.age.soon(seconds(gatherSeconds));
  }

  *#write(f: FileId, at: number, content: Uint8Array): Task<void> {
    const { handles, bytes, commits } = this.#attached;
    if (!this.#tryBegin(content.length + blockBytes)) {
      yield* this.#file(f);
      yield* this.#begin(content.length + blockBytes);
    }
    try {
      const h = this.#tryLock(f) ?? (yield* this.#lock(f));
      try {
        if (h.isDirectory) throw new KernelError('isDirectory');
        yield* bytes.write(h, at, content);
      } finally {
        h.unlock();
        handles.release(h);
      }
    } finally {
      commits.changes.end();
    }
  }

  *truncate(f: FileId, sizeBytes: number): Task<void> {
    const { handles, bytes, commits } = this.#attached;
    yield* this.#file(f);
    yield* this.#begin(0);
    try {
      const h = this.#tryLock(f) ?? (yield* this.#lock(f));
      try {
        if (h.isDirectory) throw new KernelError('isDirectory');
        yield* bytes.truncate(h, sizeBytes);
      } finally {
        h.unlock();
        handles.release(h);
      }
    } finally {
      commits.changes.end();
    }
  }

  // ---- names ----

  *lookup(directory: FileId, name: string): Task<FileId | undefined> {
    const { handles, map } = this.#attached;
    const h = handles.tryHold(directory) ?? (yield* handles.hold(directory));
    try {
      const entries = h.directory ?? (yield* handles.open(h));
      if (name === '.') return h.id;
      if (name === '..') {
        const number = h.descriptor.parent;
        return { domain: this.domain, number, generation: map.generation(number) };
      }
      const found = entries.find(name);
      return found && { domain: this.domain, number: found.file, generation: found.generation };
    } finally {
      handles.release(h);
    }
  }

  *entries(directory: FileId): Task<readonly DirectoryEntry[]> {
    const { handles, map, commits } = this.#attached;
    const h = yield* handles.holdDirectory(directory);
    try {
      const found: DirectoryEntry[] = [];
      for (const { name, file, generation } of h.directory?.all() ?? [])
        found.push({ name, file: { domain: this.domain, number: file, generation } });
      map.accessed(directory.number, commits.nowNs);
      commits.age.stir();
      return found.sort((a, b) => compareBytes(a.name, b.name));
    } finally {
      handles.release(h);
    }
  }

  *create(directory: FileId, name: string, wanted: NewFile): Task<FileId> {
    return this.#tryCreate(directory, name, wanted) ?? (yield* this.#create(directory, name, wanted));
  }

  *#create(directory: FileId, name: string, wanted: NewFile): Task<FileId> {
    const { names, handles, commits } = this.#attached;
    if (!this.#tryBegin(nameBytes)) yield* this.#beginName(directory, name, wanted.type === 'directory');
    let made: FileId;
    try {
      const h = handles.tryHold(directory) ?? (yield* handles.hold(directory));
      try {
        if (h.directory === null) yield* handles.open(h);
        made =
          wanted.target === undefined
            ? names.create(h, name, wanted)
            : yield* names.createFilled(h, name, wanted, wanted.target);
      } finally {
        handles.release(h);
      }
    } finally {
      commits.changes.end();
    }
    if (this.#options.synchronous) yield* commits.commitNames();
    return made;
  }

  *link(directory: FileId, name: string, f: FileId): Task<void> {
    const { names, handles } = this.#attached;
    const h = handles.tryHold(f) ?? (yield* handles.hold(f));
    try {
      yield* this.#named(directory, (parent) => names.link(parent, name, h));
    } finally {
      handles.release(h);
    }
  }

  *unlink(directory: FileId, name: string, what: { readonly directory: boolean }): Task<Unlinked> {
    const { names } = this.#attached;
    return yield* this.#named(directory, (parent) => names.unlink(parent, name, what));
  }

  *rename(
    from: FileId,
    oldName: string,
    to: FileId,
    newName: string,
  ): Task<{ readonly file: FileId; readonly replaced?: Unlinked }> {
    const { names, handles } = this.#attached;
    return yield* this.#named(from, function* rename(source): ReturnType<Names['rename']> {
      const target = yield* handles.holdDirectory(to);
      try {
        return yield* names.rename(source, oldName, target, newName);
      } finally {
        handles.release(target);
      }
    });
  }

  *reclaim(f: FileId): Task<void> {
    const { handles, names, commits } = this.#attached;
    yield* this.#begin(0);
    try {
      const h = this.#tryLock(f) ?? (yield* this.#lock(f));
      try {
        assert(h.descriptor.links === 0, 'storage', `file ${f.number} is reclaimed while names lead to it`);
        yield* names.reclaim(h);
      } finally {
        h.unlock();
        handles.release(h);
      }
    } finally {
      commits.changes.end();
    }
  }

  // ---- the whole ----

  *sync(f?: FileId): Task<void> {
    const { handles, commits } = this.#attached;
    if (f === undefined) {
      yield* commits.commitAll();
      return;
    }
    const h = handles.tryHold(f) ?? (yield* handles.hold(f));
    try {
      if (h.isDirectory) yield* commits.commitAll();
      else yield* commits.commit([h]);
    } finally {
      handles.release(h);
    }
  }

  usage(): StorageUsage {
    if (this.refused) return { blockBytes, blocks: 0, blocksFree: 0, filesFree: 0 };
    const { space, map } = this.#attached;
    return {
      blockBytes,
      blocks: Math.floor(space.capacityBytes / blockBytes),
      blocksFree: Math.floor(space.freeBytes / blockBytes),
      filesFree: map.free,
    };
  }

  *clean(): Task<void> {
    yield* this.#attached.cleaner.cleanAll();
  }

  *checkpoint(): Task<void> {
    yield* this.#attached.commits.checkpoint();
  }

  /**
   * Attaches the disk: formats an empty one, rolls the log of any other forward and makes a checkpoint. Does nothing when
   * it is attached. A disk that cannot be attached does not keep its machine from running: every operation then says why,
   * until a later call succeeds.
   */
  *recover(): Task<void> {
    if (this.#parts !== null) return;
    const machine = this.#machine;
    const startNs = machine.engine.nowNs;
    // What is begun for an attachment that fails ends with it.
    const scope = machine.scope.child('lfs');
    try {
      const found = yield* attach(this.#disk, startNs, this.#options);
      const needs = {
        machine: { ...machine, scope },
        disk: this.#disk,
        cache: this.#cache,
        policy: this.#policy,
      };
      const parts = assemble(needs, found, this.#options);
      const recovered = yield* rollForward(parts, found, machine);
      this.counts.recoveredFiles = recovered.files;
      this.counts.recoveredNames = recovered.names;
      this.counts.recoveredBytes = found.tail.bytes;
      this.#parts = parts;
      this.#scope = scope;
      this.#refusal = null;
    } catch (e) {
      if (!isKernelError(e)) throw e;
      this.#refusal = e;
      scope.crash();
    }
    this.counts.attachNs = machine.engine.nowNs - startNs;
  }

  /**
   * Detaches the disk: frees what only open files kept, and makes a last checkpoint. What cannot be written is lost, as it
   * is with the power.
   */
  *detach(): Task<void> {
    if (this.#parts === null) return;
    try {
      yield* freeUnlinked(this.#parts);
      yield* this.#parts.commits.checkpoint(true);
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
    this.#parts = null;
    this.#scope?.crash();
  }

  // ---- steps ----

  get #attached(): Parts {
    if (this.#refusal !== null) throw this.#refusal;
    assert(this.#parts !== null, 'storage', 'it is used before recover() has attached its disk');
    return this.#parts;
  }

  /**
   * Before an operation that changes something, and before it takes a lock. It ends with `commits.changes.end()`.
   *
   * @param bytes that it may add to what the disk holds; 0 for what is allowed on a full disk
   */
  *#begin(bytes: number): Task<void> {
    const { commits, space, cleaner } = this.#attached;
    if (bytes > 0) yield* this.#room(bytes);
    else if (!space.fits(0)) yield* cleaner.relieve();
    if (!commits.changes.tryBegin()) yield* commits.changes.begin();
  }

  /** The same where nothing has to be waited for. */
  #tryBegin(bytes: number): boolean {
    const { space, commits } = this.#attached;
    return space.holds(bytes) && space.fits(bytes) && commits.changes.tryBegin();
  }

  *#room(bytes: number): Task<void> {
    const { space, cleaner } = this.#attached;
    if (!space.holds(bytes) || !space.fits(bytes)) yield* cleaner.room(bytes);
  }

  /** Before a name is made. Where there is no room for it, what else speaks against it is said first. */
  *#beginName(directory: FileId, name: string, isDirectory: boolean): Task<void> {
    const { space, handles, names } = this.#attached;
    if (!space.holds(nameBytes) || !space.fits(nameBytes)) {
      const h = yield* handles.holdDirectory(directory);
      try {
        names.mayEnter(h, name, isDirectory);
      } finally {
        handles.release(h);
      }
      yield* this.#room(nameBytes);
    }
    yield* this.#begin(0);
  }

  /** @throws KernelError `stale`, `isDirectory` */
  *#file(f: FileId): Task<void> {
    const { handles } = this.#attached;
    const h = handles.tryHold(f) ?? (yield* handles.hold(f));
    const { isDirectory } = h;
    handles.release(h);
    if (isDirectory) throw new KernelError('isDirectory');
  }

  /** An operation on names in a directory, whose entries are brought into memory first. */
  *#named<T>(directory: FileId, body: (h: Handle) => Task<T>): Task<T> {
    const { handles, commits } = this.#attached;
    yield* this.#begin(0);
    let result: T;
    try {
      const h = handles.tryHold(directory) ?? (yield* handles.hold(directory));
      try {
        if (h.directory === null) yield* handles.open(h);
        result = yield* body(h);
      } finally {
        handles.release(h);
      }
    } finally {
      commits.changes.end();
    }
    if (this.#options.synchronous) yield* commits.commitNames();
    return result;
  }

  /** A new object without content that has nothing to wait for. @throws KernelError as `create` does */
  #tryCreate(directory: FileId, name: string, wanted: NewFile): FileId | undefined {
    const { handles, names, commits } = this.#attached;
    if (this.#options.synchronous || wanted.target !== undefined || !this.#tryBegin(nameBytes))
      return undefined;
    const h = handles.tryHold(directory);
    try {
      return h === undefined || h.directory === null ? undefined : names.create(h, name, wanted);
    } finally {
      if (h !== undefined) handles.release(h);
      commits.changes.end();
    }
  }

  /** All of a write that takes no waiting, and so no lock. */
  #tryWrite(f: FileId, at: number, content: Uint8Array): boolean {
    const { handles, bytes, commits } = this.#attached;
    if (!this.#tryBegin(content.length + blockBytes)) return false;
    const h = handles.tryHold(f);
    try {
      return h !== undefined && !h.isDirectory && bytes.tryWrite(h, at, content);
    } finally {
      if (h !== undefined) handles.release(h);
      commits.changes.end();
    }
  }

  /** The handle of a file, held and locked, where nothing has to be waited for. */
  #tryLock(f: FileId): Handle | undefined {
    const { handles } = this.#attached;
    const h = handles.tryHold(f);
    if (h === undefined || h.lock.tryAcquire()) return h;
    handles.release(h);
    return undefined;
  }

  /** The handle of a file, held and locked. */
  *#lock(f: FileId): Task<Handle> {
    const { handles } = this.#attached;
    const h = handles.tryHold(f) ?? (yield* handles.hold(f));
    let locked = false;
    try {
      if (!h.lock.tryAcquire()) yield* h.lock.acquire();
      locked = true;
      if (!h.gone) return h;
      h.unlock();
      throw new KernelError('stale');
    } finally {
      if (!locked || h.gone) handles.release(h);
    }
  }
}
