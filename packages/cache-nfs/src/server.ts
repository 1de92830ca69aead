/**
 * The server's half: nothing is kept between calls, so a reboot is nothing but silence to its clients. Requests wait until
 * the storages are whole, and from the beginning of a halt.
 *
 * What a call changed is on the medium, with all that leads to it, when it is answered; else a client that was told "done"
 * would lose it in a crash. Permission is checked in each call. The owner may always read and write, since he may have
 * opened the file before its mode was changed; who may execute may read.
 *
 * This host's own programs are not its clients: what they write is delayed as on any local file system.
 */
import { charge, type Task, tasks } from '@backplane/engine';
import {
  type Asker,
  type Domain,
  demand,
  linkText,
  type NameRequest,
  nameOperation,
  type OwnCalls,
  permits,
  permittedChange,
  ServedDomains,
  type TwoNameReply,
  type TwoNameRequest,
  twoNameOperation,
} from '@backplane/file-service';
import {
  Busy,
  type Caller,
  type Credentials,
  componentBytesMax,
  type FileId,
  isKernelError,
  KernelError,
  type Machine,
  type NameOps,
  type Naming,
  type Storage,
  type StoredAttributes,
  type WireAttempt,
} from '@backplane/slots';
import { utf8Length } from '@backplane/wire';
import {
  type CreateRequest,
  create,
  getAttributes,
  lookup,
  names,
  type Of,
  read,
  readLink,
  type Seen,
  setAttributes,
  setSize,
  write,
} from './procedures.ts';

/** The operations on a directory's entries that change something. */
type EntryOp = 'unlink' | 'makeDirectory' | 'removeDirectory' | 'makeLink';

export class Server {
  static {
    tasks(Server);
  }

  readonly #domains: ServedDomains;
  readonly #machine: Machine;
  readonly #calls: Pick<OwnCalls, 'serve'>;
  readonly #naming: Naming;

