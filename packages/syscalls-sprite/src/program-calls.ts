/** What a native program holds: each method hands a call to the kernel on which the process runs now. */
import { type Task, tasks } from '@backplane/engine';
import type {
  AddressSpace,
  AttributeChange,
  Attributes,
  Calls,
  Credentials,
  Fd,
  LockMode,
  OpenHow,
  Program,
  Ready,
} from '@backplane/slots';
import type { CallName, CallTable } from './call-table.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';

export class ProgramCalls implements Calls {
  static {
    tasks(ProgramCalls);
  }

  readonly #kernel: Kernel;
  readonly #process: Process;

  constructor(kernel: Kernel, process: Process) {
    this.#kernel = kernel;
    this.#process = process;
  }

  get processId(): number {
    return this.#process.id;
  }
  get machine(): string {
    return this.#kernel.machine.name;
  }
  get memory(): AddressSpace {
    return this.#process.memory;
  }

  *open(path: string, how: OpenHow): Task<Fd> {
    return yield* this.#call('open', { path, how });
  }
  *close(fd: Fd): Task<void> {
    yield* this.#call('close', { fd });
  }
  *read(fd: Fd, count: number): Task<Uint8Array> {
    return yield* this.#call('read', { fd, count });
  }
  *write(fd: Fd, bytes: Uint8Array): Task<number> {
    return yield* this.#call('write', { fd, bytes });
  }
  *readAt(fd: Fd, at: number, count: number): Task<Uint8Array> {
    return yield* this.#call('readAt', { fd, at, count });
  }
  *writeAt(fd: Fd, at: number, bytes: Uint8Array): Task<number> {
    return yield* this.#call('writeAt', { fd, at, bytes });
  }
  *seek(fd: Fd, to: number, from: 'start' | 'current' | 'end'): Task<number> {
    return yield* this.#call('seek', { fd, to, from });
  }
  *truncateOpen(fd: Fd, sizeBytes: number): Task<void> {
    yield* this.#call('truncateOpen', { fd, sizeBytes });
  }
  *statOpen(fd: Fd): Task<Attributes> {
    return yield* this.#call('statOpen', { fd });
  }
  *setAttributesOpen(fd: Fd, change: AttributeChange): Task<void> {
    yield* this.#call('setAttributesOpen', { fd, change });
  }
  *sync(fd: Fd): Task<void> {
    yield* this.#call('sync', { fd });
  }
  *dup(fd: Fd, as?: Fd): Task<Fd> {
    return yield* this.#call('dup', { fd, as: as ?? null });
  }
  *lock(fd: Fd, mode: LockMode, o: { readonly wait: boolean }): Task<void> {
    yield* this.#call('lock', { fd, mode, wait: o.wait });
  }
  *select(
    wanted: readonly { readonly fd: Fd; readonly read: boolean; readonly write: boolean }[],
    timeoutNs: number,
  ): Task<readonly Ready[]> {
    return yield* this.#call('select', { wanted, timeoutNs });
  }
  *pipe(): Task<{ readonly read: Fd; readonly write: Fd }> {
    return yield* this.#call('pipe', {});
  }

  *stat(path: string, o: { readonly follow: boolean } = { follow: true }): Task<Attributes> {
    return yield* this.#call('stat', { path, follow: o.follow });
  }
  *access(
    path: string,
    o: { readonly read?: boolean; readonly write?: boolean; readonly execute?: boolean },
  ): Task<void> {
    yield* this.#call('access', {
      path,
      read: o.read ?? false,
      write: o.write ?? false,
      execute: o.execute ?? false,
    });
  }
  *truncate(path: string, sizeBytes: number): Task<void> {
    yield* this.#call('truncate', { path, sizeBytes });
  }
  *link(existing: string, added: string): Task<void> {
    yield* this.#call('link', { existing, added });
  }
  *unlink(path: string): Task<void> {
    yield* this.#call('unlink', { path });
  }
  *rename(from: string, to: string): Task<void> {
    yield* this.#call('rename', { from, to });
  }
  *symlink(target: string, path: string): Task<void> {
    yield* this.#call('symlink', { target, path });
  }
  *remoteLink(target: string, path: string): Task<void> {
    yield* this.#call('remoteLink', { target, path });
  }
  *readlink(path: string): Task<string> {
    return yield* this.#call('readlink', { path });
  }
  *mkdir(path: string, mode: number): Task<void> {
    yield* this.#call('mkdir', { path, mode });
  }
  *rmdir(path: string): Task<void> {
    yield* this.#call('rmdir', { path });
  }
  *entries(path: string): Task<readonly string[]> {
    return yield* this.#call('entries', { path });
  }
  *setAttributes(
    path: string,
    change: AttributeChange,
    o: { readonly follow: boolean } = { follow: true },
  ): Task<void> {
    yield* this.#call('setAttributes', { path, change, follow: o.follow });
  }
  *chdir(path: string): Task<void> {
    yield* this.#call('chdir', { path });
  }
  *workingDirectory(): Task<string> {
    return yield* this.#call('workingDirectory', {});
  }
  *umask(mask: number): Task<number> {
    return yield* this.#call('umask', { mask });
  }
  *setUser(uid: number, gid: number, groups: readonly number[] = []): Task<void> {
    yield* this.#call('setUser', { uid, gid, groups });
  }
  *user(): Task<Credentials> {
    return yield* this.#call('user', {});
  }
  *syncAll(): Task<void> {
    yield* this.#call('syncAll', {});
  }

  *compute(ns: number): Task<void> {
    yield* this.#call('compute', { ns });
  }
  *sleep(ns: number): Task<void> {
    yield* this.#call('sleep', { ns });
  }
  *time(): Task<number> {
    return yield* this.#call('time', {});
  }
  *spawn(name: string, program: Program): Task<number> {
    return yield* this.#call('spawn', { name, program });
  }
  *wait(processId?: number): Task<{ readonly processId: number; readonly status: number }> {
    return yield* this.#call('wait', { processId: processId ?? null });
  }
  *exit(status: number): Task<never> {
    return yield* this.#call('exit', { status });
  }

  #call<K extends CallName>(call: K, argument: CallTable[K]['in']): Task<CallTable[K]['out']> {
    return this.#kernel.execute(this.#process, call, argument);
  }
}
