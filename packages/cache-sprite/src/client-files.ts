/**
 * The remote files that this host knows: those that are open, those with dirty blocks, and those with clean blocks, whose
 * versions say at the next open whether they are still good. The others are kept in order of last use up to a number,
 * and then forgotten.
 */
import type { FileId, HostId, StoredAttributes, WriteDelay } from '@backplane/slots';
import type { KeptState } from './aside-copies.ts';
import { ClientFile, clientKey } from './client-file.ts';
import type { ClientParts } from './client-parts.ts';

/** Files known before the first look for those that can be forgotten; Sprite began with as many handles. */
const filesBefore = 400;

/** Of a file of an earlier life, until its server has told. */
const unknown: StoredAttributes = {
  type: 'file',
  sizeBytes: 0,
  links: 1,
  mode: 0,
  uid: 0,
  gid: 0,
  version: 0,
  modifyNs: 0,
  changeNs: 0,
  accessNs: 0,
  createNs: 0,
};

export class ClientFiles {
  readonly #files = new Map<string, ClientFile>();
  #scavengeAt = filesBefore;
  #made = 0;

  find(server: HostId, f: FileId): ClientFile | undefined {
    return this.#files.get(clientKey(server, f));
  }

  /** By the identity in attributes: the server and its identifier of the file. */
  findByIdentity(identity: string): ClientFile | undefined {
    return this.#files.get(identity);
  }

  /** The file of an open that was granted. */
  of(
    parts: ClientParts,
    server: HostId,
    id: FileId,
    attributes: StoredAttributes,
    writeDelay: WriteDelay,
  ): ClientFile {
    let file = this.find(server, id);
    if (file === undefined || file.lost) {
      // Before it enters: until its open is noted, nothing would tell it from a file that can be forgotten.
      if (this.#files.size >= this.#scavengeAt) this.#scavenge();
      file = new ClientFile(parts, server, id, attributes, writeDelay, ++this.#made);
      this.#files.set(file.key, file);
    }
    return file;
  }

  /** A file that this machine had dirty in an earlier life; undefined when another label was of the same one. */
  survivor(
    parts: ClientParts,
    { server, id }: KeptState,
    label: string,
    writeDelay: WriteDelay,
  ): ClientFile | undefined {
    if (this.find(server, id) !== undefined) return undefined;
    const file = new ClientFile(parts, server, id, unknown, writeDelay, ++this.#made, label);
    this.#files.set(file.key, file);
    return file;
  }

  /** One open is less: the file is the last used one. */
  closed(f: ClientFile): void {
    if (this.#files.get(f.key) !== f) return;
    this.#files.delete(f.key);
    if (!f.lost) this.#files.set(f.key, f);
  }

  /** The server refuses it: whoever opens the file anew starts afresh. */
  lost(f: ClientFile): void {
    if (this.#files.get(f.key) === f) this.#files.delete(f.key);
  }

  all(): readonly ClientFile[] {
    return [...this.#files.values()];
  }

  /** What a server must be told after its reboot. */
  ofServer(server: HostId): readonly ClientFile[] {
    return this.all().filter((f) => f.server === server && (f.isOpen || f.dirtyBlocks > 0));
  }

  #scavenge(): void {
    for (const f of this.all()) {
      if (this.#files.size <= filesBefore) break;
      if (f.isOpen || f.cachedBlocks > 0) continue;
      f.release();
      this.#files.delete(f.key);
    }
    this.#scavengeAt = Math.max(filesBefore, 2 * this.#files.size);
  }
}
