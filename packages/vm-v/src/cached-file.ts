/**
 * A file as programs have it open at this host's memory server. It may go to another host's, when nobody is in the middle of
 * an operation on it: those that come meanwhile wait, and find that it is gone or has stayed.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { KernelError, type Message } from '@backplane/slots';
import {
  type BlockPosition,
  blockBytes,
  has,
  type InstancePlace,
  offsetOf,
  type UioObject,
} from '@backplane/uio';
import type { ObjectHandle } from './object-handle.ts';

export class CachedFile implements UioObject {
  static {
    tasks(CachedFile);
  }

  readonly attributes: number;
  readonly blockBytes: number = blockBytes;
  /** By which it was known at other hosts. */
  readonly formerly: readonly InstancePlace[];
  readonly #released: (f: CachedFile) => void;
  #handle: ObjectHandle;
  #underWay = 0;
  #leaving = false;
  #gone = false;
  readonly #changed: WaitQueue = new WaitQueue();

  /** @param released called once, when it is not here any more */
  constructor(
    handle: ObjectHandle,
    attributes: number,
    formerly: readonly InstancePlace[],
    released: (f: CachedFile) => void,
  ) {
    this.#handle = handle;
    this.attributes = attributes;
    this.formerly = formerly;
    this.#released = released;
  }

  get handle(): ObjectHandle {
    return this.#handle;
  }

  *sizeBytes(): Task<number> {
    return yield* this.#during(() => this.#size());
  }

  *#size(): Task<number> {
    yield* this.#handle.object.link.current(this.#handle.opening);
    return this.#handle.sizeBytes;
  }

  /** Copied once, by the reply. */
  *read(at: BlockPosition, count: number): Task<Uint8Array | null> {
    if (!has(this.attributes, 'readable')) throw new KernelError('badHandle', 'not readable');
    const bytes = yield* this.#during(() => this.#handle.read(offsetOf(at, blockBytes), count));
    return bytes.length === 0 && count > 0 ? null : bytes;
  }

  *write(at: BlockPosition, bytes: Uint8Array): Task<void> {
    yield* this.#during(() => this.#handle.write(offsetOf(at, blockBytes), bytes));
  }

  *append(bytes: Uint8Array): Task<number> {
    return yield* this.#during(() => this.#handle.append(bytes));
  }

  *modify(sizeBytes: number): Task<void> {
    yield* this.#during(() => this.#handle.truncate(sizeBytes));
  }

  /** What its own server would do, when that has all of it. */
  *control(m: Message): Task<Message> {
    if (has(this.attributes, 'writeable')) yield* this.#during(() => this.#handle.flush());
    return yield* this.pass(m);
  }

  /** A message about it that only its own server can answer. */
  *pass(m: Message): Task<Message> {
    return yield* this.#during(() => this.#handle.pass((instance) => renumbered(m, instance)));
  }

  *writeOut(): Task<void> {
    yield* this.#during(() => this.#handle.writeOut());
  }

  *release(): Task<void> {
    if (this.#gone) return;
    this.#gone = true;
    this.#released(this);
    yield* this.#handle.release();
  }

  // ---- to another host ----

  /**
   * @param give has it at the other host when it returns
   * @param back has it here again, when that failed
   * @throws KernelError what `give` throws: then it is here; `stale` when it is not
   */
  *handOver<R>(
    give: (handle: ObjectHandle, lost: boolean) => Task<R>,
    back: (handle: ObjectHandle) => Task<ObjectHandle>,
  ): Task<R> {
    yield* this.#staying();
    this.#leaving = true;
    try {
      while (this.#underWay > 0) yield* this.#changed.wait();
      const handle = this.#handle;
      const { lost } = yield* handle.letGo();
      try {
        const given = yield* give(handle, lost);
        this.#left();
        return given;
      } catch (e) {
        yield* this.#tryBack(() => back(handle));
        throw e;
      }
    } finally {
      this.#leaving = false;
      this.#changed.wakeAll();
    }
  }

  *#tryBack(back: () => Task<ObjectHandle>): Task<void> {
    let stays = false;
    try {
      this.#handle = yield* back();
      stays = true;
    } finally {
      if (!stays) this.#left();
    }
  }

  #left(): void {
    this.#gone = true;
    this.#released(this);
  }

  *#during<R>(operation: () => Task<R>): Task<R> {
    yield* this.#staying();
    this.#underWay++;
    try {
      return yield* operation();
    } finally {
      this.#underWay--;
      this.#changed.wakeAll();
    }
  }

  *#staying(): Task<void> {
    while (this.#leaving) yield* this.#changed.wait();
    if (this.#gone) throw new KernelError('stale', 'it has left');
  }
}

/** The same message about an instance of another server. */
function renumbered(m: Message, instance: number): Message {
  const control = m.control.slice();
  new DataView(control.buffer).setUint32(4, instance);
  return { control, segment: m.segment };
}
