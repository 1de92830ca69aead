/**
 * One open of a remote file: what a stream holds. Every operation looks under the file's lock whether it is cached at this
 * moment, and is tried again when the server is back after a crash, or has been told again what this host has.
 *
 *   error           what is done
 *   peerDown        wait for the server; try again
 *   stale           the same: the server has forgotten us. If it then refuses to reopen the file, the error stays
 *   recovering      the same
 *   noAnswer        a block's place is held by dirty blocks of a server in doubt: wait until one is back
 *   any other       the program's
 *
 * A close is never tried again and waits for no server: one may leave a dead server's files. When the program is killed
 * that waits in one, the close goes on without it.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import { attributesOf } from '@backplane/file-service';
import {
  type AttributeChange,
  type Attributes,
  Busy,
  type Credentials,
  isKernelError,
  KernelError,
  type KernelErrorKind,
  type LockMode,
  type ObjectRef,
  type OpenHow,
  type OpenObject,
  type Plain,
  type Position,
  type Procedure,
  type Ready,
  type StreamId,
  type Traits,
  type Turn,
  type Waiter,
} from '@backplane/slots';
import type { ClientFile } from './client-file.ts';
import { readCached, readRemote } from './file-read.ts';
import { ifPossible, type Progress, truncate, writeCached, writeRemote } from './file-write.ts';
import { fileAttributes, type LockRequest, lockFile, setFileAttributes, syncFile } from './io-procedures.ts';
import { closeFile } from './open-procedures.ts';
import { minus, usesOf, writes } from './uses.ts';

const always: Ready = { read: true, write: true, exception: false };

export class OpenFile implements OpenObject {
  static {
    tasks(OpenFile);
  }

  readonly ref: ObjectRef;
  readonly how: OpenHow;
  readonly traits: Traits;
  readonly file: ClientFile;
  /** Tells the table that one open is less. */
  readonly #closedOf: (f: ClientFile) => void;
  #state: 'open' | 'closing' | 'closed' = 'open';
  /** The stream that has asked for the lock through this open. */
  #lockOwner = '';

  constructor(file: ClientFile, ref: ObjectRef, how: OpenHow, closedOf: (f: ClientFile) => void) {
    this.file = file;
    this.ref = ref;
    this.how = how;
    this.#closedOf = closedOf;
    this.traits = {
      blockBytes: file.parts.blockCache.blockBytes,
      seekable: true,
      sharedOffset: true,
      afterCrash: 'reopen',
    };
  }

  // ---- reading and writing ----

  *read(
    p: Position,
    count: number,
  ): Task<{ readonly bytes: Uint8Array; readonly next: number; readonly turn?: Turn }> {
    const f = this.file;
    if (f.attributes.type === 'directory') throw new KernelError('isDirectory');
    if (typeof p === 'object') return yield* this.#readShared(f, p, count);
    const at = p === 'end' ? null : p;
    for (;;) {
      try {
        const bytes = yield* this.#readOnce(f, at, count);
        return { bytes, next: (at ?? f.sizeBytes) + bytes.length };
      } catch (e) {
        yield* this.#sitOut(e);
      }
    }
  }

  *#readOnce(f: ClientFile, at: number | null, count: number): Task<Uint8Array> {
    if (!f.access.tryShare()) yield* f.access.share();
    try {
      f.demandUsable();
      return f.cacheable
        ? yield* readCached(f, at ?? f.sizeBytes, count)
        : (yield* readRemote(f, at ?? 'end', count)).bytes;
    } finally {
      f.access.giveBack();
    }
  }

  /**
   * At an offset that the server holds. Without the file's access: who has that may wait for us to answer the server, which
   * keeps the offset while it moves a stream.
   */
  *#readShared(
    f: ClientFile,
    p: Position,
    count: number,
  ): Task<{ readonly bytes: Uint8Array; readonly next: number; readonly turn?: Turn }> {
    for (;;) {
      try {
        f.demandUsable();
        // The other hosts may have closed it, and this one have written it since.
        yield* f.flush();
        const { bytes, turn } = yield* readRemote(f, p, count);
        return turn === null ? { bytes, next: 0 } : { bytes, next: turn.next, turn };
      } catch (e) {
        yield* this.#sitOutShared(e);
      }
    }
  }

  *#writeShared(
    f: ClientFile,
    w: Progress,
  ): Task<{ readonly count: number; readonly next: number; readonly turn?: Turn }> {
    for (;;) {
      try {
        f.demandUsable();
        if (f.cacheable) yield* this.#cacheNoMore(f);
        yield* writeRemote(f, w);
        break;
      } catch (e) {
        // The server does not know any more that we share the offset: the rest is another write.
        if (w.done > 0 && isKernelError(e, 'recovering')) break;
        yield* this.#sitOutShared(e);
      }
    }
    const { done, next, turn } = w;
    return turn === null ? { count: done, next } : { count: done, next, turn };
  }

  /** Another host has come to write the file: the server's order to drop our copies is on its way. */
  *#cacheNoMore(f: ClientFile): Task<void> {
    yield* f.access.takeAlone();
    try {
      yield* f.flush();
      f.stopCaching();
    } finally {
      f.access.giveBack();
    }
  }

  *#sitOutShared(e: unknown): Task<void> {
    if (isKernelError(e, 'recovering')) throw e;
    yield* this.#sitOut(e);
  }

  *write(
    p: Position,
    bytes: Uint8Array,
  ): Task<{ readonly count: number; readonly next: number; readonly turn?: Turn }> {
    const f = this.file;
    const w: Progress = { bytes, at: p, done: 0, next: typeof p === 'number' ? p : 0, turn: null };
    if (typeof p === 'object') return yield* this.#writeShared(f, w);
    for (;;) {
      try {
        while (!(yield* this.#writeOnce(f, w)));
        if (f.parts.policy.writesThrough && !f.isTemporary) yield* f.flush();
        return { count: bytes.length, next: w.next };
      } catch (e) {
        yield* this.#sitOut(e);
      }
    }
  }

  /** False when what may be cached has changed before the lock was had. */
  *#writeOnce(f: ClientFile, w: Progress): Task<boolean> {
    const { cacheable } = f;
    yield* cacheable ? f.access.takeAlone() : f.access.share();
    try {
      f.demandUsable();
      if (f.cacheable !== cacheable) return false;
      yield* cacheable ? writeCached(f, w) : writeRemote(f, w);
      return true;
    } finally {
      f.access.giveBack();
    }
  }

  *truncate(sizeBytes: number): Task<void> {
    const f = this.file;
    for (;;) {
      try {
        yield* f.access.takeAlone();
        try {
          f.demandUsable();
          return yield* truncate(f, sizeBytes);
        } finally {
          f.access.giveBack();
        }
      } catch (e) {
        yield* this.#sitOut(e);
      }
    }
  }

  /**
   * Where every dirty block has a copy that survives this host's crash, those stay; the server is called only if there is
   * something of the file that it alone has and may not have on its disk.
   */
  *sync(): Task<void> {
    const { file } = this;
    const { aside } = file;
    for (;;) {
      try {
        file.demandUsable();
        if (yield* file.promiseAside()) {
          if (aside?.isSynced === true) return;
        } else yield* file.flush();
        break;
      } catch (e) {
        yield* this.#sitOut(e);
      }
    }
    const changes = aside?.changes ?? 0;
    yield* this.#call(syncFile, file.id);
    if (aside !== null) aside.synced = changes;
  }

  // ---- attributes and locks ----

  *attributes(): Task<Attributes> {
    const f = this.file;
    return f.overlaid(attributesOf(f.server, f.id, yield* this.#call(fileAttributes, f.id)));
  }

  *setAttributes(change: AttributeChange, who: Credentials): Task<void> {
    yield* this.#call(setFileAttributes, { file: this.file.id, change, who });
    this.file.changedAtServer();
  }

  *lock(mode: LockMode, owner: StreamId, waiter: Waiter): Task<void> {
    const f = this.file;
    this.#lockOwner = owner;
    f.lockWaiters.delete(this);
    for (;;) {
      try {
        f.demandUsable();
        return yield* this.#lockOnce(f, { file: f.id, mode, owner, waiter });
      } catch (e) {
        if (isKernelError(e, 'wouldBlock')) f.lockWaiters.set(this, waiter);
        yield* this.#sitOut(e);
      }
    }
  }

  *#lockOnce(f: ClientFile, q: LockRequest): Task<void> {
    const { calls, servers } = f.parts;
    yield* f.counts.acquire();
    let cancelled = true;
    try {
      yield* calls.call(f.server, lockFile, q);
      cancelled = false;
      if (q.mode === 'none') f.locks.delete(q.owner);
      else f.locks.set(q.owner, q.mode);
    } catch (e) {
      cancelled = false;
      throw e;
    } finally {
      f.counts.release();
      if (cancelled) servers.abandoned(f.server);
    }
  }

  *poll(): Task<Ready> {
    return always;
  }

  // ---- closing ----

  /** Returns when the server knows, or when it is silent: then it is told with the next reopening. */
  *close(): Task<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    const f = this.file;
    const { parts } = f;
    charge(parts.machine.type.costs.openClientNs, Busy.files);
    f.lockWaiters.delete(this);
    f.locks.delete(this.#lockOwner);
    try {
      if (parts.policy.flushesAtClose && !f.isTemporary && writes(this.how)) yield* ifPossible(f.flush());
      yield* this.#closeInTurn(f);
    } finally {
      // Cancelled before its turn.
      if (this.#state === 'closing') parts.machine.scope.spawn('close', this.#closeInTurn(f));
    }
  }

  /** With the write-backs held off, so that the server is told truly whether there are dirty blocks. */
  *#closeInTurn(f: ClientFile): Task<void> {
    yield* f.counts.acquire();
    try {
      yield* f.gate.takeAlone();
      try {
        yield* this.#leave(f);
      } finally {
        f.gate.giveBack();
      }
    } finally {
      f.counts.release();
    }
  }

  /** One open less, here and at the server. */
  *#leave(f: ClientFile): Task<void> {
    const { servers } = f.parts;
    this.#state = 'closed';
    f.closed(minus(f.uses, usesOf(this.how)));
    let told: boolean | undefined;
    try {
      told = f.lost || (yield* this.#tellClosed(f));
    } finally {
      f.settled();
      this.#closedOf(f);
      // Cancelled: the request may still be under way.
      if (told === undefined) servers.abandoned(f.server);
      else if (!told) servers.doubt(f.server);
    }
  }

  *#tellClosed(f: ClientFile): Task<boolean> {
    try {
      const removed = yield* f.parts.calls.call(f.server, closeFile, {
        file: f.id,
        uses: usesOf(this.how),
        dirty: f.dirtyBlocks > 0,
        report: f.report,
        lockOwner: this.#lockOwner,
      });
      if (removed) f.discard();
      return true;
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return false;
    }
  }

  // ---- moving ----

  /** After a reopening that may be telling the server of this use. */
  *depart(): Task<void> {
    const f = this.file;
    yield* f.counts.acquire();
    this.#state = 'closed';
    f.lockWaiters.delete(this);
    f.locks.delete(this.#lockOwner);
    f.closed(minus(f.uses, usesOf(this.how)));
    f.counts.release();
    f.settled();
    this.#closedOf(f);
  }

  movable(): Plain {
    return { temporary: this.file.isTemporary };
  }

  /** It has come with a lock. */
  holds(mode: LockMode, owner: StreamId): void {
    if (mode === 'none') return;
    this.#lockOwner = owner;
    this.file.locks.set(owner, mode);
  }

  // ---- a server that is away ----

  *#call<Q, R>(procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
    for (;;) {
      try {
        this.file.demandUsable();
        return yield* this.file.parts.calls.call(this.file.server, procedure, request);
      } catch (e) {
        yield* this.#sitOut(e);
      }
    }
  }

  /** Returns when the operation may be tried again. @throws the error if it may not */
  *#sitOut(e: unknown): Task<void> {
    const f = this.file;
    const { servers } = f.parts;
    if (!isKernelError(e) || !mayPass.has(e.kind)) throw e;
    f.demandUsable();
    if (e.kind !== 'noAnswer' || servers.isInDoubt(f.server)) yield* servers.await(f.server);
    else yield* servers.awaitFrames();
    f.demandUsable();
  }
}

/** Errors that have to do with the life of a server. */
const mayPass: ReadonlySet<KernelErrorKind> = new Set(['peerDown', 'stale', 'recovering', 'noAnswer']);
