/**
 * The file server: a program outside the kernel, one process which a team of threads works for. It manages names below its
 * prefixes and has open files as instances. Every request names an instance, or carries a name.
 *
 * Lost in a crash: the process with its number, instances, locks. What clients had open they open again, under the number
 * of the next one.
 */
import type { Task } from '@backplane/engine';
import {
  attributesOf,
  Locks,
  type OpenRequest,
  openName,
  permittedChange,
  ServedDomains,
} from '@backplane/file-service';
import {
  type Attributes,
  authority,
  done,
  type EntityId,
  type FileId,
  type Ipc,
  isKernelError,
  type Machine,
  type Naming,
  type OpenHow,
  type Storage,
  type Streams,
  staleName,
  type WireAttempt,
  type WriteWhen,
} from '@backplane/slots';
import {
  lockFile,
  modifyObject,
  names,
  type OpenedFile,
  openFile,
  queryObject,
  reopenFile,
  type ServedInstance,
  ServedObjects,
} from '@backplane/uio';
import { FileObject, resize } from './file-object.ts';
import { LockManager } from './lock-manager.ts';
import { Team } from './team.ts';

type FileInstance = ServedInstance<FileObject>;

export interface FileServerOptions {
  readonly threads: number;
  readonly probeNs: number;
  readonly writes: WriteWhen;
}

export interface FileServerParts {
  readonly storages: ReadonlyMap<string, Storage>;
  readonly ipc: Ipc;
  readonly streams: Streams;
  readonly naming: Naming;
  readonly machine: Machine;
}

export class FileServer {
  readonly objects: ServedObjects<FileObject>;
  readonly #domains: ServedDomains;
  readonly #locks: Locks;
  readonly #naming: Naming;
  readonly #machine: Machine;
  readonly #writes: WriteWhen;
  readonly #storages: ReadonlyMap<string, Storage>;
  readonly #pages: LockManager;
  #opens = 0;

  constructor({ storages, ipc, streams, naming, machine }: FileServerParts, o: FileServerOptions) {
    this.#naming = naming;
    this.#machine = machine;
    this.#writes = o.writes;
    this.#locks = new Locks((w) => streams.wake(w));
    this.#domains = new ServedDomains(storages, machine, {
      *fresh(_, attributes) {
        return attributes;
      },
      freed: () => {},
    });
    const { serving } = this.#domains;
    const team = new Team(o.threads);
    const storage = (f: FileId): Storage => this.#storage(f);
    this.#storages = storages;
    this.#pages = new LockManager({ ipc, machine, team, storage, writes: o.writes });
    this.objects = new ServedObjects<FileObject>(ipc, machine, {
      name: 'file server',
      model: 'messages',
      concurrent: Number.MAX_SAFE_INTEGER, // the team's threads are the limit
      probeNs: o.probeNs,
      within: (operation) => serving.handle(team.work(operation)),
    });
    this.#serve();
  }

  /** Serves when the storages are whole, and lets itself be found. */
  *start(protocol: string): Task<void> {
    yield* this.#domains.start(this.#naming, protocol, authority(this.objects.process.id));
    yield* this.#pages.start(this.#storages.values());
  }

  *halt(): Task<void> {
    yield* this.#pages.halt(this.#storages.values());
    yield* this.#domains.halt();
  }

  /** What files have beside what every object has. */
  #serve(): void {
    const { objects } = this;
    this.#domains.serveNames(objects.operations, names);
    objects.operations.serve(openFile, (q) => this.#open(q));
    objects.operations.serve(reopenFile, (q) => this.#opened(q.file, q.how, q.owner));
    objects.onProcedure(queryObject, (i) => this.#query(i));
    objects.onProcedure(modifyObject, (i, q) => this.#setAttributes(i, q));
    objects.onProcedure(lockFile, (i, q) => this.#lock(i, q));
    for (const [code, operation] of this.#pages.operations()) objects.onInstance(code, operation);
  }

  // ---- opening ----

  *#open(q: OpenRequest & { readonly owner: EntityId }): Task<WireAttempt<OpenedFile>> {
    try {
      const domain = this.#domains.of(q.start);
      const opened = yield* openName(domain, q.how, q.start, q.path, q);
      if (opened.is !== 'done') return opened;
      const { file, created } = opened.value;
      const cut = (): Task<void> => resize(domain.storage, file, 0, this.#writes);
      if (q.how.truncate === true && !created) yield* this.#pages.resizing(file, 0, cut);
      return done(yield* this.#opened(file, q.how, q.owner));
    } catch (e) {
      if (isKernelError(e, 'stale')) return staleName;
      throw e;
    }
  }

  *#opened(file: FileId, how: OpenHow, owner: EntityId): Task<OpenedFile> {
    const { storage, opens } = this.#domains.of(file);
    const attributes = yield* storage.attributes(file);
    opens.open(file);
    const closed = (o: FileObject): Task<void> => this.#closed(o);
    const object = new FileObject(++this.#opens, storage, file, how, this.#writes, this.#pages, closed);
    const { number } = this.objects.add(object, owner);
    return { manager: this.objects.process.id, instance: number, file, uio: object.attributes, attributes };
  }

  *#closed(o: FileObject): Task<void> {
    this.#pages.detached(o);
    const own = ownerOf(o, '');
    this.#locks.breakWhere((owner, key) => key === o.lockKey && owner.startsWith(own));
    yield* this.#domains.of(o.file).closed(o.file);
  }

  // ---- what is done to them ----

  *#query({ object: { file } }: FileInstance): Task<Attributes> {
    return attributesOf(this.#machine.host, file, yield* this.#storage(file).attributes(file));
  }

  *#setAttributes(
    { object: { file } }: FileInstance,
    q: Parameters<typeof modifyObject.request.encode>[0],
  ): Task<null> {
    const storage = this.#storage(file);
    const { nowNs } = this.#machine.engine;
    const change = permittedChange(q.change, yield* storage.attributes(file), q.who, nowNs);
    yield* storage.setAttributes(file, change);
    return null;
  }

  *#lock({ object }: FileInstance, q: Parameters<typeof lockFile.request.encode>[0]): Task<null> {
    this.#locks.lock(object.lockKey, ownerOf(object, q.owner), q.mode, q.waiter);
    return null;
  }

  #storage(file: FileId): Storage {
    return this.#domains.of(file).storage;
  }
}

const ownerOf = ({ open }: FileObject, stream: string): string => `${open}/${stream}`;
