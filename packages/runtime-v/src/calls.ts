/**
 * The system calls of other systems, as V's library offered them: each is a procedure in the program, which sends messages to
 * whoever manages the object. There is no trap but that of a message.
 */
import { CLUSTER_EPOCH_SECONDS, charge, seconds, settle, type Task, tasks } from '@backplane/engine';
import {
  type AddressSpace,
  type AttributeChange,
  type Attributes,
  Busy,
  type Calls,
  type Credentials,
  type EntityId,
  type Fd,
  isKernelError,
  KernelError,
  type LockMode,
  type Program as Main,
  type NativeText,
  type OpenHow,
  type Ready,
  wellKnown,
} from '@backplane/slots';
import { CreateMode, Instance } from '@backplane/uio';
import { ask, delay, getTime } from '@backplane/v-operations';
import { Children } from './children.ts';
import { OpenObject } from './open-object.ts';
import { processNumber } from './process-number.ts';
import type { Program } from './program.ts';

/** Between two tries for what somebody else has. */
const againNs = /* @__PURE__ */ seconds(0.05);

export class RuntimeCalls implements Calls {
  static {
    tasks(RuntimeCalls);
  }

  readonly #program: Program;
  readonly #children: Children;

  /** @param childText the code of a program that this one starts */
  constructor(program: Program, childText: (child: Main) => NativeText) {
    this.#program = program;
    this.#children = new Children(program, childText);
  }

