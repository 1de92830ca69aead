/**
 * The server's half: each call reads or writes the storage. It keeps one thing between calls, which client has what open,
 * so that an unlinked file lives until its last close; after a reboot clients tell it again.
 *
 * Lost in a crash: the uses and the locks.
 */
import type { Task } from '@backplane/engine';
import { fileKey, Locks, openName, permittedChange, ServedDomains } from '@backplane/file-service';
import {
  type Caller,
  done,
  type FileId,
  type HostId,
  isKernelError,
  KernelError,
  type Machine,
  type Naming,
  type Storage,
  type StoredAttributes,
  type Streams,
  staleName,
  type Transport,
  type WireAttempt,
} from '@backplane/slots';
import { ClientUses } from './client-uses.ts';
import {
  closeFile,
  type FileState,
  fileAttributes,
  type LockRequest,
  lockFile,
  names,
  type OpenRequest,
  openFile,
  readFile,
  reopenFile,
  type SetRequest,
  setFileAttributes,
  syncFile,
  truncateFile,
  writeFile,
} from './procedures.ts';

export class Server {
  readonly #domains: ServedDomains;
  readonly #storages: ReadonlyMap<string, Storage>;
  readonly #uses = new ClientUses();
  readonly #locks: Locks;
  readonly #machine: Machine;
  readonly #transport: Transport;
  readonly #naming: Naming;

  constructor(
    storages: ReadonlyMap<string, Storage>,
    streams: Streams,
    machine: Machine,
    transport: Transport,
    naming: Naming,
  ) {
    this.#transport = transport;
    this.#naming = naming;
    this.#storages = storages;
    this.#machine = machine;
    this.#locks = new Locks((w) => streams.wake(w));
    this.#domains = new ServedDomains(storages, machine, {
      *fresh(_, attributes) {
        return attributes;
      },
      freed: () => {},
    });
  }

  /** Makes the storages whole, and only then answers. */
  *start(): Task<void> {
    yield* this.#domains.recover();
    const transport = this.#transport;
    this.#domains.serveNames(transport, names);
    transport.serve(openFile, (q, from) => this.#open(q, from));
    transport.serve(closeFile, (file, from) => this.#close(file, from.host));
    transport.serve(readFile, (q, from) => this.#read(q.file, q.at, q.count, from));
    transport.serve(writeFile, (q, from) => this.#write(q.record.file, q.record.at, q.data, from));
    transport.serve(fileAttributes, (file, from) => this.#attributes(file, from));
    transport.serve(setFileAttributes, (q, from) => this.#setAttributes(q, from));
    transport.serve(truncateFile, (q, from) => this.#truncate(q.file, q.sizeBytes, from));
    transport.serve(syncFile, (file, from) => this.#sync(file, from));
    transport.serve(lockFile, (q, from) => this.#lock(q, from));
    transport.serve(reopenFile, (q, from) => this.#reopen(q.file, q.uses, from));
    transport.peers.onDead((host) => this.#dead(host));
    this.#domains.export(this.#naming, 'none', this.#storages);
  }

  *#open(q: OpenRequest, from: Caller): Task<WireAttempt<FileState>> {
    try {
      const domain = this.#domains.of(q.start);
      const opened = yield* openName(domain, q.how, q.start, q.path, q);
      if (opened.is !== 'done') return opened;
      const { file, created } = opened.value;
      if (q.how.truncate === true && !created) yield* domain.storage.truncate(file, 0);
      domain.opens.open(file);
      this.#uses.add(from.host, file);
      return done({ file, attributes: yield* domain.storage.attributes(file) });
    } catch (e) {
      if (isKernelError(e, 'stale')) return staleName;
      throw e;
    }
  }

  *#close(file: FileId, client: HostId): Task<null> {
    if (this.#uses.remove(client, file)) yield* this.#domains.of(file).closed(file);
    return null;
  }

  *#read(
    file: FileId,
    at: number | null,
    count: number,
    from: Caller,
  ): Task<{ readonly record: null; readonly data: Uint8Array }> {
    const storage = this.#opened(file, from);
    const start = at ?? (yield* storage.attributes(file)).sizeBytes;
    return { record: null, data: yield* storage.read(file, start, count) };
  }

  *#write(file: FileId, at: number | null, data: Uint8Array, from: Caller): Task<number> {
    const storage = this.#opened(file, from);
    const start = at ?? (yield* storage.attributes(file)).sizeBytes;
    yield* storage.write(file, start, data, 'delayed');
    return start + data.length;
  }

  *#attributes(file: FileId, from: Caller): Task<StoredAttributes> {
    return yield* this.#opened(file, from).attributes(file);
  }

  *#setAttributes(q: SetRequest, from: Caller): Task<null> {
    const storage = this.#opened(q.file, from);
    yield* storage.setAttributes(
      q.file,
      permittedChange(q.change, yield* storage.attributes(q.file), q.who, this.#machine.engine.nowNs),
    );
    return null;
  }

  *#truncate(file: FileId, sizeBytes: number, from: Caller): Task<null> {
    yield* this.#opened(file, from).truncate(file, sizeBytes);
    return null;
  }

  *#sync(file: FileId, from: Caller): Task<null> {
    yield* this.#opened(file, from).sync(file);
    return null;
  }

  *#lock(q: LockRequest, from: Caller): Task<null> {
    this.#opened(q.file, from);
    this.#locks.lock(fileKey(q.file), ownerOf(from.host, q.owner), q.mode, q.waiter);
    return null;
  }

  /** Idempotent: the client says how many uses it has, and the difference is opened or closed. */
  *#reopen(file: FileId, uses: number, from: Caller): Task<null> {
    const domain = this.#domains.of(file);
    yield* domain.storage.attributes(file);
    for (let have = this.#uses.count(from.host, file); have < uses; have++) {
      this.#uses.add(from.host, file);
      domain.opens.open(file);
    }
    return null;
  }

  *#dead(client: HostId): Task<void> {
    this.#locks.breakWhere((owner) => owner.startsWith(ownerOf(client, '')));
    for (const file of this.#uses.takeAll(client)) yield* this.#domains.of(file).closed(file);
  }

  /** Only a client that has the file open may use it: else it was open in this server's earlier life. */
  #opened(file: FileId, from: Caller): Storage {
    const domain = this.#domains.of(file);
    if (this.#uses.count(from.host, file) === 0) throw new KernelError('stale', fileKey(file));
    return domain.storage;
  }
}

const ownerOf = (host: HostId, stream: string): string => `${host}/${stream}`;
