/**
 * An open object as a program's library keeps it: the instance at its manager, and where the program stands in it. Descriptors
 * of one program may share it; those of its children have instances of their own, which begin where it stands then.
 *
 * Blocks go to and from the manager as the program asks for them. Nothing is kept back here, so that what one program has
 * written is what the next one reads; who wants bytes in line takes a `ByteStream`.
 */
import { type Task, tasks } from '@backplane/engine';
import { joined } from '@backplane/file-service';
import {
  type AttributeChange,
  type Attributes,
  type Credentials,
  type EntityId,
  type FileId,
  KernelError,
  type LockMode,
  type OpenHow,
  wordOf,
} from '@backplane/slots';
import {
  type Instance,
  modifyObject,
  offsetOf,
  pollFunction,
  positionOf,
  queryObject,
  syncFunction,
  unitBytes,
} from '@backplane/uio';

const none = new Uint8Array(0);

/** What a file is found by again. */
export interface FilePlace {
  readonly prefix: string;
  readonly file: FileId;
  readonly isDirectory: boolean;
}

export class OpenObject {
  static {
    tasks(OpenObject);
  }

  readonly instance: Instance;
  readonly how: OpenHow;
  /** Null: a pipe, of whatever name. */
  readonly place: FilePlace | null;
  offset = 0;
  /** Descriptors that lead here. */
  uses = 1;
  /** Of a pipe: the block that is read next, and what is left of the one before, which was larger than what was asked for. */
  #block: number;
  #rest: Uint8Array = none;

  constructor(instance: Instance, how: OpenHow, place: FilePlace | null) {
    this.instance = instance;
    this.how = how;
    this.place = place;
    this.#block = instance.description.nextRead;
  }

  get manager(): EntityId {
    return this.instance.manager;
  }

  *read(count: number): Task<Uint8Array> {
    this.#demandReadable();
    if (this.place === null) return yield* this.#next(count);
    const bytes = yield* this.#readFrom(this.offset, count);
    this.offset += bytes.length;
    return bytes;
  }

  *readAt(at: number, count: number): Task<Uint8Array> {
    this.#demandSeekable();
    this.#demandReadable();
    return yield* this.#readFrom(at, count);
  }

  *write(bytes: Uint8Array): Task<number> {
    this.#demandWriteable();
    if (this.place === null) return yield* this.#put(bytes);
    this.offset = yield* this.#writeFrom(this.how.append === true ? 'end' : this.offset, bytes);
    return bytes.length;
  }

  *writeAt(at: number, bytes: Uint8Array): Task<number> {
    this.#demandSeekable();
    this.#demandWriteable();
    yield* this.#writeFrom(at, bytes);
    return bytes.length;
  }

  *seek(to: number, from: 'start' | 'current' | 'end'): Task<number> {
    this.#demandSeekable();
    const base =
      from === 'start' ? 0 : from === 'current' ? this.offset : (yield* this.attributes()).sizeBytes;
    const offset = base + to;
    if (!Number.isSafeInteger(offset) || offset < 0) throw new KernelError('badArgument', `offset ${offset}`);
    this.offset = offset;
    return offset;
  }

  *truncate(sizeBytes: number): Task<void> {
    if (this.how.write !== true) throw new KernelError('badArgument', 'not open for writing');
    yield* this.instance.modify(sizeBytes);
  }

  *attributes(): Task<Attributes> {
    return yield* this.instance.call(queryObject, null);
  }

  *change(change: AttributeChange, who: Credentials): Task<void> {
    yield* this.instance.call(modifyObject, { change, who });
  }

  /** Files are always ready. */
  *poll(): Task<{ readonly read: boolean; readonly write: boolean }> {
    if (this.place !== null) return { read: true, write: true };
    if (this.#rest.length > 0) return { read: true, write: false };
    const ready = wordOf(yield* this.instance.control(pollFunction), 1);
    return { read: (ready & 1) !== 0, write: (ready & 2) !== 0 };
  }

  *sync(): Task<void> {
    if (this.place !== null) yield* this.instance.control(syncFunction);
  }

  /** Of the whole object. @throws KernelError `wouldBlock` when somebody has it */
  *lock(mode: LockMode): Task<void> {
    yield* this.instance.lock({ block: 0, blocks: 0 }, mode);
  }

  *close(): Task<void> {
    this.uses--;
    if (this.uses === 0) yield* this.instance.release();
  }

  // ---- files: any place ----

  *#readFrom(from: number, count: number): Task<Uint8Array> {
    if (this.place?.isDirectory === true) throw new KernelError('isDirectory');
    const parts: Uint8Array[] = [];
    let got = 0;
    while (got < count) {
      const wanted = Math.min(count - got, unitBytes);
      const part = yield* this.instance.read(positionOf(from + got, this.instance.blockBytes), wanted);
      if (part === null) break;
      parts.push(part);
      got += part.length;
      if (part.length < wanted) break;
    }
    return joined(parts, got);
  }

  /** Returns the offset afterwards. */
  *#writeFrom(from: number | 'end', bytes: Uint8Array): Task<number> {
    const { instance } = this;
    let next = from === 'end' ? this.offset : from;
    for (let done = 0; done < bytes.length; done += unitBytes) {
      const part = bytes.subarray(done, done + unitBytes);
      const after =
        from === 'end'
          ? yield* instance.append(part)
          : yield* instance.write(positionOf(next, instance.blockBytes), part);
      next = offsetOf(after, instance.blockBytes);
    }
    return next;
  }

  // ---- pipes: one block after the other ----

  *#next(count: number): Task<Uint8Array> {
    while (this.#rest.length === 0) {
      const block = yield* this.instance.read({ block: this.#block, first: 0 });
      if (block === null) return none;
      this.#block++;
      this.#rest = block;
    }
    const bytes = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  *#put(bytes: Uint8Array): Task<number> {
    const { blockBytes } = this.instance;
    for (let done = 0; done < bytes.length; done += blockBytes)
      yield* this.instance.append(bytes.slice(done, done + blockBytes));
    return bytes.length;
  }

  // ---- what it was opened for ----

  #demandReadable(): void {
    if (this.how.read !== true && this.how.execute !== true)
      throw new KernelError('badHandle', 'not open for reading');
  }

  #demandWriteable(): void {
    if (this.how.write !== true) throw new KernelError('badHandle', 'not open for writing');
  }

  #demandSeekable(): void {
    if (this.place === null) throw new KernelError('notSeekable');
  }
}
