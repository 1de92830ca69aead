/**
 * The client's half of one open file: every operation is a call to the server, with the file's identifier. A server that
 * went away is waited for, and the call made again, except for a close.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import { attributesOf } from '@backplane/file-service';
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
  type Position,
  type Procedure,
  type Ready,
  type StreamId,
  type Traits,
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
    this.traits = { blockBytes: 4096, seekable: true, sharedOffset: false, afterCrash: 'reopen' };
  }

  *read(p: Position, count: number): Task<{ readonly bytes: Uint8Array; readonly next: number }> {
    if (this.isDirectory) throw new KernelError('isDirectory');
    const at = offsetOf(p);
    const parts: Uint8Array[] = [];
    let got = 0;
    while (got < count) {
      const wanted = Math.min(count - got, this.#client.unitBytes);
      const { data } = yield* this.#call(readFile, {
        file: this.file,
        at: at === null ? null : at + got,
        count: wanted,
      });
      parts.push(data);
      got += data.length;
      if (data.length < wanted) break;
    }
    charge(Math.round(this.#client.machine.type.costs.copyNsPerByte * got), Busy.files);
    return { bytes: joined(parts, got), next: (at ?? 0) + got };
  }

  *write(p: Position, bytes: Uint8Array): Task<{ readonly count: number; readonly next: number }> {
    const at = offsetOf(p);
    charge(Math.round(this.#client.machine.type.costs.copyNsPerByte * bytes.length), Busy.files);
    let next = at ?? 0;
    for (let from = 0; from < bytes.length; from += this.#client.unitBytes) {
      const data = bytes.subarray(from, from + this.#client.unitBytes);
      next = yield* this.#call(writeFile, {
        record: { file: this.file, at: at === null ? null : at + from },
        data,
      });
    }
    return { count: bytes.length, next };
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
    try {
      yield* this.#client.transport.call(this.#client.serverOf(this.ref), closeFile, this.file);
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
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

function offsetOf(p: Position): number | null {
  if (p === 'end') return null;
  if (typeof p === 'number') return p;
  throw new KernelError('unsupported', 'an offset shared between hosts');
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
