/**
 * The client's half of names at file servers: each operation carries the rest of a name to the manager that naming has found,
 * as one message. What comes of it is what naming's loop goes on with.
 *
 *   answer                                      outcome
 *   done, another name, "not mine"              the same
 *   nobody by that number, says a living host   the manager is gone: another one may have the names
 *   silence                                     it may come back
 */
import { charge, sleep, type Task, tasks } from '@backplane/engine';
import { RemoteNames, startOf, type Unanswered } from '@backplane/file-service';
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
  type TwoNameOp,
} from '@backplane/slots';
import { type Asker, callProcedure } from './asker.ts';
import { openCached, reopenCached } from './cached-files.ts';
import { names, type OpenedFile, openFile, reopenFile } from './file-operations.ts';
import { lookAgainNs, reach } from './reach.ts';

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

export class FileClient {
  static {
    tasks(FileClient);
  }

  readonly #parts: FileClientParts;
  readonly #names: RemoteNames;

  constructor(parts: FileClientParts) {
    this.#parts = parts;
    this.#names = new RemoteNames(parts, names, (to, procedure, request) =>
      this.#reach(to, procedure, request),
    );
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
    if (directory === undefined) return yield* this.#names.attempt(t.authority, openFile, request);
    const cached = { ...request, manager: managerOf(t.authority), prefix: t.prefix };
    return yield* this.#names.attempt(t.authority, openCached, cached, (to, procedure, q) =>
      this.#reach(to, procedure, q, directory),
    );
  }

  *name<K extends keyof NameOps>(
    t: NameTarget,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<Attempt<NameOps[K]['out']>> {
    return yield* this.#names.name(t, op, argument, who);
  }

  *nameTwo(
    op: TwoNameOp,
    a: NameTarget,
    b: NameTarget,
    who: Credentials,
  ): Task<Attempt<null> | SecondAttempt<null>> {
    return yield* this.#names.nameTwo(op, a, b, who);
  }

  /**
   * A file that is known by its number, at whoever has its prefix: once more after its manager's death, or for another owner,
   * who may be on another host: then not by way of our directory. Returns when it is open.
   *
   * @throws KernelError `stale` when it is not there any more
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
        return yield* view.perform(prefix, 'object', (t) => this.#reopenAt(t, { owner, file, how }));
      } catch (e) {
        if (!isKernelError(e, 'notFound') && !isKernelError(e, 'noAnswer')) throw e;
        yield* sleep(lookAgainNs);
      }
    }
  }

  *#reopenAt(
    { authority, prefix }: NameTarget,
    request: { readonly owner: EntityId; readonly file: FileId; readonly how: OpenHow },
  ): Task<Attempt<OpenedFile>> {
    const ours = request.owner === this.#parts.owner;
    const directory = ours ? yield* this.#parts.directory?.() ?? nowhere() : undefined;
    const opened =
      directory === undefined
        ? yield* this.#reach(authority, reopenFile, request)
        : yield* this.#reach(
            authority,
            reopenCached,
            { ...request, manager: managerOf(authority), prefix },
            directory,
          );
    return 'is' in opened ? opened : done(opened);
  }

  /** @param by who asks the manager for us */
  #reach<Q, R>(
    to: Authority,
    procedure: Procedure<Q, R>,
    request: NoInfer<Q>,
    by?: EntityId,
  ): Task<R | Unanswered> {
    const manager = managerOf(to);
    return reach(this.#parts, manager, callProcedure(this.#parts.asker, by ?? manager, procedure, request));
  }
}

/** @throws KernelError `badArgument` for the authority of another protocol */
function managerOf(a: Authority): EntityId {
  if (!/^[0-9a-f]{16}$/.test(a)) throw new KernelError('badArgument', a);
  return entityId(a);
}

function* nowhere(): Task<undefined> {}
