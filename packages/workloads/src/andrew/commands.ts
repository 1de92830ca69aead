/**
 * Programs as files: what running one costs the file system. The shell looks for a name in the directories of its path;
 * the kernel opens the file it finds for execution and reads its header. It brings the text into memory unless another
 * process of this machine has had it there before (Sprite's sticky segments kept text after its last process had ended),
 * and the initialised data for every process anew. All of it is brought, although a real process would touch a part.
 */
import type { Task } from '@backplane/engine';
import { type Calls, type Fd, KernelError, type Program } from '@backplane/slots';
import { isThere } from '../missing.ts';

/** In the order in which they are searched. */
const searchPath = ['/usr/ucb', '/bin', '/usr/bin'];

interface Executable {
  readonly path: string;
  readonly textBytes: number;
  /** Initialised data, behind the text. */
  readonly dataBytes: number;
}

const executable = (path: string, textBytes: number, dataBytes: number): Executable => ({
  path,
  textBytes,
  dataBytes,
});

/** The programs of the benchmark where 4.3BSD had them, with sizes of its order. */
export const executables: readonly Executable[] = [
  executable('/bin/mkdir', 12_000, 2_000),
  executable('/bin/cp', 14_000, 2_000),
  executable('/usr/bin/find', 24_000, 4_000),
  executable('/bin/ls', 18_000, 4_000),
  executable('/bin/du', 14_000, 2_000),
  executable('/usr/ucb/grep', 17_000, 3_000),
  executable('/usr/ucb/wc', 12_000, 2_000),
  executable('/bin/make', 36_000, 8_000),
  executable('/bin/cc', 18_000, 4_000),
  executable('/lib/cpp', 28_000, 6_000),
  executable('/lib/ccom', 136_000, 24_000),
  executable('/lib/c2', 40_000, 6_000),
  executable('/bin/as', 64_000, 12_000),
  executable('/bin/ld', 42_000, 6_000),
];

const sizesOf = (path: string): Executable => {
  const found = executables.find((e) => e.path === path);
  if (found === undefined) throw new KernelError('notFound', path);
  return found;
};

const headerBytes = 32;
/** Of a Sun-3. */
const pageBytes = 8192;

/** The programs of one machine. */
export class Commands {
  /** Paths whose text is in memory. */
  readonly #resident = new Set<string>();

  /**
   * Runs a program in a process of its own and waits for its end. A name with a slash is a path; any other is searched.
   *
   * @throws KernelError `notFound`; `ioError` when it ended badly
   */
  *run(sys: Calls, name: string, program: Program): Task<void> {
    const { status } = yield* sys.wait(
      yield* sys.spawn(name, (child) => this.#execute(child, name, program)),
    );
    if (status !== 0) throw new KernelError('ioError', `${name} ended with status ${status}`);
  }

  *#execute(sys: Calls, name: string, program: Program): Task<number> {
    const path = yield* this.#find(sys, name);
    const fd = yield* sys.open(path, { read: true, execute: true });
    yield* sys.read(fd, headerBytes);
    const { textBytes, dataBytes } = sizesOf(path);
    if (!this.#resident.has(path)) {
      this.#resident.add(path);
      yield* pageIn(sys, fd, 0, textBytes);
    }
    yield* pageIn(sys, fd, textBytes, dataBytes);
    const status = yield* program(sys);
    yield* sys.close(fd);
    return status;
  }

  *#find(sys: Calls, name: string): Task<string> {
    if (name.includes('/')) return name;
    for (const directory of searchPath) {
      const path = `${directory}/${name}`;
      if (yield* isThere(sys.access(path, { execute: true }))) return path;
    }
    throw new KernelError('notFound', name);
  }
}

function* pageIn(sys: Calls, fd: Fd, from: number, sizeBytes: number): Task<void> {
  for (let at = from; at < from + sizeBytes; at += pageBytes)
    yield* sys.readAt(fd, at, Math.min(pageBytes, from + sizeBytes - at));
}
