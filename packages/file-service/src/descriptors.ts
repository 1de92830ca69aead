/** A process's descriptors: small numbers, the lowest free one first, each leading to what is open: one reference to it. */
import { type Fd, KernelError } from '@backplane/slots';

export class Descriptors<T extends object> {
  readonly #open: (T | null)[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** @throws KernelError `badHandle` */
  get(fd: Fd): T {
    const object = this.#open[fd];
    if (object === undefined || object === null) throw new KernelError('badHandle', String(fd));
    return object;
  }

  /** Is there room for another? Asked before an object is opened. @throws KernelError `tooManyOpen` */
  demandRoom(count = 1): void {
    let free = this.#max - this.#open.length;
    for (const s of this.#open) if (s === null) free++;
    if (free < count) throw new KernelError('tooManyOpen');
  }

  add(object: T): Fd {
    const hole = this.#open.indexOf(null);
    const fd = hole < 0 ? this.#open.length : hole;
    this.#open[fd] = object;
    return fd;
  }

  /** Puts something at a number of the caller's choice and returns what was there. @throws KernelError `badHandle` */
  put(fd: Fd, object: T): T | null {
    if (!Number.isInteger(fd) || fd < 0 || fd >= this.#max) throw new KernelError('badHandle', String(fd));
    while (this.#open.length < fd) this.#open.push(null);
    const before = this.#open[fd] ?? null;
    this.#open[fd] = object;
    return before;
  }

  remove(fd: Fd): T {
    const object = this.get(fd);
    this.#open[fd] = null;
    return object;
  }

  *all(): Iterable<readonly [Fd, T]> {
    for (const [fd, object] of this.#open.entries()) if (object !== null) yield [fd, object];
  }
}
