/** The files that a client knows, those used last at the end. The oldest that nobody uses makes room. */
import type { FileId, HostId } from '@backplane/slots';
import type { ClientParts } from './client-parts.ts';
import { keyOf, NfsFile } from './nfs-file.ts';
import type { Seen } from './procedures.ts';

export class FileTable {
  readonly #parts: ClientParts;
  readonly #files = new Map<string, NfsFile>();

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  all(): readonly NfsFile[] {
    return [...this.#files.values()];
  }

  get(server: HostId, id: FileId): NfsFile | undefined {
    return this.#files.get(keyOf(server, id));
  }

  /** A server has shown a file. */
  seen(server: HostId, { file: id, attributes }: Seen): NfsFile {
    let file = this.get(server, id);
    if (file === undefined) file = new NfsFile(this.#parts, server, id, attributes);
    else {
      this.#files.delete(file.key);
      file.heard(attributes);
    }
    this.#files.set(file.key, file);
    this.#makeRoom(file);
    return file;
  }

  /** The server does not know it any more. */
  remove(file: NfsFile): void {
    if (file.opens > 0 || this.#files.get(file.key) !== file) return;
    this.#files.delete(file.key);
    file.release();
  }

  #makeRoom(added: NfsFile): void {
    if (this.#files.size <= this.#parts.filesMax) return;
    for (const f of this.#files.values()) {
      if (f === added || f.opens > 0 || f.isDirty) continue;
      this.remove(f);
      return;
    }
  }
}
