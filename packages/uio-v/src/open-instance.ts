/**
 * The client's half of one open file: an instance at a file server. When the server died, the instance is created again at
 * the one that has its prefix now, and the operation done again.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import { joined } from '@backplane/file-service';
import {
  type AttributeChange,
  type Attributes,
  Busy,
  type Credentials,
  type EntityId,
  type FileId,
  isKernelError,
  KernelError,
  type LockMode,
  type Message,
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
import {
  blockBytes,
  isGone,
  lockFile,
  modifyObject,
  offsetOf,
  positionOf,
  queryObject,
  syncFunction,
  toControl,
  toModify,
  toRead,
  toRelease,
  toWrite,
  unitBytes,
  writeDone,
} from '@backplane/uio';
import type { Client } from './client.ts';

const always: Ready = { read: true, write: true, exception: false };
/** Several hosts cannot use one of these at one offset: V has programs move with their whole state instead. */
const traits: Traits = { blockBytes, seekable: true, sharedOffset: false, afterCrash: 'by-name' };

/** Where the instance is. Both change when its server dies. */
export interface Place {
  readonly manager: EntityId;
  readonly instance: number;
}

export class OpenInstance implements OpenObject {
  static {
    tasks(OpenInstance);
  }

  readonly ref: ObjectRef;
  readonly how: OpenHow;
  readonly traits: Traits = traits;
  readonly file: FileId;
  /** Under which its server is found. */
  readonly prefix: string;
  readonly #isDirectory: boolean;
  readonly #client: Client;
  #place: Place;
  #closed = false;

  constructor(
    client: Client,
    o: {
      readonly ref: ObjectRef;
      readonly how: OpenHow;
      readonly file: FileId;
      readonly prefix: string;
      readonly isDirectory: boolean;
    },
    place: Place,
  ) {
    this.#client = client;
    this.ref = o.ref;
    this.how = o.how;
    this.file = o.file;
    this.prefix = o.prefix;
    this.#isDirectory = o.isDirectory;
    this.#place = place;
  }

  *read(p: Position, count: number): Task<{ readonly bytes: Uint8Array; readonly next: number }> {
    if (this.#isDirectory) throw new KernelError('isDirectory');
    const from = typeof p === 'number' ? p : (yield* this.attributes()).sizeBytes;
    const parts: Uint8Array[] = [];
    let got = 0;
    while (got < count) {
      const wanted = Math.min(count - got, unitBytes);
      const { segment } = yield* this.#send((i) => toRead(i, positionOf(from + got, blockBytes), wanted));
      parts.push(segment);
      got += segment.length;
      if (segment.length < wanted) break;
    }
    return { bytes: joined(parts, got), next: from + got };
  }

  *write(p: Position, bytes: Uint8Array): Task<{ readonly count: number; readonly next: number }> {
    let next = typeof p === 'number' ? p : 0;
    for (let done = 0; done < bytes.length; done += unitBytes) {
      const part = bytes.subarray(done, done + unitBytes);
      const at = typeof p === 'number' ? positionOf(next, blockBytes) : 'end';
      next = offsetOf(writeDone(yield* this.#send((i) => toWrite(i, at, part))), blockBytes);
    }
    return { count: bytes.length, next };
  }

  *attributes(): Task<Attributes> {
    return yield* this.#call(queryObject, null);
  }

  *setAttributes(change: AttributeChange, who: Credentials): Task<void> {
    yield* this.#call(modifyObject, { change, who });
  }

  *truncate(sizeBytes: number): Task<void> {
    yield* this.#send((i) => toModify(i, positionOf(sizeBytes, blockBytes)));
  }

  *lock(mode: LockMode, owner: StreamId, waiter: Waiter): Task<void> {
    yield* this.#call(lockFile, { mode, owner, waiter });
  }

  *poll(): Task<Ready> {
    return always;
  }

  *sync(): Task<void> {
    yield* this.#send((i) => toControl(i, syncFunction));
  }

  /** A dead server has no instances: silence is no error here. */
  *close(): Task<void> {
    if (this.#closed) return;
    this.#closed = true;
    charge(this.#client.machine.type.costs.openClientNs, Busy.files);
    const { manager, instance } = this.#place;
    try {
      yield* this.#client.senders.send(manager, toRelease(instance, 'normal'));
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }

  *#call<Q, R>(procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
    return yield* this.#again(({ manager, instance }) =>
      this.#client.senders.call(manager, procedure, request, instance),
    );
  }

  *#send(build: (instance: number) => Message): Task<Message> {
    return yield* this.#again(({ manager, instance }) => this.#client.senders.send(manager, build(instance)));
  }

  *#again<R>(operation: (at: Place) => Task<R>): Task<R> {
    for (;;) {
      const tried = this.#place;
      try {
        return yield* operation(tried);
      } catch (e) {
        if (!isGone(e)) throw e;
        // Another thread may have created it again already.
        if (this.#place === tried) this.#place = yield* this.#client.recreate(this);
      }
    }
  }
}
