/**
 * The client's half: names by its own walk, files through its cached blocks, attributes polled. It keeps the promises that
 * a stateless server cannot: an unlinked file that is open here lives on under another name, and locks bind the
 * processes of this host.
 */
import { charge, settle, type Task, tasks } from '@backplane/engine';
import {
  type Ask,
  attributesOf,
  demand,
  fileKey,
  fileOfToken,
  fileToken,
  Locks,
  nameAgain,
  namesAgain,
  renamedAgain,
  sameFile,
  serverOf,
} from '@backplane/file-service';
import {
  type Attempt,
  authority,
  Busy,
  type Credentials,
  done,
  type Elsewhere,
  type FileId,
  type FileProtocol,
  type HostId,
  isKernelError,
  KernelError,
  type Movable,
  type NameOps,
  type NameTarget,
  type ObjectRef,
  type OpenHow,
  type OpenObject,
  type Procedure,
  type SecondAttempt,
  type StreamPlace,
  staleName,
  type TwoNameOp,
} from '@backplane/slots';
import { type ClientParts, persist } from './client-parts.ts';
import { ClientWalk, type Parent, type Walked } from './client-walk.ts';
import { FileTable } from './file-table.ts';
import { luggageOf } from './moving.ts';
import type { NfsFile } from './nfs-file.ts';
import { type Closing, cut, OpenFile } from './open-file.ts';
import { create, getAttributes, names, readLink, setAttributes } from './procedures.ts';
import type { Server } from './server.ts';

/** The operations on an entry, which the server is asked for with the directory and one name. */
type EntryOp = 'unlink' | 'makeDirectory' | 'removeDirectory' | 'makeLink';
type Outcome<T> = Task<Attempt<T>>;
type Routines = {
  readonly [K in keyof NameOps]: (
    t: NameTarget,
    argument: NameOps[K]['in'],
    who: Credentials,
  ) => Outcome<NameOps[K]['out']>;
};

export class Client implements FileProtocol, Closing {
  static {
    tasks(Client);
  }

  readonly protocol = 'nfs';
  /** The other half, where this machine has storages. */
  readonly server: Server | null;
  readonly #parts: ClientParts;
  readonly #files: FileTable;
  readonly #walk: ClientWalk;
  readonly #locks: Locks;
  #sillyNames = 0;

  constructor(parts: ClientParts, server: Server | null) {
    this.server = server;
    this.#parts = parts;
    this.#files = new FileTable(parts);
    this.#walk = new ClientWalk(parts, this.#files);
    this.#locks = new Locks((w) => parts.streams.wake(w));
  }

