/** A storage of which somebody else decides when an operation may begin, and sees when it ends. */
import type { Task } from '@backplane/engine';
import type {
  AttributeChange,
  DirectoryEntry,
  FileId,
  NewFile,
  Storage,
  StorageUsage,
  StoredAttributes,
  WriteWhen,
} from '@backplane/slots';

export class ServedStorage implements Storage {
  readonly domain: number;
  readonly root: FileId;
  readonly blockBytes: number;
  readonly fileBytesMax: number;
  readonly #storage: Storage;
  readonly #within: <R>(operation: Task<R>) => Task<R>;

  constructor(storage: Storage, within: <R>(operation: Task<R>) => Task<R>) {
    this.domain = storage.domain;
    this.root = storage.root;
    this.blockBytes = storage.blockBytes;
    this.fileBytesMax = storage.fileBytesMax;
    this.#storage = storage;
    this.#within = within;
  }

  attributes(f: FileId): Task<StoredAttributes> {
    return this.#within(this.#storage.attributes(f));
  }

  setAttributes(f: FileId, change: AttributeChange): Task<void> {
    return this.#within(this.#storage.setAttributes(f, change));
  }

  read(f: FileId, at: number, count: number): Task<Uint8Array> {
    return this.#within(this.#storage.read(f, at, count));
  }

  write(f: FileId, at: number, bytes: Uint8Array, when: WriteWhen): Task<void> {
    return this.#within(this.#storage.write(f, at, bytes, when));
  }

  truncate(f: FileId, sizeBytes: number): Task<void> {
    return this.#within(this.#storage.truncate(f, sizeBytes));
  }

  lookup(directory: FileId, name: string): Task<FileId | undefined> {
    return this.#within(this.#storage.lookup(directory, name));
  }

  entries(directory: FileId): Task<readonly DirectoryEntry[]> {
    return this.#within(this.#storage.entries(directory));
  }

  create(directory: FileId, name: string, file: NewFile): Task<FileId> {
    return this.#within(this.#storage.create(directory, name, file));
  }

  link(directory: FileId, name: string, f: FileId): Task<void> {
    return this.#within(this.#storage.link(directory, name, f));
  }

  unlink(
    directory: FileId,
    name: string,
    what: { readonly directory: boolean },
  ): ReturnType<Storage['unlink']> {
    return this.#within(this.#storage.unlink(directory, name, what));
  }

  rename(from: FileId, oldName: string, to: FileId, newName: string): ReturnType<Storage['rename']> {
    return this.#within(this.#storage.rename(from, oldName, to, newName));
  }

  reclaim(f: FileId): Task<void> {
    return this.#within(this.#storage.reclaim(f));
  }

  sync(f?: FileId): Task<void> {
    return this.#within(this.#storage.sync(f));
  }

  usage(): StorageUsage {
    return this.#storage.usage();
  }

  recover(): Task<void> {
    return this.#storage.recover();
  }
}
