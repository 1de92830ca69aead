/**
 * A server's part of reading, writing and attributes. Only a client on the file's list may do either: another one was open
 * in an earlier life, or was called dead, and must reopen first (`stale`).
 *
 *   a block that is written back      action
 *   its client is on the list         store it with the time at which the program wrote
 *   from before the file was emptied  nothing: it comes too late
 *   the file is gone                  say so: nobody wants its blocks
 *   its client is not on the list     `stale`
 *   to be on the disk                 write the file to it before the answer
 *   last dirty one of a closed file   its client is the last writer no more
 *
 * Nothing here takes the file's `inProgress`.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import {
  type Locks,
  permittedChange,
  readAtPosition,
  type ServedDomains,
  writeAtPosition,
} from '@backplane/file-service';
import {
  Busy,
  type Caller,
  type FileId,
  type HostId,
  isKernelError,
  KernelError,
  type Machine,
  type StoredAttributes,
  type Streams,
  type Turn,
  type WriteWhen,
} from '@backplane/slots';
import type { FileTable } from './file-table.ts';
import type {
  LockRequest,
  ReadRequest,
  SetRequest,
  TruncateRequest,
  WriteBack,
  WriteReply,
  WriteRequest,
} from './io-procedures.ts';
import type { ClientEntry, ServerFile } from './server-file.ts';
import { ownerOf } from './server-opens.ts';
import { keepModifyTime, timeWasSet } from './server-times.ts';

/** What a server does with what is written to it, by programs and from the caches of clients. */
export type ServerWrite = 'delayed' | 'soon' | 'through' | 'last-dirty-block' | 'write-backs';

export interface IoParts {
  readonly machine: Machine;
  readonly streams: Streams;
  readonly domains: ServedDomains;
  readonly table: FileTable;
  readonly locks: Locks;
  readonly serverWrite: ServerWrite;
}

export class ServerIo {
  static {
    tasks(ServerIo);
  }

  readonly #parts: IoParts;
  /** For what programs write. */
  readonly #when: WriteWhen;
  /** For what comes from the cache of a client, which lets go of it when it has the reply. */
  readonly #whenBack: WriteWhen;

  constructor(parts: IoParts) {
    this.#parts = parts;
    const { serverWrite } = parts;
    this.#when = serverWrite === 'soon' || serverWrite === 'through' ? serverWrite : 'delayed';
    this.#whenBack = serverWrite === 'write-backs' ? 'through' : this.#when;
  }

  *read(q: ReadRequest, from: Caller): Task<{ readonly record: Turn | null; readonly data: Uint8Array }> {
    const { storage } = this.#opened(q.file, from.host).domain;
    const { streams } = this.#parts;
    return yield* readAtPosition({ storage, file: q.file, streams, by: from.host }, q.at, q.count);
  }

  *write(q: WriteRequest, data: Uint8Array, from: Caller): Task<WriteReply> {
    if (q.writeBack !== null) return yield* this.#writeBack(q, q.writeBack, data, from.host);
    const f = this.#opened(q.file, from.host);
    if ((f.clients.get(from.host)?.uses.writers ?? 0) === 0) throw new KernelError('stale', f.key);
    const { storage } = f.domain;
    const { streams } = this.#parts;
    const appends = q.at === 'end';
    if (appends) yield* f.appending.acquire();
    try {
      const asked = { storage, file: f.id, streams, by: from.host };
      return { ...(yield* writeAtPosition(asked, q.at, data, this.#when)), removed: false };
    } finally {
      if (appends) f.appending.release();
    }
  }

  *#writeBack(q: WriteRequest, w: WriteBack, data: Uint8Array, from: HostId): Task<WriteReply> {
    const at = typeof q.at === 'number' ? q.at : 0;
    const reply = { next: at + data.length, removed: false, turn: null };
    const f = this.#parts.table.find(q.file);
    if (f?.clients.has(from) !== true) {
      if (yield* this.#isGone(q.file)) return { ...reply, removed: true };
      throw new KernelError('stale', 'written back by a client that is not on the list');
    }
    const { storage } = f.domain;
    if (w.stamp.life === this.#parts.machine.bootId && w.stamp.number < f.emptiedAt) return reply;
    yield* storage.write(f.id, at, data, this.#whenBack);
    yield* keepModifyTime(f, w.modifyNs);
    if (w.toDisk || (w.lastDirty && this.#parts.serverWrite === 'last-dirty-block'))
      yield* storage.sync(f.id);
    if (!w.lastDirty) return reply;
    if (f.clients.get(from)?.uses.opens === 0) f.forget(from);
    this.#parts.table.forgetIfIdle(f);
    return reply;
  }

  *attributes(file: FileId, from: Caller): Task<StoredAttributes> {
    const f = this.#opened(file, from.host);
    charge(this.#parts.machine.type.costs.attributesNs, Busy.files);
    return yield* f.domain.fresh(file, from.host);
  }

  *setAttributes(q: SetRequest, from: Caller): Task<null> {
    const f = this.#opened(q.file, from.host);
    const { machine } = this.#parts;
    charge(machine.type.costs.attributesNs, Busy.files);
    const { storage } = f.domain;
    const { nowNs } = machine.engine;
    const made = permittedChange(q.change, yield* storage.attributes(f.id), q.who, nowNs);
    yield* storage.setAttributes(f.id, made);
    timeWasSet(f, made, nowNs);
    return null;
  }

  *truncate(q: TruncateRequest, from: Caller): Task<null> {
    const f = this.#opened(q.file, from.host);
    yield* f.domain.storage.truncate(f.id, q.sizeBytes);
    return null;
  }

  *sync(file: FileId, from: Caller): Task<null> {
    yield* this.#entered(file, from.host).domain.storage.sync(file);
    return null;
  }

  *lock(q: LockRequest, from: Caller): Task<null> {
    const f = this.#opened(q.file, from.host);
    this.#parts.locks.lock(f.key, ownerOf(from.host, q.owner), q.mode, q.waiter);
    return null;
  }

  /** @throws KernelError `stale` unless the client has it open */
  #opened(file: FileId, host: HostId): ServerFile {
    const f = this.#entered(file, host);
    if ((f.clients.get(host) as ClientEntry).uses.opens === 0) throw new KernelError('stale', f.key);
    return f;
  }

  /** @throws KernelError `stale` unless the client has it open or dirty */
  #entered(file: FileId, host: HostId): ServerFile {
    const f = this.#parts.table.find(file);
    if (f?.clients.has(host) !== true) throw new KernelError('stale', 'not on the client list');
    return f;
  }

  *#isGone(file: FileId): Task<boolean> {
    try {
      yield* this.#parts.domains.of(file).storage.attributes(file);
      return false;
    } catch (e) {
      if (!isKernelError(e, 'stale')) throw e;
      return true;
    }
  }
}
