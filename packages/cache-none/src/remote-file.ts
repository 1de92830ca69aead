/**
 * The client's half of one open file: every operation is a call to the server, with the file's identifier. A server that
 * went away is waited for, and the call made again, except for a close.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import { attributesOf, joined } from '@backplane/file-service';
import {
  type AttributeChange,
  type Attributes,
  Busy,
  type Credentials,
  type FileId,
  isKernelError,
  KernelError,
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
import type { Client } from './client.ts';
import {
  closeFile,
  fileAttributes,
  lockFile,
  readFile,
  setFileAttributes,
  syncFile,
  truncateFile,
  type Written,
  writeFile,
} from './procedures.ts';

const always: Ready = { read: true, write: true, exception: false };

export class RemoteFile implements OpenObject {
  static {
    tasks(RemoteFile);
  }

  readonly ref: ObjectRef;
  readonly how: OpenHow;
  readonly traits: Traits;
  readonly file: FileId;
  readonly isDirectory: boolean;
  readonly #client: Client;
  #closed = false;

  constructor(client: Client, ref: ObjectRef, file: FileId, isDirectory: boolean, how: OpenHow) {
    this.#client = client;
    this.ref = ref;
    this.file = file;
    this.isDirectory = isDirectory;
    this.how = how;
    this.traits = { blockBytes: 4096, seekable: true, sharedOffset: true, afterCrash: 'reopen' };
  }

  *read(
    p: Position,
    count: number,
  ): Task<{ readonly bytes: Uint8Array; readonly next: number; readonly turn?: Turn }> {
    if (this.isDirectory) throw new KernelError('isDirectory');
    const parts: Uint8Array[] = [];
    let got = 0;
    let turn: Turn | null = null;
    while (got < count) {
      const wanted = Math.min(count - got, this.#client.unitBytes);
      const request = { file: this.file, at: beyond(p, got), count: wanted };
      const reply = yield* orEnough(this.#call(readFile, request), got);
      if (reply === null) break;
      const { record, data } = reply;
      turn = record ?? turn;
      parts.push(data);
      got += data.length;
      if (data.length < wanted) break;
    }
    charge(Math.round(this.#client.machine.type.costs.copyNsPerByte * got), Busy.files);
    const bytes = joined(parts, got);
    if (turn !== null) return { bytes, next: turn.next, turn };
    return { bytes, next: (typeof p === 'number' ? p : 0) + got };
  }

  *write(
    p: Position,
    bytes: Uint8Array,
  ): Task<{ readonly count: number; readonly next: number; readonly turn?: Turn }> {
    charge(Math.round(this.#client.machine.type.costs.copyNsPerByte * bytes.length), Busy.files);
    let written: Written = { next: typeof p === 'number' ? p : 0, turn: null };
    for (let from = 0; from < bytes.length; from += this.#client.unitBytes) {
      const data = bytes.subarray(from, from + this.#client.unitBytes);
      const request = { record: { file: this.file, at: beyond(p, from) }, data };
      const reply = yield* orEnough(this.#call(writeFile, request), from);
      if (reply === null) return { count: from, ...withTurn(written) };
      written = reply;
    }
    return { count: bytes.length, ...withTurn(written) };
  }

  *attributes(): Task<Attributes> {
    return attributesOf(
      this.#client.serverOf(this.ref),
      this.file,
      yield* this.#call(fileAttributes, this.file),
    );
  }

  *setAttributes(change: AttributeChange, who: Credentials): Task<void> {
    yield* this.#call(setFileAttributes, { file: this.file, change, who });
  }

  *truncate(sizeBytes: number): Task<void> {
    yield* this.#call(truncateFile, { file: this.file, sizeBytes });
  }

  *lock(mode: LockMode, owner: StreamId, waiter: Waiter): Task<void> {
    yield* this.#call(lockFile, { file: this.file, mode, owner, waiter });
  }

  *poll(): Task<Ready> {
    return always;
  }

  *sync(): Task<void> {
    yield* this.#call(syncFile, this.file);
  }

  /** One may leave a dead server's files: silence is no error here. */
  *close(): Task<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.forget(this);
    yield* this.#client.inTurn(this, this.#tellClosed());
  }

  *#tellClosed(): Task<void> {
    try {
      yield* this.#client.transport.call(this.#client.serverOf(this.ref), closeFile, this.file);
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }

  *depart(): Task<void> {
    this.#closed = true;
    this.#client.forget(this);
    // A reopening under way may have told the server of this use: by the time that we are gone it has ended.
    yield* this.#client.inTurn(this, nothing());
  }

  movable(): Plain {
    return { directory: this.isDirectory };
  }

  /** A call that is made again after the server came back and this file was reopened there. */
  *#call<Q, R>(procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
    for (;;) {
      try {
        return yield* this.#client.transport.call(this.#client.serverOf(this.ref), procedure, request);
      } catch (e) {
        if (!isKernelError(e, 'peerDown') && !isKernelError(e, 'stale')) throw e;
        yield* this.#client.awaitReopened(this, e);
      }
    }
  }
}

function* nothing(): Task<void> {}

/** Null when the server does not know any more that this host shares the offset, and some of it is done already. */
function* orEnough<R>(call: Task<R>, done: number): Task<R | null> {
  try {
    return yield* call;
  } catch (e) {
    if (done === 0 || !isKernelError(e, 'recovering')) throw e;
    return null;
  }
}

const withTurn = ({ next, turn }: Written): { readonly next: number; readonly turn?: Turn } =>
  turn === null ? { next } : { next, turn };

/** So many bytes further; what goes to the end, or to a shared offset, finds it there. */
const beyond = (p: Position, bytes: number): Position => (typeof p === 'number' ? p + bytes : p);
