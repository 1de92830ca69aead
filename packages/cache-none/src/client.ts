/** The client's half: opens files at their servers, knows which are open, and reopens them after a server's reboot. */
import { charge, Mutex, ms, sleep, type Task, tasks } from '@backplane/engine';
import { callsToHosts, fileKey, fileOfToken, RemoteNames, serverOf, startOf } from '@backplane/file-service';
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
  type Machine,
  type Movable,
  type Move,
  type NameOps,
  type NameTarget,
  type ObjectRef,
  type OpenHow,
  type OpenObject,
  type Recovery,
  type SecondAttempt,
  type StreamPlace,
  type Streams,
  type Transport,
  type TwoNameOp,
  type Verdict,
} from '@backplane/slots';
import { names, type OpenRequest, openFile, reopenFile } from './procedures.ts';
import { RemoteFile } from './remote-file.ts';
import type { Server } from './server.ts';

/** Before a reopening is tried again that the server would not have while a stream of the file moves. */
const movingNs = /* @__PURE__ */ ms(100);

export class Client implements FileProtocol {
  static {
    tasks(Client);
  }

  readonly protocol = 'none';
  readonly transport: Transport;
  readonly machine: Machine;
  /** The other half, where this machine has storages. */
  readonly server: Server | null;
  /** Bytes that one call carries. */
  readonly unitBytes: number;
  readonly #recovery: Recovery | undefined;
  readonly #names: RemoteNames;
  readonly #open = new Set<RemoteFile>();
  readonly #streams: Streams;
  /** By file: a close, a departure and a reopening each change or tell how often it is open: one at a time. */
  readonly #turns = new Map<string, { readonly lock: Mutex; count: number }>();

  constructor(
    transport: Transport,
    streams: Streams,
    recovery: Recovery | undefined,
    machine: Machine,
    server: Server | null,
  ) {
    this.server = server;
    this.#streams = streams;
    this.transport = transport;
    this.machine = machine;
    this.unitBytes = Math.min(transport.maxDataBytes, 8192);
    this.#recovery = recovery;
    const calls = callsToHosts(transport, (server) => this.#awaitServer(server));
    this.#names = new RemoteNames(machine, names, calls);
    recovery?.register({ name: 'cache-none', pass: 'handles', reopen: (server) => this.#reopenAll(server) });
  }

  *open(t: NameTarget, how: OpenHow, who: Credentials): Task<Attempt<OpenObject | Elsewhere>> {
    charge(this.machine.type.costs.openClientNs, Busy.files);
    const request: OpenRequest = {
      start: startOf(t.root),
      path: t.remainder,
      how,
      who,
      machineType: this.machine.type.name,
    };
    const outcome = yield* this.#names.attempt(t.authority, openFile, request);
    if (outcome.is !== 'done') return outcome;
    const { file, attributes } = outcome.value;
    const ref: ObjectRef = {
      kind: 'file',
      protocol: this.protocol,
      authority: t.authority,
      id: fileKey(file),
    };
    const { device } = attributes;
    if (device !== undefined)
      return done({
        elsewhere: {
          kind: attributes.type,
          protocol: this.protocol,
          authority: authority(String(device.host)),
          id: { type: device.type, unit: device.unit },
        },
      });
    return done<OpenObject>(this.#enter(ref, file, attributes.type === 'directory', how));
  }

  #enter(ref: ObjectRef, file: FileId, isDirectory: boolean, how: OpenHow): RemoteFile {
    const opened = new RemoteFile(this, ref, file, isDirectory, how);
    this.#open.add(opened);
    this.transport.peers.watch(this.serverOf(ref));
    return opened;
  }

  // ---- streams that come ----

  *adopt(m: Movable): Task<{ readonly object: OpenObject; readonly place: StreamPlace }> {
    const file = fileOfToken(String(m.ref.id));
    if (file === undefined) throw new KernelError('badArgument', 'no file');
    const { place } = yield* this.#streams.handOver(this.serverOf(m.ref), m);
    const isDirectory = (m.extra as { readonly directory?: boolean } | null)?.directory === true;
    return { object: this.#enter(m.ref, file, isDirectory, m.how), place };
  }

  *move(m: Move): Task<Uint8Array> {
    if (this.server === null) throw new KernelError('stale', 'no files here');
    return yield* this.server.move(m);
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

  /** Nothing is kept here. */
  *sync(): Task<void> {}

  serverOf(ref: ObjectRef): HostId {
    return serverOf(ref.authority);
  }

  forget(f: RemoteFile): void {
    this.#open.delete(f);
  }

  *inTurn<T>(f: RemoteFile, operation: Task<T>): Task<T> {
    const key = `${f.ref.authority}/${fileKey(f.file)}`;
    const turn = this.#turns.get(key) ?? { lock: new Mutex(), count: 0 };
    this.#turns.set(key, turn);
    turn.count++;
    try {
      yield* turn.lock.acquire();
      try {
        return yield* operation;
      } finally {
        turn.lock.release();
      }
    } finally {
      if (--turn.count === 0) this.#turns.delete(key);
    }
  }

  /** Returns when the file can be used again. @throws the error if it cannot */
  *awaitReopened(f: RemoteFile, e: KernelError): Task<void> {
    const server = this.serverOf(f.ref);
    if ((yield* this.#awaitServer(server)) === 'give-up') throw e;
    // Without a recovery board nobody else reopens it.
    if (this.#recovery === undefined) yield* this.#reopen(f);
    else if (e.kind === 'stale' && !this.#open.has(f)) throw e;
  }

  *#awaitServer(server: HostId): Task<Verdict> {
    if (this.#recovery !== undefined) return yield* this.#recovery.await(server);
    yield* this.transport.peers.awaitAlive(server);
    return 'retry';
  }

  *#reopenAll(server: HostId): Task<void> {
    for (const f of [...this.#open]) {
      if (this.serverOf(f.ref) !== server) continue;
      try {
        yield* this.#reopen(f);
      } catch (e) {
        // A handle that the server does not know any more dies alone; a server that went down again is recovery's affair.
        if (!isKernelError(e, 'stale')) throw e;
        this.#open.delete(f);
      }
    }
  }

  *#reopen(f: RemoteFile): Task<void> {
    for (;;) {
      try {
        return yield* this.inTurn(f, this.#tell(f));
      } catch (e) {
        if (!isKernelError(e, 'recovering')) throw e;
        yield* sleep(movingNs);
      }
    }
  }

  *#tell(f: RemoteFile): Task<void> {
    const uses = [...this.#open].filter(
      (g) => fileKey(g.file) === fileKey(f.file) && g.ref.authority === f.ref.authority,
    ).length;
    if (uses === 0) return;
    yield* this.transport.call(this.serverOf(f.ref), reopenFile, { file: f.file, uses });
  }
}
