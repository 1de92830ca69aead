/** How often each client has each file open: what a server drops when a client dies. */
import { fileKey } from '@backplane/file-service';
import type { FileId, HostId } from '@backplane/slots';

export class ClientUses {
  /** Uses that are moving away, by client and file. */
  readonly #moving = new Map<string, number>();
  readonly #uses = new Map<HostId, Map<string, { readonly file: FileId; count: number }>>();

  add(client: HostId, file: FileId): void {
    const files = this.#uses.get(client) ?? new Map<string, { readonly file: FileId; count: number }>();
    this.#uses.set(client, files);
    const use = files.get(fileKey(file));
    if (use === undefined) files.set(fileKey(file), { file, count: 1 });
    else use.count++;
  }

  count(client: HostId, file: FileId): number {
    return this.#uses.get(client)?.get(fileKey(file))?.count ?? 0;
  }

  /** One use fewer; false if this client has none. */
  remove(client: HostId, file: FileId): boolean {
    const files = this.#uses.get(client);
    const use = files?.get(fileKey(file));
    if (files === undefined || use === undefined) return false;
    if (--use.count === 0) files.delete(fileKey(file));
    return true;
  }

  /** A use is about to leave: until `moved`, how many the client has is not to be told. */
  moving(client: HostId, file: FileId): void {
    const key = movingKey(client, file);
    this.#moving.set(key, (this.#moving.get(key) ?? 0) + 1);
  }

  moved(client: HostId, file: FileId): void {
    const key = movingKey(client, file);
    const count = (this.#moving.get(key) ?? 0) - 1;
    if (count > 0) this.#moving.set(key, count);
    else this.#moving.delete(key);
  }

  isMoving(client: HostId, file: FileId): boolean {
    return this.#moving.has(movingKey(client, file));
  }

  /** Everything of a dead client, one entry for each use. */
  takeAll(client: HostId): readonly FileId[] {
    const files = this.#uses.get(client);
    this.#uses.delete(client);
    return files === undefined
      ? []
      : [...files.values()].flatMap(({ file, count }) => Array.from({ length: count }, () => file));
  }
}

const movingKey = (client: HostId, file: FileId): string => `${client}/${fileKey(file)}`;
