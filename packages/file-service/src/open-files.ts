/**
 * Who has what open at a server: one count for each file, gone at zero. A file that loses its last link while it is
 * open is freed after its last close. A server that crashes loses the counts; what is an orphan then, `recover` frees.
 */
import type { FileId } from '@backplane/slots';
import { fileKey } from './file-id.ts';

export class OpenFiles {
  readonly #opens = new Map<string, { count: number; unlinked: boolean }>();

  isOpen(f: FileId): boolean {
    return this.#opens.has(fileKey(f));
  }

  open(f: FileId): void {
    const key = fileKey(f);
    const entry = this.#opens.get(key);
    if (entry === undefined) this.#opens.set(key, { count: 1, unlinked: false });
    else entry.count++;
  }

  /** One use fewer. Returns true if nobody needs the file any more: it is to be freed. */
  close(f: FileId): boolean {
    const key = fileKey(f);
    const entry = this.#opens.get(key);
    if (entry === undefined) return false;
    if (--entry.count > 0) return false;
    this.#opens.delete(key);
    return entry.unlinked;
  }

  /** The file has lost its last name. Returns true if nobody has it open: it is to be freed. */
  unlinked(f: FileId): boolean {
    const entry = this.#opens.get(fileKey(f));
    if (entry !== undefined) entry.unlinked = true;
    return entry === undefined;
  }
}
