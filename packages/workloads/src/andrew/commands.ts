/**
 * Programs as files: what running one costs the file system. The shell looks for a name in the directories of its path;
 * the kernel opens the file it finds for execution and reads its header, and brings the text into memory unless another
 * process of this machine has had it there before (Sprite's sticky segments kept text after its last process had ended).
 */
import type { Task } from '@backplane/engine';
import { type Calls, isKernelError, KernelError, type Program } from '@backplane/slots';

/** In the order in which they are searched. */
const searchPath = ['/usr/ucb', '/bin', '/usr/bin'];

interface Executable {
  readonly path: string;
  readonly sizeBytes: number;
}

/** The programs of the benchmark where 4.3BSD had them, with sizes of its order. */
export const executables: readonly Executable[] = [
  { path: '/bin/mkdir', sizeBytes: 14_000 },
  { path: '/bin/cp', sizeBytes: 16_000 },
  { path: '/usr/bin/find', sizeBytes: 28_000 },
  { path: '/bin/ls', sizeBytes: 22_000 },
  { path: '/usr/ucb/grep', sizeBytes: 20_000 },
  { path: '/usr/ucb/wc', sizeBytes: 14_000 },
  { path: '/bin/make', sizeBytes: 44_000 },
  { path: '/bin/cc', sizeBytes: 22_000 },
  { path: '/lib/cpp', sizeBytes: 34_000 },
  { path: '/lib/ccom', sizeBytes: 160_000 },
  { path: '/lib/c2', sizeBytes: 46_000 },
  { path: '/bin/as', sizeBytes: 76_000 },
  { path: '/bin/ld', sizeBytes: 48_000 },
];

const headerBytes = 32;
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
    if (!this.#resident.has(path)) {
      this.#resident.add(path);
      while ((yield* sys.read(fd, pageBytes)).length > 0);
    }
    const status = yield* program(sys);
    yield* sys.close(fd);
    return status;
  }

  *#find(sys: Calls, name: string): Task<string> {
    if (name.includes('/')) return name;
    for (const directory of searchPath) {
      try {
        yield* sys.access(`${directory}/${name}`, { execute: true });
        return `${directory}/${name}`;
      } catch (e) {
        if (!isKernelError(e, 'notFound')) throw e;
      }
    }
    throw new KernelError('notFound', name);
  }
}
