/**
 * One file as its server sees it (Nelson, Welch, Ousterhout 1988; `src/kernel/fsconsist`): who has it open, who may keep
 * copies, who wrote last.
 *
 *   invariants   `lastWriter` is one of `clients`; only it can have dirty blocks
 *                a client with neither an open nor dirty blocks is not in `clients`
 *                a client that keeps copies has `caching` set (not the reverse: a client that was refused copies at its
 *                own open keeps the flag until it has confirmed that it has dropped them)
 *                `shared` is set from the moment that a writer and another host have the file open together until
 *                nobody has it open: meanwhile nobody keeps copies
 *
 * `inProgress` serialises opens, reopens and moves, and is held over callbacks. So whatever a client must do to answer a
 * callback, writing back and closing, never takes it; and the client list is read again after every callback.
 */
import { Mutex, type Task } from '@backplane/engine';
import { type Domain, fileKey } from '@backplane/file-service';
import type { FileId, HostId } from '@backplane/slots';
import type { History } from './history.ts';
import { minus, noUses, plus, type Uses } from './uses.ts';

export class ClientEntry {
  readonly host: HostId;
  uses: Uses = noUses;
  caching = false;
  /** Number of the stamp of its newest open. */
  stamp = 0;
  /** Of the last reopening in which it was mentioned; 0: none. */
  round = 0;

  constructor(host: HostId) {
    this.host = host;
  }
}

export class ServerFile {
  readonly id: FileId;
  readonly key: string;
  readonly domain: Domain;
  readonly history: History;
  readonly inProgress: Mutex = new Mutex();
  readonly clients: Map<HostId, ClientEntry> = new Map();
  lastWriter: HostId | null = null;
  shared = false;
  /** Number of the stamp of the last open that emptied it; 0: none. */
  emptiedAt = 0;
  /** The size it has once the blocks of a last writer that has closed it are here; 0: no more than the stored one. */
  pendingSizeBytes = 0;
  /** Its modify time was set by hand: then, and to what. */
  timeSet: { readonly atNs: number; readonly modifyNs: number } | null = null;
  removed = false;
  /** Clients of which a use is leaving: until it has left, how many they have is not to be told. */
  readonly departing: Map<HostId, number> = new Map();
  /** Who closes it at this moment: if that frees it, the reply says so. */
  closer: HostId | null = null;
  /** Appends of programs, one after the other: each finds the end where the one before has put it. */
  readonly appending: Mutex = new Mutex();
  /** Handlers at work on it. */
  visits = 0;

  constructor(domain: Domain, id: FileId, history: History) {
    this.domain = domain;
    this.id = id;
    this.key = fileKey(id);
    this.history = history;
  }

  /** All hosts together. */
  get uses(): Uses {
    let total = noUses;
    for (const c of this.clients.values()) total = plus(total, c.uses);
    return total;
  }

  /** The client's entry, made if need be. */
  client(host: HostId): ClientEntry {
    let entry = this.clients.get(host);
    if (entry === undefined) {
      entry = new ClientEntry(host);
      this.clients.set(host, entry);
    }
    return entry;
  }

  /** Would this client, after it has opened the file, share it with a writer, or as a writer with somebody else? */
  isSharedWith(client: HostId, writing: boolean): boolean {
    if (this.shared) return true;
    const writes = writing || (this.clients.get(client)?.uses.writers ?? 0) > 0;
    for (const { host, uses } of this.clients.values())
      if (host !== client && uses.opens > 0 && (writes || uses.writers > 0)) return true;
    return false;
  }

  isOpenElsewhere(client: HostId): boolean {
    for (const { host, uses } of this.clients.values()) if (host !== client && uses.opens > 0) return true;
    return false;
  }

  /** Some opens fewer. The entry stays while there are others, or dirty blocks. */
  close(entry: ClientEntry, uses: Uses, dirty: boolean): void {
    entry.uses = minus(entry.uses, uses);
    if (entry.uses.opens > 0) return;
    if (dirty && this.lastWriter === entry.host) entry.caching = true;
    else this.forget(entry.host);
    if (this.uses.opens === 0) this.shared = false;
  }

  departs(host: HostId, by: 1 | -1): void {
    const count = (this.departing.get(host) ?? 0) + by;
    if (count > 0) this.departing.set(host, count);
    else this.departing.delete(host);
  }

  /** The client has neither opens nor dirty blocks. */
  forget(host: HostId): void {
    this.clients.delete(host);
    if (this.lastWriter !== host) return;
    this.lastWriter = null;
    this.pendingSizeBytes = 0;
  }

  /** Whatever the client had is gone: it died, did not answer, or does not claim it any more. */
  *drop(host: HostId): Task<void> {
    const entry = this.clients.get(host);
    if (entry === undefined) return;
    this.forget(host);
    if (this.uses.opens === 0) this.shared = false;
    for (let i = 0; i < entry.uses.opens; i++) yield* this.domain.closed(this.id);
  }
}
