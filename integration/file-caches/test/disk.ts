/**
 * A storage in memory that has a disk's memory: what was synced, or written `through`, is there after a crash of its
 * machine; of other bytes and sizes, what was there before them. Names and attributes are never lost.
 */
import type { Task } from '@backplane/engine';
import { memoryStorage } from '@backplane/fs-memory';
import {
  type AttributeChange,
  type Component,
  type DirectoryEntry,
  defineComponent,
  type FileId,
  type NewFile,
  type Storage,
  type StorageUsage,
  type StoredAttributes,
  type WriteWhen,
} from '@backplane/slots';

/** One disk: give its component to one machine. */
export function disk(o: { readonly sizeBytes?: number } = {}): Component<'storage'> {
  let kept: DiskStorage | null = null;
  return defineComponent({
    name: 'test-disk-storage',
    version: '1.0.0',
    slot: 'storage',
    contract: 1,
    requires: [],
    create: (_granted, _options, machine) => {
      // The container grants what is asked for, and this storage asks for nothing.
      kept ??= new DiskStorage(memoryStorage(o).create({ wrapped: new Map() } as never, machine));
      return kept;
    },
  });
}

interface Image {
  readonly file: FileId;
  readonly bytes: Uint8Array;
}

class DiskStorage implements Storage {
  readonly domain: number;
  readonly root: FileId;
  readonly blockBytes: number;
  readonly fileBytesMax: number;
  readonly #files: Storage;
  /** Of each file that was changed since its last sync, what the disk has. */
  readonly #images = new Map<number, Image>();
  readonly #nameless = new Map<number, FileId>();

  constructor(files: Storage) {
    this.#files = files;
    this.domain = files.domain;
    this.root = files.root;
    this.blockBytes = files.blockBytes;
    this.fileBytesMax = files.fileBytesMax;
  }

  attributes(f: FileId): Task<StoredAttributes> {
    return this.#files.attributes(f);
  }

  setAttributes(f: FileId, change: AttributeChange): Task<void> {
    return this.#files.setAttributes(f, change);
  }

  read(f: FileId, at: number, count: number): Task<Uint8Array> {
    return this.#files.read(f, at, count);
  }

  *write(f: FileId, at: number, bytes: Uint8Array, when: WriteWhen): Task<void> {
    yield* this.#remember(f);
    yield* this.#files.write(f, at, bytes, when);
    if (when === 'through') this.#images.delete(f.number);
  }

  *truncate(f: FileId, sizeBytes: number): Task<void> {
    yield* this.#remember(f);
    yield* this.#files.truncate(f, sizeBytes);
  }

  lookup(directory: FileId, name: string): Task<FileId | undefined> {
    return this.#files.lookup(directory, name);
  }

  entries(directory: FileId): Task<readonly DirectoryEntry[]> {
    return this.#files.entries(directory);
  }

  create(directory: FileId, name: string, file: NewFile): Task<FileId> {
    return this.#files.create(directory, name, file);
  }

  link(directory: FileId, name: string, f: FileId): Task<void> {
    return this.#files.link(directory, name, f);
  }

  *unlink(
    directory: FileId,
    name: string,
    what: { readonly directory: boolean },
  ): Task<{ readonly file: FileId; readonly linksLeft: number }> {
    const gone = yield* this.#files.unlink(directory, name, what);
    if (gone.linksLeft === 0) this.#nameless.set(gone.file.number, gone.file);
    return gone;
  }

  rename(from: FileId, a: string, to: FileId, b: string): ReturnType<Storage['rename']> {
    return this.#files.rename(from, a, to, b);
  }

  *reclaim(f: FileId): Task<void> {
    yield* this.#files.reclaim(f);
    this.#images.delete(f.number);
    this.#nameless.delete(f.number);
  }

  *sync(f?: FileId): Task<void> {
    if (f === undefined) this.#images.clear();
    else this.#images.delete(f.number);
  }

  usage(): StorageUsage {
    return this.#files.usage();
  }

  *recover(): Task<void> {
    for (const { file, bytes } of this.#images.values()) {
      yield* this.#files.truncate(file, 0);
      yield* this.#files.write(file, 0, bytes, 'through');
    }
    this.#images.clear();
    for (const f of [...this.#nameless.values()]) yield* this.reclaim(f);
  }

  *#remember(file: FileId): Task<void> {
    if (this.#images.has(file.number)) return;
    const { sizeBytes } = yield* this.#files.attributes(file);
    this.#images.set(file.number, { file, bytes: yield* this.#files.read(file, 0, sizeBytes) });
  }
}
