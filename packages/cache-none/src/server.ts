/**
 * The server's half: each call reads or writes the storage. It keeps one thing between calls, which client has what open,
 * so that an unlinked file lives until its last close; after a reboot clients tell it again.
 *
 * Requests wait until the storages are whole, and from the beginning of a halt. Lost in a crash: the uses and the locks.
 */
import type { Task } from '@backplane/engine';
import {
  fileKey,
  fileOfToken,
  Locks,
  openName,
  permittedChange,
  readAtPosition,
  ServedDomains,
  writeAtPosition,
} from '@backplane/file-service';
import {
  type Caller,
  done,
  type FileId,
  type HostId,
  isKernelError,
  KernelError,
  type Machine,
  type Move,
  type Naming,
  type Position,
  type Storage,
  type StoredAttributes,
  type Streams,
  staleName,
  type Transport,
  type Turn,
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
  type Written,
  writeFile,
} from './procedures.ts';

export class Server {
  readonly #domains: ServedDomains;
  readonly #uses = new ClientUses();
  readonly #locks: Locks;
  readonly #machine: Machine;
  readonly #naming: Naming;
  readonly #streams: Streams;

  constructor(
    storages: ReadonlyMap<string, Storage>,
    streams: Streams,
    machine: Machine,
    transport: Transport,
    naming: Naming,
  ) {
    this.#naming = naming;
    this.#streams = streams;
    this.#machine = machine;
    this.#locks = new Locks((w) => streams.wake(w));
    this.#domains = new ServedDomains(storages, machine, {
      *fresh(_, attributes) {
        return attributes;
      },
      freed: () => {},
    });
    this.#serveAll(transport);
  }

  *start(): Task<void> {
    yield* this.#domains.start(this.#naming, 'none');
  }

  *halt(): Task<void> {
    yield* this.#domains.halt();
  }

  #serveAll(transport: Transport): void {
    const calls = this.#domains.serving.over(transport);
    this.#domains.serveNames(calls, names);
    calls.serve(openFile, (q, from) => this.#open(q, from));
    calls.serve(closeFile, (file, from) => this.#close(file, from.host));
    calls.serve(readFile, (q, from) => this.#read(q.file, q.at, q.count, from));
    calls.serve(writeFile, (q, from) => this.#write(q.record.file, q.record.at, q.data, from));
    calls.serve(fileAttributes, (file, from) => this.#attributes(file, from));
    calls.serve(setFileAttributes, (q, from) => this.#setAttributes(q, from));
    calls.serve(truncateFile, (q, from) => this.#truncate(q.file, q.sizeBytes, from));
    calls.serve(syncFile, (file, from) => this.#sync(file, from));
    calls.serve(lockFile, (q, from) => this.#lock(q, from));
    calls.serve(reopenFile, (q, from) => this.#reopen(q.file, q.uses, from));
    transport.peers.onDead((host) => this.#dead(host));
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
    if (!this.#uses.remove(client, file)) return null;
    const own = ownerOf(client, '');
    if (this.#uses.count(client, file) === 0)
      this.#locks.breakWhere((owner, key) => key === fileKey(file) && owner.startsWith(own));
    yield* this.#domains.of(file).closed(file);
    return null;
  }

  /**
   * A stream moves: the target's use replaces the source's, or joins it. The file is pinned meanwhile, and nothing blocks
   * between the source's answer and the counts.
   */
  *move({ movable, to, joins, targetLives, release }: Move): Task<Uint8Array> {
    const { source, streamId, ref } = movable;
    const file = fileOfToken(String(ref.id));
    if (file === undefined) throw new KernelError('badArgument', 'no file');
    yield* this.#domains.serving.pass();
    const domain = this.#domains.of(file);
    if (this.#uses.count(source, file) === 0) throw new KernelError('stale', fileKey(file));
    domain.opens.open(file);
    this.#uses.moving(source, file);
    let entered = false;
    let left = false;
    try {
      left = yield* release();
      if (!joins && targetLives()) {
        this.#uses.add(to, file);
        entered = true;
      }
      left &&= this.#uses.remove(source, file);
      if (left) this.#locks.rename(fileKey(file), ownerOf(source, streamId), ownerOf(to, streamId));
    } finally {
      this.#uses.moved(source, file);
      if (left) yield* domain.closed(file);
      if (!entered) yield* domain.closed(file);
    }
    if (!joins && !entered) throw new KernelError('peerDown', `host ${to}`);
    return new Uint8Array(0);
  }

  *#read(
    file: FileId,
    at: Position,
    count: number,
    from: Caller,
  ): Task<{ readonly record: Turn | null; readonly data: Uint8Array }> {
    return yield* readAtPosition(this.#asked(file, from), at, count);
  }

  *#write(file: FileId, at: Position, data: Uint8Array, from: Caller): Task<Written> {
    return yield* writeAtPosition(this.#asked(file, from), at, data, 'delayed');
  }

  #asked(file: FileId, { host }: Caller) {
    return { storage: this.#opened(file, host), file, streams: this.#streams, by: host };
  }

  *#attributes(file: FileId, from: Caller): Task<StoredAttributes> {
    return yield* this.#opened(file, from.host).attributes(file);
  }

  *#setAttributes(q: SetRequest, from: Caller): Task<null> {
    const storage = this.#opened(q.file, from.host);
    yield* storage.setAttributes(
      q.file,
      permittedChange(q.change, yield* storage.attributes(q.file), q.who, this.#machine.engine.nowNs),
    );
    return null;
  }

  *#truncate(file: FileId, sizeBytes: number, from: Caller): Task<null> {
    yield* this.#opened(file, from.host).truncate(file, sizeBytes);
    return null;
  }

  *#sync(file: FileId, from: Caller): Task<null> {
    yield* this.#opened(file, from.host).sync(file);
    return null;
  }

  *#lock(q: LockRequest, from: Caller): Task<null> {
    this.#opened(q.file, from.host);
    this.#locks.lock(fileKey(q.file), ownerOf(from.host, q.owner), q.mode, q.waiter);
    return null;
  }

  /** Idempotent: the client says how many uses it has, and the difference is opened or closed. */
  *#reopen(file: FileId, uses: number, from: Caller): Task<null> {
    const domain = this.#domains.of(file);
    yield* domain.storage.attributes(file);
    if (this.#uses.isMoving(from.host, file)) throw new KernelError('recovering', 'a stream of it is moving');
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
  #opened(file: FileId, client: HostId): Storage {
    const domain = this.#domains.of(file);
    if (this.#uses.count(client, file) === 0) throw new KernelError('stale', fileKey(file));
    return domain.storage;
  }
}

const ownerOf = (host: HostId, stream: string): string => `${host}/${stream}`;
