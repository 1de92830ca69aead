/**
 * A simple debugger: a handler of exceptions, which keeps the processes that raise one until it is told what to do. It looks
 * into them by messages to the servers of the kernel on which they run; so it may be on another host, and can nothing that
 * other programs cannot.
 */
import { type Scope, type Task, tasks, WaitQueue } from '@backplane/engine';
import { type EntityId, type Ipc, type IpcProcess, KernelError, noEntity, wellKnown } from '@backplane/slots';
import {
  ask,
  bindRegion,
  destroyProcess,
  type ExceptionKind,
  exceptionKinds,
  handleExceptions,
  Operations,
  querySpace,
  raiseException,
  readSpace,
  spaceOf,
  writeSpace,
} from '@backplane/v-operations';

/** A process that waits for what the debugger decides. */
export interface Stopped {
  readonly process: EntityId;
  readonly kind: ExceptionKind;
  readonly address: number;
  readonly write: boolean;
}

export class Debugger {
  static {
    tasks(Debugger);
  }

  readonly #ipc: Ipc;
  readonly #self: IpcProcess;
  readonly #handler: IpcProcess;
  readonly #stopped = new Map<EntityId, { readonly stopped: Stopped; readonly decided: WaitQueue<number> }>();
  readonly #arrivals = new WaitQueue<Stopped>();

  constructor(ipc: Ipc, scope: Scope) {
    this.#ipc = ipc;
    this.#self = ipc.create({ name: 'debugger', scope, space: null });
    this.#handler = ipc.create({ name: 'debugger', scope, space: null });
    new Operations().on(raiseException, (q) => this.#stop(q)).serve(this.#handler, Number.POSITIVE_INFINITY);
  }

  /** Handles the exceptions of one process, of the program that it belongs to, or of everybody on its host. */
  *attach(process: EntityId, what: 'process' | 'program' | 'host'): Task<void> {
    const servers = this.#ipc.wellKnownGroup(wellKnown.exceptionServers);
    const space = what === 'program' ? yield* this.#space(process) : 0;
    const request = {
      process: what === 'process' ? process : noEntity,
      space,
      handler: this.#handler.id,
    };
    yield* ask(this.#self, servers, handleExceptions, request, { beside: process });
  }

  get stopped(): readonly Stopped[] {
    return [...this.#stopped.values()].map((s) => s.stopped);
  }

  /** Waits for the next process that stops; undefined when none does in this time. */
  *next(waitNs: number): Task<Stopped | undefined> {
    return yield* this.#arrivals.wait(waitNs);
  }

  *examine(process: EntityId, address: number, count: number): Task<Uint8Array> {
    const space = yield* this.#space(process);
    return (yield* ask(this.#self, this.#memory, readSpace, { space, address, count }, { beside: process }))
      .content;
  }

  *deposit(process: EntityId, address: number, content: Uint8Array): Task<void> {
    const space = yield* this.#space(process);
    yield* ask(this.#self, this.#memory, writeSpace, { space, address, content }, { beside: process });
  }

  /** Gives it pages of zeros where there was nothing. */
  *give(process: EntityId, address: number, pages: number): Task<void> {
    const space = yield* this.#space(process);
    const { pageBytes } = yield* ask(this.#self, this.#memory, querySpace, { space }, { beside: process });
    const first = Math.floor(address / pageBytes);
    yield* ask(
      this.#self,
      this.#memory,
      bindRegion,
      { space, first, pages, writable: 1, object: null },
      { beside: process },
    );
  }

  /** It tries again what went wrong. @throws KernelError `noProcess` unless it is stopped here */
  resume(process: EntityId): void {
    this.#decide(process, 1);
  }

  *kill(process: EntityId): Task<void> {
    const managers = this.#ipc.wellKnownGroup(wellKnown.processManagers);
    yield* ask(this.#self, managers, destroyProcess, { process }, { beside: process });
    const s = this.#stopped.get(process);
    this.#stopped.delete(process);
    s?.decided.wakeAll(0);
  }

  get #memory(): EntityId {
    return this.#ipc.wellKnownGroup(wellKnown.memoryManagers);
  }

  *#space(process: EntityId): Task<number> {
    return (yield* ask(this.#self, this.#memory, spaceOf, { process }, { beside: process })).space;
  }

  #decide(process: EntityId, retry: number): void {
    const s = this.#stopped.get(process);
    if (s === undefined) throw new KernelError('noProcess', `${process} is not stopped`);
    this.#stopped.delete(process);
    s.decided.wakeAll(retry);
  }

  *#stop(q: ReturnType<typeof raiseException.requested>): Task<{ readonly retry: number }> {
    const kind = exceptionKinds[q.kind];
    if (kind === undefined) throw new KernelError('badArgument', `exception ${q.kind}`);
    const stopped = { process: q.process, kind, address: q.address, write: q.write === 1 };
    const decided = new WaitQueue<number>();
    this.#stopped.set(q.process, { stopped, decided });
    this.#arrivals.wakeOne(stopped);
    return { retry: (yield* decided.wait()) ?? 0 };
  }
}
