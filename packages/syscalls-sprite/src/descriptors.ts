/** A process's descriptors: small numbers, the lowest free one first, each leading to a stream. */
import { type Fd, KernelError, type Stream } from '@backplane/slots';

export class Descriptors {
  readonly #streams: (Stream | null)[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** @throws KernelError `badHandle` */
  get(fd: Fd): Stream {
    const stream = this.#streams[fd];
    if (stream === undefined || stream === null) throw new KernelError('badHandle', String(fd));
    return stream;
  }

  /** Is there room for another? Asked before a stream is opened. @throws KernelError `tooManyOpen` */
  demandRoom(count = 1): void {
    let free = this.#max - this.#streams.length;
    for (const s of this.#streams) if (s === null) free++;
    if (free < count) throw new KernelError('tooManyOpen');
  }

  add(stream: Stream): Fd {
    const hole = this.#streams.indexOf(null);
    const fd = hole < 0 ? this.#streams.length : hole;
    this.#streams[fd] = stream;
    return fd;
  }

  /** Puts a stream at a number of the caller's choice and returns what was there. @throws KernelError `badHandle` */
  put(fd: Fd, stream: Stream): Stream | null {
    if (!Number.isInteger(fd) || fd < 0 || fd >= this.#max) throw new KernelError('badHandle', String(fd));
    while (this.#streams.length < fd) this.#streams.push(null);
    const before = this.#streams[fd] ?? null;
    this.#streams[fd] = stream;
    return before;
  }

  remove(fd: Fd): Stream {
    const stream = this.get(fd);
    this.#streams[fd] = null;
    return stream;
  }

  *open(): Iterable<readonly [Fd, Stream]> {
    for (const [fd, stream] of this.#streams.entries()) if (stream !== null) yield [fd, stream];
  }
}