  *open(t: NameTarget, how: OpenHow, who: Credentials): Task<Attempt<OpenObject | Elsewhere>> {
    charge(this.#parts.machine.type.costs.openClientNs, Busy.files);
    return yield* this.#attempt(this.#open(t, how, who));
  }

  *name<K extends keyof NameOps>(
    t: NameTarget,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<Attempt<NameOps[K]['out']>> {
    return yield* this.#attempt<Attempt<NameOps[K]['out']>>(this.#routines[op](t, argument, who));
  }

  *nameTwo(
    op: TwoNameOp,
    a: NameTarget,
    b: NameTarget,
    who: Credentials,
  ): Task<Attempt<null> | SecondAttempt<null>> {
    return yield* this.#attempt(op === 'rename' ? this.#rename(a, b, who) : this.#link(a, b, who));
  }

  *sync(): Task<void> {
    for (const f of this.#files.all()) yield* f.flush();
  }

  /** At a halt: what servers that still live have not got yet. */
  *settleAll(): Task<void> {
    for (const f of this.#files.all())
      if (f.isDirty && this.#parts.transport.peers.isAlive(f.server)) yield* f.flush();
  }

  /** A name's part of an operation. A handle that its server does not know is an outcome: naming finds the root again. */
  *#attempt<R>(operation: Task<R>): Task<R | typeof staleName> {
    charge(this.#parts.machine.type.costs.clientNamingNs, Busy.files);
    yield* settle();
    try {
      return yield* operation;
    } catch (e) {
      if (isKernelError(e, 'stale')) return staleName;
      throw e;
    }
  }

  // ---- open and close

  *#open(t: NameTarget, how: OpenHow, who: Credentials): Outcome<OpenObject | Elsewhere> {
    const server = serverOf(t.authority);
    const exclusive = how.create === true && how.exclusive === true;
    const walked = yield* this.#walk.object(t, server, t.remainder, who, !exclusive);
    if (walked.is !== 'found') return walked;
    const { name } = walked;
    const created = walked.file === null && how.create === true;
    const file = created ? yield* this.#create(server, walked.directory, name, how, who) : existing(walked);
    const { attributes } = file;
    if (!created) {
      if (exclusive) throw new KernelError('exists', name);
      permitted(attributes, how, who, name);
    }
    const { device } = attributes;
    if (device !== undefined)
      return done<Elsewhere>({
        elsewhere: {
          kind: attributes.type,
          protocol: this.protocol,
          authority: authority(String(device.host)),
          id: { type: device.type, unit: device.unit },
        },
      });
    const ref: ObjectRef = {
      kind: 'file',
      protocol: this.protocol,
      authority: t.authority,
      id: fileKey(file.id),
    };
    const opened = new OpenFile(file, ref, how, who, this.#locks, this);
    try {
      if (!created && this.#parts.closeToOpen && !file.isLocal) yield* file.poll();
      if (!created && how.truncate === true) yield* cut(file, 0, who);
    } catch (e) {
      file.opens--;
      throw e;
    }
    return done<OpenObject>(opened);
  }

  *#create(server: HostId, directory: FileId, name: string, how: OpenHow, who: Credentials): Task<NfsFile> {
    const seen = yield* persist(this.#parts, server, create, {
      file: directory,
      name,
      mode: how.mode ?? 0o666,
      exclusive: how.exclusive === true,
      who,
    });
    this.#expire(server, directory);
    return this.#files.seen(server, seen);
  }

  /** The last close here of a file that was unlinked here takes its other name away. */
  *closed(file: NfsFile): Task<void> {
    if (--file.opens > 0) return;
    const { silly } = file;
    if (silly === null) return;
    file.silly = null;
    try {
      yield* this.#parts.calls.call(file.server, names.one.unlink, {
        start: silly.directory,
        path: silly.name,
        who: silly.who,
        machineType: this.#parts.machine.type.name,
        argument: {},
      });
    } catch (e) {
      // The name stays behind, as NFS clients leave them: somebody may have removed it, or the server may be down.
      if (!isKernelError(e)) throw e;
    }
    this.#expire(file.server, silly.directory);
    this.#files.remove(file);
  }

  /** An open goes on at another host: its other name is that host's to take away. */
  departed(file: NfsFile): void {
    if (--file.opens === 0) file.silly = null;
  }

  /** The server knows nothing of opens: the stream is fetched from its source, which has written everything by then. */
  *adopt(m: Movable): Task<{ readonly object: OpenObject; readonly place: StreamPlace }> {
    charge(this.#parts.machine.type.costs.openClientNs, Busy.files);
    const id = fileOfToken(String(m.ref.id));
    const luggage = luggageOf(m.extra);
    if (id === undefined || luggage === undefined)
      throw new KernelError('badArgument', 'no file of this protocol');
    const place = yield* this.#parts.streams.fetch(m);
    const server = serverOf(m.ref.authority);
    const attributes = yield* persist(this.#parts, server, getAttributes, id);
    const file = this.#files.seen(server, { file: id, attributes });
    file.silly ??= luggage.silly;
    return { object: new OpenFile(file, m.ref, m.how, luggage.who, this.#locks, this), place };
  }

  // ---- operations on one name

  readonly #routines: Routines = {
    stat: (t, { follow }, who) =>
      this.#onObject(t, follow, who, function* (f) {
        return attributesOf(f.server, f.id, { ...f.attributes, sizeBytes: f.sizeBytes });
      }),
    access: (t, need, who) =>
      this.#onObject(t, true, who, function* (f) {
        for (const n of ['read', 'write', 'execute'] as const) if (need[n]) demand(f.attributes, who, n);
        return null;
      }),
    enter: (t, _, who) =>
      this.#onObject(t, true, who, function* (f) {
        if (f.attributes.type !== 'directory') throw new KernelError('notDirectory');
        demand(f.attributes, who, 'execute');
        return fileToken(f.id);
      }),
    readLink: (t, _, who) =>
      this.#onObject(t, false, who, function* (f) {
        if (f.attributes.type !== 'symlink') throw new KernelError('badArgument', 'not a symbolic link');
        return yield* persist(f.parts, f.server, readLink, f.id);
      }),
    setAttributes: (t, { change, follow }, who) =>
      this.#onObject(t, follow, who, function* (f) {
        yield* f.flush();
        f.written(yield* persist(f.parts, f.server, setAttributes, { file: f.id, change, who }));
        return null;
      }),
    entries: (t, argument, who) => this.#entries(t, argument, who),
    unlink: (t, argument, who) => this.#unlink(t, argument, who),
    makeDirectory: (t, argument, who) => this.#entry(t, 'makeDirectory', argument, who),
    removeDirectory: (t, argument, who) => this.#entry(t, 'removeDirectory', argument, who),
    makeLink: (t, argument, who) => this.#entry(t, 'makeLink', argument, who),
  };

  *#onObject<T>(t: NameTarget, follow: boolean, who: Credentials, use: (f: NfsFile) => Task<T>): Outcome<T> {
    const walked = yield* this.#walk.object(t, serverOf(t.authority), t.remainder, who, follow);
    if (walked.is !== 'found') return walked;
    return done(yield* use(existing(walked)));
  }

  *#entries(
    t: NameTarget,
    argument: NameOps['entries']['in'],
    who: Credentials,
  ): Outcome<NameOps['entries']['out']> {
    const server = serverOf(t.authority);
    const walked = yield* this.#walk.object(t, server, t.remainder, who, true);
    if (walked.is !== 'found') return walked;
    const file = existing(walked);
    return yield* persist(this.#parts, server, names.one.entries, this.#request(file.id, '', who, argument));
  }

  *#entry<K extends EntryOp>(
    t: NameTarget,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Outcome<NameOps[K]['out']> {
    const server = serverOf(t.authority);
    const parent = yield* this.#walk.parent(t, server, who);
    if (parent.is !== 'found') return parent;
    const outcome = yield* this.#change(
      server,
      names.one[op],
      this.#request(parent.directory, parent.tail, who, argument),
      [parent.directory],
      (e) => nameAgain(op, argument, t, e, this.#askFor(who)),
    );
    this.#expire(server, parent.directory);
    return outcome;
  }

  *#unlink(t: NameTarget, argument: NameOps['unlink']['in'], who: Credentials): Outcome<null> {
    const server = serverOf(t.authority);
    const parent = yield* this.#walk.parent(t, server, who);
    if (parent.is !== 'found') return parent;
    const file = yield* this.#target(server, parent, who);
    if (file !== null && (yield* this.#keepOpen(file, parent, who))) return done(null);
    const request = this.#request(parent.directory, parent.tail, who, argument);
    const outcome = yield* this.#change(server, names.one.unlink, request, [parent.directory], (e) =>
      nameAgain('unlink', argument, t, e, this.#askFor(who)),
    );
    this.#expire(server, parent.directory);
    file?.expire();
    if (file !== null && outcome.is === 'done' && file.attributes.links <= 1) this.#files.remove(file);
    return outcome;
  }

  // ---- operations on two names

  *#rename(a: NameTarget, b: NameTarget, who: Credentials): Task<Attempt<null> | SecondAttempt<null>> {
    const server = serverOf(a.authority);
    const first = yield* this.#walk.parent(a, server, who);
    if (first.is !== 'found') return first;
    const second = yield* this.#walk.parent(b, server, who);
    if (second.is !== 'found') return { is: 'second', of: second };
    const moved = yield* this.#target(server, first, who);
    const replaced = moved === null ? null : yield* this.#target(server, second, who);
    if (moved !== null && replaced !== null && !sameFile(moved.id, replaced.id)) {
      if (moved.attributes.type !== 'directory') yield* this.#keepOpen(replaced, second, who);
      replaced.expire();
    }
    const request = {
      first: { start: first.directory, path: first.tail },
      second: { start: second.directory, path: second.tail },
      who,
      machineType: this.#parts.machine.type.name,
    };
    const directories = [first.directory, second.directory];
    const ask = this.#askFor(who);
    const outcome = yield* this.#change(
      server,
      names.two.rename,
      request,
      directories,
      (e) => namesAgain('rename', a, b, e, ask),
      () => renamedAgain(a, b, ask),
    );
    this.#expire(server, first.directory);
    this.#expire(server, second.directory);
    moved?.expire();
    return outcome;
  }

  *#link(a: NameTarget, b: NameTarget, who: Credentials): Task<Attempt<null> | SecondAttempt<null>> {
    const server = serverOf(a.authority);
    const first = yield* this.#walk.object(a, server, a.remainder, who, true);
    if (first.is !== 'found') return first;
    const linked = existing(first);
    const second = yield* this.#walk.parent(b, server, who);
    if (second.is !== 'found') return { is: 'second', of: second };
    const request = {
      first: { start: linked.id, path: '' },
      second: { start: second.directory, path: second.tail },
      who,
      machineType: this.#parts.machine.type.name,
    };
    const outcome = yield* this.#change(server, names.two.link, request, [second.directory], (e) =>
      namesAgain('link', a, b, e, this.#askFor(who)),
    );
    this.#expire(server, second.directory);
    linked.expire();
    return outcome;
  }

  // ---- what they share

  /** What an entry leads to now; null when there is nothing that a name can be taken from. */
  *#target(
    server: HostId,
    parent: Extract<Parent, { readonly is: 'found' }>,
    who: Credentials,
  ): Task<NfsFile | null> {
    const { directory, name } = parent;
    return name === '.' || name === '..' ? null : yield* this.#walk.entry(server, directory, name, who);
  }

  /** Gives a file that is open here another name instead of none. False when it is not open, or has one already. */
  *#keepOpen(
    file: NfsFile,
    entry: Extract<Parent, { readonly is: 'found' }>,
    who: Credentials,
  ): Task<boolean> {
    if (file.opens === 0 || file.silly !== null || file.attributes.type !== 'file') return false;
    const { machine, counters } = this.#parts;
    const hex = (n: number): string => n.toString(16);
    // The boot makes it differ from what an earlier life of this host left behind.
    const name = `.nfs${hex(machine.host)}.${hex(machine.bootId)}.${hex(++this.#sillyNames)}`;
    const { directory } = entry;
    file.silly = { directory, name, who };
    try {
      const request = {
        first: { start: directory, path: entry.tail },
        second: { start: directory, path: name },
        who,
        machineType: machine.type.name,
      };
      // Nobody else makes such a name.
      yield* this.#change(file.server, names.two.rename, request, [directory], function* (e) {
        if (!isKernelError(e, 'notFound')) throw e;
        return done(null);
      });
    } catch (e) {
      file.silly = null;
      throw e;
    }
    counters.sillyRenames++;
    this.#expire(file.server, directory);
    file.expire();
    return true;
  }

  #expire(server: HostId, directory: FileId): void {
    this.#files.get(server, directory)?.expire();
  }

  #request<A>(
    start: FileId,
    path: string,
    who: Credentials,
    argument: A,
  ): { start: FileId; path: string; who: Credentials; machineType: string; argument: A } {
    return { start, path, who, machineType: this.#parts.machine.type.name, argument };
  }

  /**
   * An operation that changes these directories.
   *
   * @param lookInto its error, when a server that was silent may have done it before
   * @param complete the same, when it is done now
   */
  *#change<Q, R, L>(
    server: HostId,
    procedure: Procedure<Q, R>,
    request: NoInfer<Q>,
    directories: readonly FileId[],
    lookInto: (error: unknown) => Task<L>,
    complete?: () => Task<L>,
  ): Task<R | L> {
    let again = false;
    const repeated = (): void => {
      again = true;
    };
    const expire = (): void => {
      for (const d of directories) this.#expire(server, d);
    };
    try {
      const outcome = yield* persist(this.#parts, server, procedure, request, repeated);
      if (!again || complete === undefined) return outcome;
    } catch (e) {
      if (!again) throw e;
      expire();
      return yield* lookInto(e);
    }
    expire();
    return yield* complete();
  }

  #askFor(who: Credentials): Ask {
    return (t, op, argument) => this.name(t, op, argument, who);
  }
}

/** @throws KernelError `notFound` when the last component does not exist */
function existing(w: Extract<Walked, { readonly is: 'found' }>): NfsFile {
  if (w.file === null) throw new KernelError('notFound', w.name);
  return w.file;
}

/** May it be opened so? The server checks each call; this is for the error at the open. */
function permitted(a: NfsFile['attributes'], how: OpenHow, who: Credentials, name: string): void {
  if (a.type === 'directory' && (how.write === true || how.create === true || how.truncate === true))
    throw new KernelError('isDirectory', name);
  if (a.type === 'symlink') throw new KernelError('nameLoop', name);
  if (how.read === true) demand(a, who, 'read');
  if (how.write === true || how.truncate === true) demand(a, who, 'write');
  if (how.execute === true) {
    if (a.type !== 'file') throw new KernelError('permission', name);
    demand(a, who, 'execute');
  }
}
