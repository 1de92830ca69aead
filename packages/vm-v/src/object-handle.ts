/** An open object as one user has it: bytes, read and written in the page frames that regions show. */
import { type Task, tasks } from '@backplane/engine';
import { joined } from '@backplane/file-service';
import { KernelError, type Message, type PagedObject } from '@backplane/slots';
import { blockBytes, offsetOf, positionOf, toModify, toWrite, writeDone } from '@backplane/uio';
import type { CachedObject } from './cached-object.ts';
import type { Opening } from './opening.ts';

export class ObjectHandle implements PagedObject {
  static {
    tasks(ObjectHandle);
  }

  readonly object: CachedObject;
  readonly opening: Opening;
  #released = false;

  constructor(object: CachedObject, opening: Opening) {
    this.object = object;
    this.opening = opening;
  }

  get sizeBytes(): number {
    return this.object.sizeBytes;
  }

  /** Where they lie in one page, by reference. */
  *read(at: number, count: number): Task<Uint8Array> {
    this.#check();
    const { pageBytes } = this.object;
    const parts: Uint8Array[] = [];
    let got = 0;
    yield* this.object.link.current(this.opening);
    while (got < count && at + got < this.object.sizeBytes) {
      const n = Math.floor((at + got) / pageBytes);
      const page = yield* this.object.reading(this.opening, n);
      const start = at + got - n * pageBytes;
      // The size as it is now: it may have changed while the page came.
      const end = Math.min(pageBytes, start + count - got, this.object.sizeBytes - n * pageBytes);
      if (end <= start) break;
      parts.push(page.content().subarray(start, end));
      got += end - start;
    }
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : joined(parts, got);
  }

  *write(at: number, bytes: Uint8Array): Task<void> {
    this.#check();
    const { pageBytes } = this.object;
    const endBytes = at + bytes.length;
    for (let from = at; from < endBytes; ) {
      const n = Math.floor(from / pageBytes);
      const start = n * pageBytes;
      const to = Math.min(endBytes, start + pageBytes);
      // Not by the size: the page may reach further by the time that it is granted.
      const whole = from === start && to === start + pageBytes;
      const page = yield* this.object.storing(this.opening, n, { whole, endBytes });
      page.put(from - start, bytes.subarray(from - at, to - at));
      this.object.stored(page);
      from = to;
    }
  }

  /** At the end, wherever that is by then on whatever host: the manager knows. Returns the offset afterwards. */
  *append(bytes: Uint8Array): Task<number> {
    const answer = yield* this.pass((instance) => toWrite(instance, 'end', bytes));
    return offsetOf(writeDone(answer), blockBytes);
  }

  *truncate(sizeBytes: number): Task<void> {
    yield* this.pass((instance) => toModify(instance, positionOf(sizeBytes, blockBytes)));
  }

  *flush(): Task<void> {
    this.#check();
    yield* this.object.flush();
  }

  *writeOut(): Task<void> {
    this.#check();
    yield* this.object.writeOut();
  }

  /** @see CachedObject.letGo It is released then. @throws KernelError `unsupported` while regions are bound to it, too */
  *letGo(): Task<{ readonly lost: boolean }> {
    this.#check();
    if (this.opening.uses > 1) throw new KernelError('unsupported', 'a region is bound to it');
    const lost = yield* this.object.letGo(this.opening);
    this.#released = true;
    return { lost };
  }

  /** A message about the object to its manager. */
  *pass(build: (instance: number) => Message): Task<Message> {
    this.#check();
    return yield* this.object.link.pass(this.opening, build);
  }

  *release(): Task<void> {
    if (this.#released) return;
    this.#released = true;
    this.object.link.leave(this.opening);
  }

  #check(): void {
    if (this.#released) throw new KernelError('badHandle', this.object.key);
  }
}
