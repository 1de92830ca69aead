/**
 * The cache directory of a host (Cheriton 1988): a server, outside of the kernel in V, that turns a request to open a file
 * into a locally cached open file. It opens the real one at its server and binds it to an object of this host's memory, the
 * same one for the same (server, file, version); programs then read and write by asking the memory server.
 *
 * What is no file (a directory, a device), or of a manager that lends no pages, stays with its manager, in its owner's name.
 */
import { type Task, tasks } from '@backplane/engine';
import {
  done,
  type EntityId,
  type Ipc,
  isKernelError,
  type Machine,
  type Naming,
  type ObjectPages,
  type OpenHow,
  type Server,
  type WireAttempt,
  wellKnown,
} from '@backplane/slots';
import {
  directoryFound,
  findDirectory,
  keyOfFile,
  type OpenedFile,
  openCached,
  openFile,
  reopenCached,
  reopenFile,
  Senders,
  ServedOperations,
  toSetOwner,
} from '@backplane/uio';
import { FindingAgain } from './finding-again.ts';

type Request = Parameters<typeof openCached.request.encode>[0];

export interface CacheDirectoryParts {
  readonly ipc: Ipc;
  readonly naming: Naming;
  /** None: memory here is no cache, and nobody finds the directory. */
  readonly objects: ObjectPages | undefined;
  readonly machine: Machine;
}

export class CacheDirectory implements Server {
  static {
    tasks(CacheDirectory);
  }

  readonly process: EntityId;
  readonly #parts: CacheDirectoryParts;
  readonly #senders: Senders;
  readonly #finding: FindingAgain;
  opens = 0;

  constructor(parts: CacheDirectoryParts, concurrent: number) {
    const { ipc, machine } = parts;
    this.#parts = parts;
    this.#senders = new Senders(ipc, machine);
    this.#finding = new FindingAgain({ ipc, naming: parts.naming, senders: this.#senders });
    const process = ipc.create({ name: 'cache directory', scope: machine.scope, space: null });
    const operations = new ServedOperations();
    operations.serve(openCached, (q) => this.#open(q));
    operations.serve(reopenCached, (q) => this.#reopen(q));
    const found = directoryFound(parts.objects?.server);
    operations.raw(findDirectory, function* () {
      return found;
    });
    process.serve((r) => operations.perform(r.message, r.from), { concurrent });
    if (parts.objects !== undefined) process.join(ipc.wellKnownGroup(wellKnown.cacheDirectories));
    this.process = process.id;
  }

  *#open(q: Request): Task<WireAttempt<OpenedFile>> {
    this.opens++;
    const owner = this.#senders.owner;
    let opened: WireAttempt<OpenedFile>;
    try {
      opened = yield* this.#senders.call(q.manager, openFile, { ...q, owner });
    } catch (e) {
      // Errors do not say over the wire that nobody has had the request; that there is no such manager does.
      const gone = isKernelError(e, 'peerDown') && e.untaken;
      if (gone && (yield* this.#parts.ipc.probe(q.manager)) === 'nonexistent') return { is: 'stale' };
      throw e;
    }
    return opened.is === 'done' ? done(yield* this.#cached(opened.value, q)) : opened;
  }

  *#reopen(q: Parameters<typeof reopenCached.request.encode>[0]): Task<OpenedFile> {
    this.opens++;
    const owner = this.#senders.owner;
    const opened = yield* this.#senders.call(q.manager, reopenFile, { ...q, owner });
    return yield* this.#cached(opened, q);
  }

  *#cached(
    opened: OpenedFile,
    q: { readonly owner: EntityId; readonly prefix: string; readonly how: OpenHow },
  ): Task<OpenedFile> {
    const { manager, instance, file, attributes, uio } = opened;
    const { objects } = this.#parts;
    if (attributes.type === 'file' && objects !== undefined) {
      const named = { prefix: q.prefix, file };
      try {
        const object = yield* objects.open({
          manager,
          instance,
          key: keyOfFile(named, attributes.version),
          writable: q.how.write === true && q.how.append !== true,
          reopen: () => this.#finding.open(named, q.how),
        });
        const local = objects.publish(object, { owner: q.owner, attributes: uio });
        return { ...opened, manager: objects.server, instance: local };
      } catch (e) {
        if (!isKernelError(e, 'unsupported')) throw e;
      }
    }
    yield* this.#senders.send(manager, toSetOwner(instance, q.owner));
    return opened;
  }
}
