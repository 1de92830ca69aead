/**
 * What a client knows about one file: its attributes as they were last heard, until when they are trusted, its cached
 * blocks, and what is on its way to the server. Kept while it is open, and for a while afterwards.
 *
 *   event                                   action
 *   attributes heard, another modify time   clean blocks are dropped: somebody else wrote
 *   attributes of an own write              believed: version 2 does not say whether somebody else wrote in between
 *   attributes older than those known       ignored: replies overtake one another
 *   the trust has run out                   the next use asks the server
 */
import { Mutex, type Task, tasks } from '@backplane/engine';
import { fileKey } from '@backplane/file-service';
import type { Backing, CachedObject, Credentials, FileId, HostId, StoredAttributes } from '@backplane/slots';
import { type ClientParts, persist } from './client-parts.ts';
import { getAttributes, read } from './procedures.ts';
import { trustNs } from './trust.ts';
import { WriteBehind } from './write-behind.ts';

/** An open file that was unlinked here lives on under this name until its last close. */
export interface SillyName {
  readonly directory: FileId;
  readonly name: string;
  readonly who: Credentials;
}

const nobody: Credentials = { uid: 0xfffe, gid: 0xfffe, groups: [] };

/** For maps: equal for the same file of the same server only. */
export const keyOf = (server: HostId, f: FileId): string => `nfs:${server}:${fileKey(f)}`;

export class NfsFile implements Backing {
  static {
    tasks(NfsFile);
  }

  readonly parts: ClientParts;
  readonly server: HostId;
  readonly id: FileId;
  readonly key: string;
  attributes: StoredAttributes;
  opens = 0;
  silly: SillyName | null = null;
  /** On whose behalf blocks are fetched and stored: whoever opened it last for that. */
  reader: Credentials = nobody;
  writer: Credentials = nobody;
  /** Names found in this directory, while its attributes are trusted. */
  readonly names: Map<string, FileId> = new Map();
  /** One thread at a time writes or cuts. */
  readonly writing: Mutex = new Mutex();
  readonly writes: WriteBehind;
  #trustedUntilNs: number;
  #blocks: CachedObject | null = null;
  /** The end of what was written here and is not yet answered for. */
  #ownEnd = 0;
  /** The other blocks of the transfers that brought the blocks asked for. */
  readonly #ahead = new Map<number, Uint8Array>();
  /** Rises when what is on its way from the server may be old. */
  #changes = 0;

  constructor(parts: ClientParts, server: HostId, id: FileId, attributes: StoredAttributes) {
    this.parts = parts;
    this.server = server;
    this.id = id;
    this.key = keyOf(server, id);
    this.attributes = attributes;
    this.writes = new WriteBehind(this);
    this.#trustedUntilNs = this.#until(attributes);
  }

  get isLocal(): boolean {
    return this.server === this.parts.machine.host;
  }

  get isTrusted(): boolean {
    return this.parts.machine.engine.nowNs < this.#trustedUntilNs;
  }