  constructor(storages: ReadonlyMap<string, Storage>, machine: Machine, calls: OwnCalls, naming: Naming) {
    this.#machine = machine;
    this.#naming = naming;
    this.#domains = new ServedDomains(storages, machine, {
      *fresh(_, attributes) {
        return attributes;
      },
      freed: () => {},
    });
    this.#calls = this.#domains.serving.over(calls);
    this.#serveAll();
  }

  *start(): Task<void> {
    yield* this.#domains.start(this.#naming, 'nfs');
  }

  *halt(): Task<void> {
    yield* this.#domains.halt();
  }

  #serveAll(): void {
    const calls = this.#calls;
    calls.serve(getAttributes, (file) => this.#getAttributes(file));
    calls.serve(setAttributes, (q, from) => this.#setAttributes(q, q.change, from));
    calls.serve(setSize, (q, from) => this.#setSize(q, q.sizeBytes, from));
    calls.serve(lookup, (q) => this.#lookup(q, q.name));
    calls.serve(readLink, (file) => this.#readLink(file));
    calls.serve(read, (q) => this.#read(q, q.at, q.count));
    calls.serve(write, (q, from) => this.#write(q.record, q.record.at, q.data, from));
    calls.serve(create, (q, from) => this.#create(q, from));
    calls.serve(names.one.entries, (q) =>
      nameOperation(this.#domains.of(q.start), 'entries', q.argument, q.start, q.path, q),
    );
    this.#serveEntry('unlink');
    this.#serveEntry('makeDirectory');
    this.#serveEntry('removeDirectory');
    this.#serveEntry('makeLink');
    calls.serve(names.two.rename, (q, from) => this.#two('rename', q, from));
    calls.serve(names.two.link, (q, from) => this.#two('link', q, from));
  }

  // ---- files

  *#getAttributes(file: FileId): Task<StoredAttributes> {
    charge(this.#machine.type.costs.attributesNs, Busy.files);
    return yield* this.#domains.of(file).storage.attributes(file);
  }

  *#setAttributes(
    q: Of,
    change: Parameters<Storage['setAttributes']>[1],
    from: Caller,
  ): Task<StoredAttributes> {
    const { storage, nowNs } = this.#domains.of(q.file);
    charge(this.#machine.type.costs.attributesNs, Busy.files);
    const before = yield* storage.attributes(q.file);
    yield* storage.setAttributes(q.file, permittedChange(change, before, q.who, nowNs));
    yield* this.#commit(storage, from, q.file);
    return yield* storage.attributes(q.file);
  }

  *#setSize(q: Of, sizeBytes: number, from: Caller): Task<StoredAttributes> {
    const { storage } = this.#domains.of(q.file);
    demandUse(yield* storage.attributes(q.file), q.who, 'write');
    yield* storage.truncate(q.file, sizeBytes);
    yield* this.#commit(storage, from, q.file);
    return yield* storage.attributes(q.file);
  }

  *#read(
    q: Of,
    at: number,
    count: number,
  ): Task<{ readonly record: StoredAttributes; readonly data: Uint8Array }> {
    const { storage } = this.#domains.of(q.file);
    demandUse(yield* storage.attributes(q.file), q.who, 'read');
    const data = yield* storage.read(q.file, at, count);
    return { record: yield* storage.attributes(q.file), data };
  }

  *#write(q: Of, at: number, data: Uint8Array, from: Caller): Task<StoredAttributes> {
    const { storage } = this.#domains.of(q.file);
    demandUse(yield* storage.attributes(q.file), q.who, 'write');
    yield* storage.write(q.file, at, data, from.host === this.#machine.host ? 'delayed' : 'through');
    yield* this.#commit(storage, from, q.file);
    return yield* storage.attributes(q.file);
  }

  *#readLink(file: FileId): Task<string> {
    const { storage } = this.#domains.of(file);
    const { type, sizeBytes } = yield* storage.attributes(file);
    if (type !== 'symlink' && type !== 'remoteLink') throw new KernelError('badArgument', 'not a link');
    return linkText(yield* storage.read(file, 0, sizeBytes));
  }

  // ---- directories

  *#lookup(q: Of, name: string): Task<Seen> {
    const { storage } = this.#domains.of(q.file);
    yield* this.#searchable(storage, q, name);
    const file = yield* storage.lookup(q.file, name);
    if (file === undefined) throw new KernelError('notFound', name);
    return { file, attributes: yield* storage.attributes(file) };
  }

  /** A file that is there already is handed out as it is, unless it had to be a new one. */
  *#create(q: CreateRequest, from: Caller): Task<Seen> {
    const { storage } = this.#domains.of(q.file);
    const directory = yield* this.#searchable(storage, q, q.name);
    let file = yield* storage.lookup(q.file, q.name);
    if (file === undefined) {
      if (directory.links === 0) throw new KernelError('notFound', 'a directory that was removed');
      demand(directory, q.who, 'write');
      const made = { type: 'file', mode: q.mode & 0o7777, uid: q.who.uid, gid: directory.gid } as const;
      try {
        file = yield* storage.create(q.file, q.name, made);
        yield* this.#commit(storage, from, file, q.file);
      } catch (e) {
        // Another client may have made it meanwhile.
        if (q.exclusive || !isKernelError(e, 'exists')) throw e;
        return yield* this.#create(q, from);
      }
    } else if (q.exclusive) throw new KernelError('exists', q.name);
    return { file, attributes: yield* storage.attributes(file) };
  }

  *#searchable(storage: Storage, q: Of, name: string): Task<StoredAttributes> {
    const directory = yield* storage.attributes(q.file);
    if (directory.type !== 'directory') throw new KernelError('notDirectory', name);
    if (!permits(directory, q.who, 'execute')) throw new KernelError('permission', name);
    if (utf8Length(name) > componentBytesMax) throw new KernelError('nameTooLong', name.slice(0, 40));
    charge(this.#machine.type.costs.componentLookupNs, Busy.files);
    return directory;
  }

  #serveEntry<K extends EntryOp>(op: K): void {
    this.#calls.serve<NameRequest<NameOps[K]['in']>, WireAttempt<NameOps[K]['out']>>(
      names.one[op],
      (q, from) => this.#entry(op, q, from),
    );
  }

  *#entry<K extends EntryOp>(
    op: K,
    q: NameRequest<NameOps[K]['in']>,
    from: Caller,
  ): Task<WireAttempt<NameOps[K]['out']>> {
    const domain = this.#domains.of(q.start);
    const outcome = yield* nameOperation(domain, op, q.argument, q.start, q.path, q);
    if (outcome.is !== 'done') return outcome;
    const added =
      op === 'makeDirectory' || op === 'makeLink' ? yield* this.#added(domain, q.start, q.path) : [];
    yield* this.#commit(domain.storage, from, ...added, q.start);
    return outcome;
  }

  /** The object that has just got this name, unless somebody was quick to remove it. */
  *#added(d: Domain, directory: FileId, path: string): Task<readonly FileId[]> {
    const [name = ''] = path.split('/');
    const file = yield* d.storage.lookup(directory, name);
    return file === undefined ? [] : [file];
  }

  *#two(op: 'rename' | 'link', q: TwoNameRequest & Asker, from: Caller): Task<TwoNameReply> {
    const { first, second } = q;
    if (first.start.domain !== second.start.domain) throw new KernelError('crossDomain');
    const domain = this.#domains.of(first.start);
    const outcome = yield* twoNameOperation(domain, op, first, second, q);
    // The new name first: a file must not be without any in between.
    if (outcome.is === 'done') yield* this.#commit(domain.storage, from, second.start, first.start);
    return outcome;
  }

  /** For another host everything is on the medium before the answer. */
  *#commit(storage: Storage, from: Caller, ...changed: readonly FileId[]): Task<void> {
    if (from.host === this.#machine.host) return;
    for (const f of changed) yield* storage.sync(f);
  }
}

/** @throws KernelError `permission`, `isDirectory` */
function demandUse(a: StoredAttributes, who: Credentials, need: 'read' | 'write'): void {
  if (a.type === 'directory') throw new KernelError('isDirectory');
  if (who.uid === a.uid || (need === 'read' && permits(a, who, 'execute'))) return;
  demand(a, who, need);
}
