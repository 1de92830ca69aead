/**
 * The board's object: Sprite's original file system on one disk. Everything that is asked for goes through handles; what
 * is done to names is in names.ts, to bytes in file-bytes.ts, and how it all reaches the disk in write-back.ts.
 */

import { seconds, type Task, tasks } from '@backplane/engine';
import { attributesOfStored, changeStoredFile, damaged } from '@backplane/file-service';
import {
  type AttributeChange,
  assert,
  type BlockCache,
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
import { attach, type FormatOptions, markClean } from './attach.ts';
import { FileBytes } from './file-bytes.ts';
import type { Handle } from './handle.ts';
import { Handles } from './handles.ts';
import { blockBytes, fileBytesMax, fragmentsPerBlock, rootNumber } from './layouts.ts';
import { NameSteps } from './name-steps.ts';
import { Names } from './names.ts';
import { Rename } from './rename.ts';
import { Soon } from './soon.ts';
import type { SpaceOptions, Volume } from './volume.ts';
import { WriteBack } from './write-back.ts';

export interface StorageOptions extends FormatOptions, SpaceOptions {
  readonly domain: number;
  readonly synchronous: boolean;
  readonly grouped: boolean;
  readonly writeDelaySeconds: number;
}

/** What there is while the disk is attached. */
interface Attached {
  readonly volume: Volume;
  readonly handles: Handles;
  readonly bytes: FileBytes;
  readonly writeBack: WriteBack;
  readonly steps: NameSteps;
  readonly names: Names;
  readonly rename: Rename;
  readonly soon: Soon;
}

export interface StorageCounts {
  /** Virtual time that the last attachment took. */
  attachNs: number;
  /** What the repair after a crash found and mended, in all boots of this board. */
  repairs: number;
}

export class OfsStorage implements Storage {
  static {
    tasks(OfsStorage);
  }

  readonly domain: number;
  readonly root: FileId;
  readonly blockBytes: number = blockBytes;
  readonly fileBytesMax: number = fileBytesMax;
  readonly counts: StorageCounts = { attachNs: 0, repairs: 0 };
  readonly #machine: Machine;
  readonly #disk: Disk;
  readonly #cache: BlockCache;
  readonly #options: StorageOptions;
  #attached: Attached | null = null;
  /** Why the disk could not be attached. */
  #refusal: KernelError | null = null;

  constructor(machine: Machine, disk: Disk, cache: BlockCache, options: StorageOptions) {
    this.#machine = machine;
    this.#disk = disk;
    this.#cache = cache;
    this.#options = options;
    this.domain = options.domain;
    this.root = { domain: options.domain, number: rootNumber, generation: 1 };
  }

  /** Could the disk not be attached? */
  get refused(): boolean {
    return this.#refusal !== null;
  }

  /** Write-backs by age that failed, in this boot. */
  get writeBackErrors(): number {
    return this.#attached?.writeBack.errors ?? 0;
  }

  // ---- attributes and bytes ----

  *attributes(f: FileId): Task<StoredAttributes> {
    const { handles } = this.#parts;
    const h = handles.tryHold(f) ?? (yield* handles.hold(f));
    handles.release(h);
    return attributesOfStored(h.descriptor);
  }

  *setAttributes(f: FileId, change: AttributeChange): Task<void> {
    const { handles, writeBack } = this.#parts;
    const h = yield* handles.hold(f);
    try {
      changeStoredFile(h.descriptor, change);
      writeBack.touch(h);
    } finally {
      handles.release(h);
    }
  }

  *read(f: FileId, at: number, count: number): Task<Uint8Array> {
    const { handles, bytes, writeBack } = this.#parts;
    const h = yield* this.#lock(f);
    try {
      const read = yield* bytes.read(h, at, count);
      h.descriptor.accessNs = writeBack.nowNs;
      writeBack.touch(h);
      return read;
    } finally {
      h.lock.release();
      handles.release(h);
    }
  }

  *write(f: FileId, at: number, bytes: Uint8Array, when: WriteWhen): Task<void> {
    yield* this.#roomy(() => this.#write(f, at, bytes));
    if (when === 'through') yield* this.#secure(f);
    else if (when === 'soon') yield* this.#parts.soon.write(f);
  }

  *truncate(f: FileId, sizeBytes: number): Task<void> {
    yield* this.#roomy(() => this.#truncate(f, sizeBytes));
  }

  // ---- names ----

  *lookup(directory: FileId, name: string): Task<FileId | undefined> {
    const { handles, steps } = this.#parts;
    const h = yield* this.#lock(directory);
    try {
      const number = (yield* steps.open(h)).find(name);
      if (number === undefined) return undefined;
      const file = handles.tryIdentify(number) ?? (yield* handles.identify(number));
      // Only a directory that was removed may outlive its parent.
      if (file === undefined && h.descriptor.links > 0) throw damaged('entry that leads nowhere');
      return file;
    } finally {
      h.lock.release();
      handles.release(h);
    }
  }

  *entries(directory: FileId): Task<readonly DirectoryEntry[]> {
    const { handles, steps, writeBack } = this.#parts;
    const h = yield* this.#lock(directory);
    try {
      const found: DirectoryEntry[] = [];
      for (const { name, file: number } of (yield* steps.open(h)).sorted()) {
        const file = handles.tryIdentify(number) ?? (yield* handles.identify(number));
        if (file === undefined) throw damaged('entry that leads nowhere');
        found.push({ name, file });
      }
      h.descriptor.accessNs = writeBack.nowNs;
      writeBack.touch(h);
      return found;
    } finally {
      h.lock.release();
      handles.release(h);
    }
  }

  *create(directory: FileId, name: string, file: NewFile): Task<FileId> {
    const { handles, names } = this.#parts;
    const h = yield* handles.hold(directory);
    try {
      return yield* this.#roomy(() => names.create(h, name, file));
    } finally {
      handles.release(h);
    }
  }

  *link(directory: FileId, name: string, f: FileId): Task<void> {
    const { handles, names } = this.#parts;
    const parent = yield* handles.hold(directory);
    try {
      const h = yield* handles.hold(f);
      try {
        yield* this.#roomy(() => names.link(parent, name, h));
      } finally {
        handles.release(h);
      }
    } finally {
      handles.release(parent);
    }
  }

  *unlink(
    directory: FileId,
    name: string,
    what: { readonly directory: boolean },
  ): Task<{ readonly file: FileId; readonly linksLeft: number }> {
    const { handles, names } = this.#parts;
    const parent = yield* handles.hold(directory);
    try {
      return yield* what.directory ? names.removeDirectory(parent, name) : names.unlink(parent, name);
    } finally {
      handles.release(parent);
    }
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
    const { handles, rename } = this.#parts;
    const source = yield* handles.hold(from);
    try {
      const target = yield* handles.hold(to);
      try {
        return yield* this.#roomy(() => rename.rename(source, oldName, target, newName));
      } finally {
        handles.release(target);
      }
    } finally {
      handles.release(source);
    }
  }

  *reclaim(f: FileId): Task<void> {
    const { handles, names, writeBack } = this.#parts;
    const h = yield* this.#lock(f);
    try {
      assert(h.descriptor.links === 0, 'storage', `file ${f.number} is reclaimed while names lead to it`);
      yield* names.reclaim(h);
    } finally {
      h.lock.release();
      handles.release(h);
    }
    if (this.#options.synchronous) yield* writeBack.flush([h]);
  }

  // ---- the whole ----

  *sync(f?: FileId): Task<void> {
    const { volume, writeBack } = this.#parts;
    if (f !== undefined) yield* this.#secure(f);
    else {
      yield* writeBack.flushAll();
      yield* writeBack.maps();
    }
    yield* volume.barrier();
  }

  usage(): StorageUsage {
    if (this.refused) return { blockBytes, blocks: 0, blocksFree: 0, filesFree: 0 };
    const { volume } = this.#parts;
    const { space, numbers } = volume;
    const free = Math.max(0, space.free + volume.pendingFragments - space.reserve);
    return {
      blockBytes,
      blocks: Math.floor((space.fragments - space.reserve) / fragmentsPerBlock),
      blocksFree: Math.floor(free / fragmentsPerBlock),
      filesFree: numbers.free + volume.pendingFiles,
    };
  }

  /**
   * Attaches the disk: formats an empty one, repairs one that was not detached. Does nothing when it is attached. A disk
   * that cannot be attached does not keep its machine from running: every operation then says why, until a later call
   * succeeds.
   */
  *recover(): Task<void> {
    if (this.#attached !== null) return;
    try {
      yield* this.#attach();
      this.#refusal = null;
    } catch (e) {
      if (!isKernelError(e)) throw e;
      this.#refusal = e;
    }
  }

  *#attach(): Task<void> {
    const startNs = this.#machine.engine.nowNs;
    const options = this.#options;
    const { volume, mounts, repairs } = yield* attach(this.#disk, this.#cache, options.domain, options);
    const writeDelayNs = seconds(options.writeDelaySeconds);
    const handles = new Handles(volume, writeDelayNs);
    const writeBack = new WriteBack(volume, this.#machine, writeDelayNs, (h) => handles.forget(h));
    const bytes = new FileBytes(volume, writeBack);
    const { synchronous, grouped } = options;
    // No number is used so often in one boot that its generations would reach those of the next.
    const generationMin = (mounts & 0xffff) * 0x10000;
    const steps = new NameSteps(handles, bytes, writeBack, synchronous);
    const names = new Names({ volume, bytes, steps, grouped, generationMin });
    const rename = new Rename(steps);
    const soon = new Soon(this.#machine.scope, handles);
    this.#attached = { volume, handles, bytes, writeBack, steps, names, rename, soon };
    this.counts.attachNs = this.#machine.engine.nowNs - startNs;
    this.counts.repairs += repairs;
  }

  /**
   * Detaches the disk: frees what only open files kept, writes everything, and says so on the disk. What cannot be
   * written is lost, and the next boot repairs what there is.
   */
  *detach(): Task<void> {
    if (this.#attached === null) return;
    try {
      yield* this.#putAway(this.#attached);
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
    this.#attached = null;
  }

  *#putAway({ volume, handles, names }: Attached): Task<void> {
    for (const h of handles.all) {
      if (h.gone || h.descriptor.links > 0) continue;
      yield* h.lock.acquire();
      try {
        yield* names.reclaim(h);
      } finally {
        h.lock.release();
      }
    }
    yield* this.sync();
    yield* markClean(volume);
  }

  get #parts(): Attached {
    if (this.#refusal !== null) throw this.#refusal;
    assert(this.#attached !== null, 'storage', 'it is used before recover() has attached its disk');
    return this.#attached;
  }

  /** The handle of a file, held and locked. */
  *#lock(f: FileId): Task<Handle> {
    const { handles } = this.#parts;
    const h = handles.tryHold(f) ?? (yield* handles.hold(f));
    let locked = false;
    try {
      yield* h.lock.acquire();
      locked = true;
      if (!h.gone) return h;
      h.lock.release();
      throw new KernelError('stale');
    } finally {
      if (!locked || h.gone) handles.release(h);
    }
  }

  *#write(f: FileId, at: number, bytes: Uint8Array): Task<void> {
    const parts = this.#parts;
    const h = yield* this.#lock(f);
    try {
      if (h.isDirectory) throw new KernelError('isDirectory');
      yield* parts.bytes.write(h, at, bytes);
    } finally {
      h.lock.release();
      parts.handles.release(h);
    }
  }

  *#truncate(f: FileId, sizeBytes: number): Task<void> {
    const parts = this.#parts;
    const h = yield* this.#lock(f);
    try {
      if (h.isDirectory) throw new KernelError('isDirectory');
      yield* parts.bytes.truncate(h, sizeBytes);
    } finally {
      h.lock.release();
      parts.handles.release(h);
    }
  }

  /** Space that was given back may wait for descriptors to reach the disk: when none is left, bring them there and try again. */
  *#roomy<T>(body: () => Task<T>): Task<T> {
    try {
      return yield* body();
    } catch (e) {
      const { volume, writeBack } = this.#parts;
      if (!isKernelError(e, 'noSpace') || volume.pendingFragments + volume.pendingFiles === 0) throw e;
      yield* writeBack.flushAll();
      return yield* body();
    }
  }

  *#secure(f: FileId): Task<void> {
    const { handles, steps, writeBack } = this.#parts;
    const h = yield* handles.hold(f);
    try {
      // A name is one that leads to something.
      if (h.isDirectory) yield* writeBack.flush(handles.all.filter((file) => file.named.has(h)));
      yield* steps.secure(h, []);
    } finally {
      handles.release(h);
    }
  }
}