  get processId(): number {
    return processNumber(this.#program.self.process.id);
  }

  get machine(): string {
    return this.#program.here.machine.name;
  }

  get memory(): AddressSpace {
    const { memory } = this.#program.self;
    if (memory === null) throw new KernelError('badArgument', 'a program without memory');
    return memory;
  }

  // ---- open objects ----

  *open(path: string, how: OpenHow): Task<Fd> {
    this.#count();
    const { descriptors, umask } = this.#program;
    descriptors.demandRoom();
    return descriptors.add(yield* this.#program.open(path, masked(how, umask)));
  }

  *close(fd: Fd): Task<void> {
    this.#count();
    yield* this.#program.descriptors.remove(fd).close();
  }

  *read(fd: Fd, count: number): Task<Uint8Array> {
    this.#count();
    return yield* this.#get(fd).read(demandCount(count));
  }

  *write(fd: Fd, bytes: Uint8Array): Task<number> {
    this.#count();
    return yield* this.#get(fd).write(bytes);
  }

  *readAt(fd: Fd, at: number, count: number): Task<Uint8Array> {
    this.#count();
    return yield* this.#get(fd).readAt(demandCount(at), demandCount(count));
  }

  *writeAt(fd: Fd, at: number, bytes: Uint8Array): Task<number> {
    this.#count();
    return yield* this.#get(fd).writeAt(demandCount(at), bytes);
  }

  *seek(fd: Fd, to: number, from: 'start' | 'current' | 'end'): Task<number> {
    this.#count();
    return yield* this.#get(fd).seek(to, from);
  }

  *truncateOpen(fd: Fd, sizeBytes: number): Task<void> {
    this.#count();
    yield* this.#get(fd).truncate(demandCount(sizeBytes));
  }

  *statOpen(fd: Fd): Task<Attributes> {
    this.#count();
    return yield* this.#get(fd).attributes();
  }

  *setAttributesOpen(fd: Fd, change: AttributeChange): Task<void> {
    this.#count();
    yield* this.#get(fd).change(change, this.#program.who);
  }

  *sync(fd: Fd): Task<void> {
    this.#count();
    yield* this.#get(fd).sync();
  }

  *dup(fd: Fd, as?: Fd): Task<Fd> {
    this.#count();
    const { descriptors } = this.#program;
    const object = descriptors.get(fd);
    if (as === fd) return fd;
    if (as === undefined) {
      descriptors.demandRoom();
      object.uses++;
      return descriptors.add(object);
    }
    const before = descriptors.put(as, object);
    object.uses++;
    if (before !== null) yield* before.close();
    return as;
  }

  *lock(fd: Fd, mode: LockMode, { wait }: { readonly wait: boolean }): Task<void> {
    this.#count();
    const object = this.#get(fd);
    for (;;) {
      try {
        yield* object.lock(mode);
        return;
      } catch (e) {
        // Managers of files tell nobody that a lock is free.
        if (!wait || !isKernelError(e, 'wouldBlock')) throw e;
        yield* this.#delay(againNs);
      }
    }
  }

  *select(
    wanted: readonly { readonly fd: Fd; readonly read: boolean; readonly write: boolean }[],
    timeoutNs: number,
  ): Task<readonly Ready[]> {
    this.#count();
    const { engine } = this.#program.here.machine;
    const untilNs = engine.nowNs + timeoutNs;
    for (;;) {
      const ready: Ready[] = [];
      for (const { fd, read, write } of wanted) {
        const is = yield* this.#get(fd).poll();
        ready.push({ read: read && is.read, write: write && is.write, exception: false });
      }
      const leftNs = untilNs - engine.nowNs;
      if (leftNs <= 0 || ready.some((r) => r.read || r.write)) return ready;
      yield* this.#delay(Math.min(againNs, leftNs));
    }
  }

  *pipe(): Task<{ readonly read: Fd; readonly write: Fd }> {
    this.#count();
    const { descriptors, asker, self } = this.#program;
    descriptors.demandRoom(2);
    const servers = this.#group(wellKnown.pipeServers);
    const mode = CreateMode.read | CreateMode.write;
    const write = yield* Instance.create(asker, servers, { mode, beside: self.process.id });
    const read = yield* Instance.of(asker, write.manager, write.number + 1);
    return {
      read: descriptors.add(new OpenObject(read, { read: true }, null)),
      write: descriptors.add(new OpenObject(write, { write: true }, null)),
    };
  }

  // ---- names ----

  *stat(path: string, o: { readonly follow: boolean } = { follow: true }): Task<Attributes> {
    this.#count();
    return yield* this.#program.perform(path, 'stat', o);
  }

  *access(
    path: string,
    o: { readonly read?: boolean; readonly write?: boolean; readonly execute?: boolean },
  ): Task<void> {
    this.#count();
    const { read = false, write = false, execute = false } = o;
    yield* this.#program.perform(path, 'access', { read, write, execute });
  }

  *truncate(path: string, sizeBytes: number): Task<void> {
    this.#count();
    const object = yield* this.#program.open(path, { write: true });
    try {
      yield* object.truncate(demandCount(sizeBytes));
    } finally {
      yield* object.close();
    }
  }

  *link(existing: string, added: string): Task<void> {
    this.#count();
    yield* this.#program.performTwo('link', existing, added);
  }

  *unlink(path: string): Task<void> {
    this.#count();
    yield* this.#program.perform(path, 'unlink', {});
  }

  *rename(from: string, to: string): Task<void> {
    this.#count();
    yield* this.#program.performTwo('rename', from, to);
  }

  *symlink(target: string, path: string): Task<void> {
    this.#count();
    yield* this.#program.perform(path, 'makeLink', { target, remote: false });
  }

  *remoteLink(target: string, path: string): Task<void> {
    this.#count();
    if (this.#program.who.uid !== 0)
      throw new KernelError('notOwner', 'only the super user marks another server’s domain');
    yield* this.#program.perform(path, 'makeLink', { target, remote: true });
  }

  *readlink(path: string): Task<string> {
    this.#count();
    return yield* this.#program.perform(path, 'readLink', {});
  }

  *mkdir(path: string, mode: number): Task<void> {
    this.#count();
    yield* this.#program.perform(path, 'makeDirectory', { mode: mode & 0o7777 & ~this.#program.umask });
  }

  *rmdir(path: string): Task<void> {
    this.#count();
    yield* this.#program.perform(path, 'removeDirectory', {});
  }

  *entries(path: string): Task<readonly string[]> {
    this.#count();
    return yield* this.#program.entries(path);
  }

  *setAttributes(
    path: string,
    change: AttributeChange,
    { follow }: { readonly follow: boolean } = { follow: true },
  ): Task<void> {
    this.#count();
    yield* this.#program.perform(path, 'setAttributes', { change, follow });
  }

  *chdir(path: string): Task<void> {
    this.#count();
    yield* this.#program.chdir(path);
  }

  *workingDirectory(): Task<string> {
    return this.#program.view.workingDirectory;
  }

  // ---- who it is ----

  *umask(mask: number): Task<number> {
    const before = this.#program.umask;
    this.#program.umask = mask & 0o777;
    return before;
  }

  *setUser(uid: number, gid: number, groups: readonly number[] = []): Task<void> {
    const { who } = this.#program;
    if (who.uid !== 0 && (uid !== who.uid || gid !== who.gid)) throw new KernelError('notOwner');
    this.#program.who = { uid, gid, groups };
  }

  *user(): Task<Credentials> {
    return this.#program.who;
  }

  /** Nothing is kept back: see `OpenObject`. */
  *syncAll(): Task<void> {}

  // ---- time and processes ----

  *compute(ns: number): Task<void> {
    charge(Math.round(ns), Busy.user);
    yield* settle();
  }

  *sleep(ns: number): Task<void> {
    this.#count();
    yield* this.#delay(Math.round(ns));
  }

  *time(): Task<number> {
    this.#count();
    const { process } = this.#program.self;
    const servers = this.#group(wellKnown.timeServers);
    const { nowNs } = yield* ask(process, servers, getTime, {}, { beside: process.id });
    return nowNs - seconds(CLUSTER_EPOCH_SECONDS);
  }

  *spawn(name: string, program: Main): Task<number> {
    this.#count();
    return yield* this.#children.spawn(name, program);
  }

  *wait(processId?: number): Task<{ readonly processId: number; readonly status: number }> {
    this.#count();
    return yield* this.#children.wait(processId);
  }

  *exit(status: number): Task<never> {
    yield* this.#program.closeAll();
    return yield* this.#program.self.exit(status);
  }

  // ---- parts ----

  #get(fd: Fd): OpenObject {
    return this.#program.descriptors.get(fd);
  }

  *#delay(spanNs: number): Task<void> {
    const { process } = this.#program.self;
    yield* ask(process, this.#group(wellKnown.timeServers), delay, { spanNs }, { beside: process.id });
  }

  #group(number: number): EntityId {
    return this.#program.here.ipc.wellKnownGroup(number);
  }

  #count(): void {
    this.#program.here.calls++;
  }
}

const masked = (how: OpenHow, umask: number): OpenHow =>
  how.create === true ? { ...how, mode: (how.mode ?? 0o666) & 0o7777 & ~umask } : how;

function demandCount(n: number): number {
  if (!Number.isSafeInteger(n) || n < 0) throw new KernelError('badArgument', String(n));
  return n;
}
