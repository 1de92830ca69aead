/**
 * The client's half of names at file servers: each operation carries the rest of a name to the manager that naming has found,
 * as one message. What comes of it is what naming's loop goes on with.
 *
 *   answer                                      outcome
 *   done, another name, "not mine"              the same
 *   nobody by that number, says a living host   the manager is gone: another one may have the names
 *   silence                                     it may come back
 */
import { charge, seconds, settle, sleep, type Task, tasks } from '@backplane/engine';
import { startOf } from '@backplane/file-service';
import {
  type Attempt,
  type Authority,
  Busy,
  type Credentials,
  done,
  type EntityId,
  entityId,
  type FileId,
  isKernelError,
  KernelError,
  type MachineType,
  type NameOps,
  type NameTarget,
  type NameView,
  type OpenHow,
  type Probed,
  type Procedure,
  type SecondAttempt,
  staleName,
  type TwoNameOp,
  type Verdict,
  type WireAttempt,
} from '@backplane/slots';
import { type Asker, callProcedure } from './asker.ts';
import { openCached } from './cached-files.ts';
import { names, type OpenedFile, openFile, reopenFile } from './file-operations.ts';

/** Between two looks whether a server that is silent is back. */
const againNs = /* @__PURE__ */ seconds(1);

/** On whose behalf. All of it may change when a program moves. */
export interface FileClientParts {
  readonly asker: Asker;
  /** Instances are opened for this process: they go when it dies. */
  readonly owner: EntityId;
  readonly type: MachineType;
  probe(manager: EntityId): Task<Probed>;
  /** The cache directory by way of which files are opened; none: at their managers. */
  directory?(): Task<EntityId | undefined>;
}

/** Nobody has answered. */
type Gone<T> = Extract<Attempt<T>, { readonly is: 'unreachable' }> | typeof staleName;

export class FileClient {
  static {
    tasks(FileClient);
  }

  readonly #parts: FileClientParts;

  constructor(parts: FileClientParts) {
    this.#parts = parts;
  }

  *open(t: NameTarget, how: OpenHow, who: Credentials): Task<Attempt<OpenedFile>> {
    charge(this.#parts.type.costs.openClientNs, Busy.files);
    const request = {
      start: startOf(t.root),
      path: t.remainder,
      how,
      who,
      machineType: this.#parts.type.name,
      owner: this.#parts.owner,
    };
    const directory = yield* this.#parts.directory?.() ?? nowhere();
    if (directory === undefined) return yield* this.#attempt(t.authority, openFile, request);
    const cached = { ...request, manager: managerOf(t.authority), prefix: t.prefix };
    return yield* this.#attempt(t.authority, openCached, cached, directory);
  }

  *name<K extends keyof NameOps>(
    t: NameTarget,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<Attempt<NameOps[K]['out']>> {
    const request = {
      start: startOf(t.root),
      path: t.remainder,
      who,
      machineType: this.#parts.type.name,
      argument,
    };
    return yield* this.#attempt(t.authority, names.one[op], request);
  }

  *nameTwo(
    op: TwoNameOp,
    a: NameTarget,
    b: NameTarget,
    who: Credentials,
  ): Task<Attempt<null> | SecondAttempt<null>> {
    const request = {
      first: { start: startOf(a.root), path: a.remainder },
      second: { start: startOf(b.root), path: b.remainder },
      who,
      machineType: this.#parts.type.name,
    };
    return yield* this.#attempt<typeof request, null, WireAttempt<null> | SecondAttempt<null>>(
      a.authority,
      names.two[op],
      request,
    );
  }

  /**
   * A file that is known by its number, at whoever has its prefix: once more after its server's death, or for another owner.
   * Returns when it is open. @throws KernelError `stale` when it is not there any more
   */
  *reopen(
    view: NameView,
    prefix: string,
    file: FileId,
    how: OpenHow,
    owner: EntityId = this.#parts.owner,
  ): Task<OpenedFile> {
    for (;;) {
      try {
        // Through naming, which forgets the manager that is gone.
        return yield* view.perform(prefix, 'object', (t) =>
          this.#reopenAt(t.authority, { owner, file, how }),
        );
      } catch (e) {
        if (!isKernelError(e, 'notFound') && !isKernelError(e, 'noAnswer')) throw e;
        yield* sleep(againNs);
      }
    }
  }

  *#reopenAt(
    to: Authority,
    request: { readonly owner: EntityId; readonly file: FileId; readonly how: OpenHow },
  ): Task<Attempt<OpenedFile>> {
    const opened = yield* this.#reach(to, reopenFile, request);
    return 'is' in opened ? opened : done(opened);
  }

  /** One message about a name. */
  *#attempt<Q, T, R extends WireAttempt<T> | SecondAttempt<T>>(
    to: Authority,
    procedure: Procedure<Q, R>,
    request: NoInfer<Q>,
    by?: EntityId,
  ): Task<R | Gone<T>> {
    charge(this.#parts.type.costs.clientNamingNs, Busy.files);
    yield* settle();
    return yield* this.#reach(to, procedure, request, by);
  }

  /** @param by who asks the manager for us */
  *#reach<Q, R>(
    to: Authority,
    procedure: Procedure<Q, R>,
    request: NoInfer<Q>,
    by?: EntityId,
  ): Task<R | Gone<never>> {
    const manager = managerOf(to);
    try {
      return yield* callProcedure(this.#parts.asker, by ?? manager, procedure, request);
    } catch (e) {
      if (!isKernelError(e, 'peerDown')) throw e;
      if ((yield* this.#parts.probe(manager)) === 'nonexistent') return staleName;
      return { is: 'unreachable', wait: () => this.#await() };
    }
  }

  *#await(): Task<Verdict> {
    yield* sleep(againNs);
    return 'retry';
  }
}

/** @throws KernelError `badArgument` for the authority of another protocol */
function managerOf(a: Authority): EntityId {
  if (!/^[0-9a-f]{16}$/.test(a)) throw new KernelError('badArgument', a);
  return entityId(a);
}

function* nowhere(): Task<undefined> {}