  /** Has it anything that the server has not? */
  get isDirty(): boolean {
    return (this.#blocks?.dirtyBlocks ?? 0) > 0 || !this.writes.isEmpty;
  }

  get blocks(): CachedObject {
    this.#blocks ??= this.parts.blockCache.object(this.key, this, { writeDelayNs: this.parts.delayNs });
    return this.#blocks;
  }

  get sizeBytes(): number {
    return this.isDirty ? Math.max(this.attributes.sizeBytes, this.#ownEnd) : this.attributes.sizeBytes;
  }

  // ---- attributes

  /** The server said so, in whatever reply. */
  heard(a: StoredAttributes): void {
    if (a.changeNs < this.attributes.changeNs) return;
    if (a.modifyNs !== this.attributes.modifyNs) {
      if ((this.#blocks?.cachedBlocks ?? 0) > 0) this.parts.counters.changesSeen++;
      this.#blocks?.drop('clean');
      this.#forgetAhead();
      this.names.clear();
    }
    this.#believe(a);
  }

  /** The answer to a write, or to another change, of ours. */
  written(a: StoredAttributes): void {
    if (a.changeNs >= this.attributes.changeNs) this.#believe(a);
  }

  /** The next use asks the server: we have changed something behind these attributes. */
  expire(): void {
    this.#trustedUntilNs = 0;
    this.names.clear();
  }

  /** Asks the server if the attributes are not trusted any more. */
  *validate(): Task<void> {
    if (this.isTrusted) this.parts.counters.attributeHits++;
    else yield* this.poll();
  }

  *poll(): Task<void> {
    this.parts.counters.getattrs++;
    this.heard(yield* persist(this.parts, this.server, getAttributes, this.id));
  }

  // ---- blocks

  /** A transfer at once: the block that is wanted, and its neighbours for whoever asks next. */
  *fetch(block: number): Task<Uint8Array> {
    yield* this.writes.settled(block);
    const ahead = this.#ahead.get(block);
    if (ahead !== undefined) {
      this.#ahead.delete(block);
      return ahead;
    }
    const { blockBytes } = this.parts.blockCache;
    const unit = this.parts.transferBytes / blockBytes;
    const first = block - (block % unit);
    const changes = this.#changes;
    const bytes = yield* this.readAt(first * blockBytes, this.parts.transferBytes);
    const from = (block - first) * blockBytes;
    if (changes === this.#changes)
      for (let i = 0; i < unit && i * blockBytes < bytes.length; i++)
        if (first + i !== block)
          this.#ahead.set(first + i, bytes.subarray(i * blockBytes, (i + 1) * blockBytes));
    return bytes.subarray(from, from + blockBytes);
  }

  *writeBack(block: number, bytes: Uint8Array, o: { readonly lastDirty: boolean }): Task<void> {
    yield* this.writes.take(block, bytes, o.lastDirty);
  }

  /** Bytes as the server has them, fewer at the end. */
  *readAt(at: number, count: number): Task<Uint8Array> {
    const { counters, transport } = this.parts;
    const stepBytes = Math.min(this.parts.transferBytes, transport.maxDataBytes);
    const bytes = new Uint8Array(count);
    let got = 0;
    while (got < count) {
      const wanted = Math.min(stepBytes, count - got);
      counters.reads++;
      const { record, data } = yield* persist(this.parts, this.server, read, {
        file: this.id,
        at: at + got,
        count: wanted,
        who: this.reader,
      });
      this.heard(record);
      counters.bytesRead += data.length;
      if (data.length === count) return data;
      bytes.set(data, got);
      got += data.length;
      if (data.length < wanted) break;
    }
    return bytes.subarray(0, got);
  }

  /** A block is about to be written here, up to this end. */
  changing(end: number): void {
    this.#forgetAhead();
    this.#ownEnd = this.isDirty ? Math.max(this.#ownEnd, end) : end;
  }

  /** Everything written here is at the server when it returns. @throws the first error of a write */
  *flush(): Task<void> {
    if (this.isDirty) {
      yield* this.blocks.flush();
      yield* this.writes.drain();
    }
    const error = this.writes.takeError();
    if (error !== null) throw error;
  }

  /** Cut or extended, here or elsewhere: no block from this one on is right. */
  discard(fromBlock: number): void {
    this.#blocks?.drop('all', fromBlock);
    this.#forgetAhead();
  }

  /** The file leaves the client's memory. */
  release(): void {
    this.discard(0);
    this.#blocks?.release();
    this.#blocks = null;
  }

  #forgetAhead(): void {
    this.#changes++;
    this.#ahead.clear();
  }

  #believe(a: StoredAttributes): void {
    this.attributes = a;
    this.#trustedUntilNs = this.#until(a);
  }

  /** This host's own files are never trusted: asking costs no message. */
  #until(a: StoredAttributes): number {
    const { nowNs } = this.parts.machine.engine;
    return this.isLocal ? 0 : nowNs + trustNs(this.parts.trust, a, nowNs);
  }
}
