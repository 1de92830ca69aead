/**
 * Buffered input and output over descriptors, as the standard I/O library of 4.3BSD did it: 1024 bytes at a time. The
 * buffer's size decides how many system calls a program makes, and the published figures depend on it.
 */
import type { Task } from '@backplane/engine';
import type { Calls, Fd } from '@backplane/slots';

export const stdioBytes = 1024;

/** Everything that a file holds, read by the buffer. Returns how many bytes there were. */
export function* readThrough(
  sys: Calls,
  path: string,
  each: (bytes: Uint8Array) => void = () => {},
): Task<number> {
  const fd = yield* sys.open(path, { read: true });
  let total = 0;
  for (;;) {
    const bytes = yield* sys.read(fd, stdioBytes);
    if (bytes.length === 0) break;
    each(bytes);
    total += bytes.length;
  }
  yield* sys.close(fd);
  return total;
}

/** A stream for writing: fills the buffer and hands it to the kernel when it is full. */
export class OutputStream {
  readonly #sys: Calls;
  readonly #fd: Fd;
  #buffer = new Uint8Array(stdioBytes);
  #filled = 0;
  writtenBytes = 0;

  constructor(sys: Calls, fd: Fd) {
    this.#sys = sys;
    this.#fd = fd;
  }

  *write(bytes: Uint8Array): Task<void> {
    for (let from = 0; from < bytes.length; ) {
      const count = Math.min(bytes.length - from, stdioBytes - this.#filled);
      this.#buffer.set(bytes.subarray(from, from + count), this.#filled);
      this.#filled += count;
      from += count;
      if (this.#filled === stdioBytes) yield* this.flush();
    }
  }

  *flush(): Task<void> {
    if (this.#filled === 0) return;
    // The kernel may keep what it is given by reference, so each full buffer is a fresh one.
    const bytes = this.#buffer.subarray(0, this.#filled);
    this.#buffer = new Uint8Array(stdioBytes);
    this.#filled = 0;
    this.writtenBytes += yield* this.#sys.write(this.#fd, bytes);
  }

  *close(): Task<void> {
    yield* this.flush();
    yield* this.#sys.close(this.#fd);
  }
}

export function* createFile(sys: Calls, path: string): Task<OutputStream> {
  return new OutputStream(sys, yield* sys.open(path, { write: true, create: true, truncate: true }));
}

/** Copies a file by buffers, as cp did. */
export function* copyFile(sys: Calls, from: string, to: string): Task<number> {
  const input = yield* sys.open(from, { read: true });
  const output = yield* createFile(sys, to);
  let total = 0;
  for (;;) {
    const bytes = yield* sys.read(input, stdioBytes);
    if (bytes.length === 0) break;
    total += bytes.length;
    yield* output.write(bytes);
  }
  yield* output.close();
  yield* sys.close(input);
  return total;
}
