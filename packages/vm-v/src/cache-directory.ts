/**
 * The cache directory of a host (Cheriton 1988): a server, outside of the kernel in V, that turns a request to open a file
 * into a locally cached open file. It opens the real one at its server and binds it to an object of this host's memory, the
 * same one for the same (server, file, version); programs then read and write by asking the memory server.
 *
 * What is no file (a directory, a device), or of a manager that lends no pages, stays with its manager, in its owner's name.
 */
import { type Task, tasks } from '@backplane/engine';
import { fileKey } from '@backplane/file-service';
import {
  done,
  type EntityId,
  entityId,
  type FileId,
  type Ipc,
  isKernelError,
  type Machine,
  type Message,
  message,
  type Naming,
  type ObjectPages,
  type OpenHow,
  ReplyCode,
  type Server,
  type WireAttempt,
  wellKnown,
} from '@backplane/slots';
import {
  findDirectory,
  type OpenedFile,
  openCached,
  openFile,
  reach,
  reopenFile,
  Senders,
  ServedOperations,
  toSetOwner,
} from '@backplane/uio';
import type { Place } from './opening.ts';

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
  opens = 0;

  constructor(parts: CacheDirectoryParts, concurrent: number) {
    const { ipc, machine } = parts;
    this.#parts = parts;
    this.#senders = new Senders(ipc, machine);
    const process = ipc.create({ name: 'cache directory', scope: machine.scope, space: null });
    const operations = new ServedOperations();
    operations.serve(openCached, (q) => this.#open(q));
    operations.raw(findDirectory, found);
    process.serve((r) => operations.perform(r.message, r.from), { concurrent });
    if (parts.objects !== undefined) process.join(ipc.wellKnownGroup(wellKnown.cacheDirectories));
    this.process = process.id;
  }

  *#open(q: Request): Task<WireAttempt<OpenedFile>> {
    this.opens++;
    const owner = this.#senders.owner;
    const opened = yield* this.#senders.call(q.manager, openFile, { ...q, owner });
    if (opened.is !== 'done') return opened;
    const { manager, instance, file, attributes, uio } = opened.value;
    const { objects } = this.#parts;
    if (attributes.type === 'file' && objects !== undefined) {
      try {
        const object = yield* objects.open({
          manager,
          instance,
          key: `${q.prefix}:${fileKey(file)}:${attributes.version}`,
          writable: q.how.write === true && q.how.append !== true,
          reopen: () => this.#reopen(q.prefix, file, q.how),
        });
        const local = objects.publish(object, { owner: q.owner, attributes: uio });
        return done({ ...opened.value, manager: objects.server, instance: local });
      } catch (e) {
        if (!isKernelError(e, 'unsupported')) throw e;
      }
    }
    yield* this.#senders.send(manager, toSetOwner(instance, q.owner));
    return opened;
  }

  /** The file once more, at the manager that its prefix leads to now. */
  *#reopen(prefix: string, file: FileId, { read, write, append }: OpenHow): Task<Place> {
    const request = {
      owner: this.#senders.owner,
      file,
      how: { read: read === true, write: write === true, append: append === true },
    };
    return yield* this.#parts.naming.view().perform<Place>(prefix, 'object', (t) => {
      const server = entityId(t.authority);
      return reach(this.#parts.ipc, server, again(this.#senders.call(server, reopenFile, request)));
    });
  }
}

function* again(opening: Task<OpenedFile>): Task<WireAttempt<Place>> {
  return done(yield* opening);
}

function* found(): Task<Message> {
  return message({ code: ReplyCode.ok });
}
