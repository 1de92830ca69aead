/** The files that some client has open or dirty, and the histories of all that were since the reboot. */
import { type Domain, fileKey } from '@backplane/file-service';
import type { FileId, HostId } from '@backplane/slots';
import { History } from './history.ts';
import { ServerFile } from './server-file.ts';

export class FileTable {
  readonly #files = new Map<string, ServerFile>();
  readonly #histories = new Map<string, History>();

  find(f: FileId): ServerFile | undefined {
    return this.#files.get(fileKey(f));
  }

  /** Does the client have this file open or dirty? */
  has(key: string, client: HostId): boolean {
    return this.#files.get(key)?.clients.has(client) === true;
  }

  /** For a handler; `leave` it in the end. */
  visit(domain: Domain, f: FileId): ServerFile {
    const key = fileKey(f);
    let file = this.#files.get(key);
    if (file === undefined) {
      file = new ServerFile(domain, f, this.#history(key));
      this.#files.set(key, file);
    }
    file.visits++;
    return file;
  }

  leave(file: ServerFile): void {
    file.visits--;
    this.forgetIfIdle(file);
  }

  forgetIfIdle(file: ServerFile): void {
    if (file.visits === 0 && file.clients.size === 0 && this.#files.get(file.key) === file)
      this.#files.delete(file.key);
  }

  /** The file does not exist any more. */
  removed(f: FileId): ServerFile | undefined {
    const key = fileKey(f);
    const file = this.#files.get(key);
    this.#files.delete(key);
    this.#histories.delete(key);
    return file;
  }

  all(): readonly ServerFile[] {
    return [...this.#files.values()];
  }

  #history(key: string): History {
    let history = this.#histories.get(key);
    if (history === undefined) {
      history = new History();
      this.#histories.set(key, history);
    }
    return history;
  }
}
