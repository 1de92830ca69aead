/**
 * Who has what open at a server: one count for each file, gone at zero. A file that loses its last link while it is
 * open is reclaimed by its last close. A server that crashes loses the counts; what is an orphan then, `recover` frees.
 */
import type { Task } from '@backplane/engine';
import type { FileId, Storage } from '@backplane/slots';
import { fileKey } from './file-id.ts';

export class OpenFiles {
  readonly #storage: Storage;
  readonly #opens = new Map<string, { count: number; unlinked: boolean }>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  isOpen(f: FileId): boolean {
    return this.#opens.has(fileKey(f));
  }

  open(f: FileId): void {
    const key = fileKey(f);
    const entry = this.#opens.get(key);
    if (entry === undefined) this.#opens.set(key, { count: 1, unlinked: false });
    else entry.count++;
  }

  /** One use fewer. Returns true if that freed the file. */
  *close(f: FileId): Task<boolean> {
    const key = fileKey(f);
    const entry = this.#opens.get(key);
    if (entry === undefined) return false;
    if (--entry.count > 0) return false;
    this.#opens.delete(key);
    if (!entry.unlinked) return false;
    yield* this.#storage.reclaim(f);
    return true;
  }

  /** The file has lost its last name. Returns true if that freed it. */
  *unlinked(f: FileId): Task<boolean> {
    const entry = this.#opens.get(fileKey(f));
    if (entry !== undefined) {
      entry.unlinked = true;
      return false;
    }
    yield* this.#storage.reclaim(f);
    return true;
  }
}
