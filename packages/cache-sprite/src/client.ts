/** The client's half: opens, names, and how the parts are put together. */
import { charge, type Task, tasks } from '@backplane/engine';
import { callsToHosts, fileKey, fileOfToken, RemoteNames, serverOf, startOf } from '@backplane/file-service';
import {
  type Attempt,
  type Attributes,
  authority,
  Busy,
  type Credentials,
  done,
  type Elsewhere,
  type FileId,
  type FileProtocol,
  isKernelError,
  KernelError,
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
  type Token,
  type TwoNameOp,
  type WriteDelay,
} from '@backplane/slots';
import { ClientFiles } from './client-files.ts';
import type { ClientParts } from './client-parts.ts';
import { ifPossible } from './file-write.ts';
import { OpenFile } from './open-file.ts';
import { type Grant, movedHere, names, type Opened, type OpenRequest, openFile } from './open-procedures.ts';
import { Recalls } from './recall.ts';
import { Reopening } from './reopen.ts';
import type { Server } from './server.ts';
import { Survivors } from './survivors.ts';
import { plus, usesOf, writes } from './uses.ts';

type Found = Attempt<OpenObject | Elsewhere>;

export class Client implements FileProtocol {
  static {
    tasks(Client);
  }

  readonly protocol = 'sprite';
  /** The other half, where this machine has storages. */
  readonly server: Server | null;
  /** What this machine had dirty before it crashed. */
  readonly survivors: Survivors;
  readonly #parts: ClientParts;
  readonly #names: RemoteNames;
  readonly #files = new ClientFiles();

  constructor(parts: ClientParts, recovery: Recovery | undefined, server: Server | null) {
    this.server = server;
    this.#parts = parts;
    const { calls, machine, servers, transport } = parts;
    this.#names = new RemoteNames(
      machine,
      names,
      callsToHosts(calls, (host) => servers.settle(host)),
    );
    new Recalls(parts, this.#files);
    const reopening = new Reopening(parts, this.#files);
    servers.reopenWith((host) => reopening.run(host));
    recovery?.register({ name: 'files', pass: 'wake', reopen: (host) => reopening.wake(host) });
    const files = this.#files;
    this.survivors = new Survivors(parts, files);
    transport.peers.onDead(function* (host) {
      if (files.ofServer(host).length > 0) servers.doubt(host);
    });
  }

  // ---- opening ----

  *open(t: NameTarget, how: OpenHow, who: Credentials): Task<Found> {
    const { machine, servers, counters } = this.#parts;
    charge(machine.type.costs.openClientNs, Busy.files);
    const server = serverOf(t.authority);
    yield* servers.opening(server);
    let answered = false;
    let cancelled = true;
    try {
      const request: OpenRequest = {
        start: startOf(t.root),
        path: t.remainder,
        how,
        who,
        machineType: machine.type.name,
      };
      const outcome = yield* this.#names.attempt(t.authority, openFile, request);
      cancelled = false;
      answered = outcome.is !== 'unreachable';
      if (outcome.is !== 'done') return outcome;
      counters.opens++;
      return yield* this.#opened(t, how, outcome.value);
    } catch (e) {
      cancelled = false;
      answered = true;
      throw e;
    } finally {
      servers.opened(server);
      if (!answered && writes(how)) servers.unanswered(server);
      // Of a silent server naming takes care.
      if (cancelled) servers.abandoned(server);
    }
  }

  *#opened(t: NameTarget, how: OpenHow, opened: Opened): Task<Found> {
    const { file: id, attributes } = opened;
    const { device, type } = attributes;
    if (device !== undefined)
      return done({
        elsewhere: {
          kind: type,
          protocol: this.protocol,
          authority: authority(String(device.host)),
          id: { type: device.type, unit: device.unit },
        },
      });
    const ref: ObjectRef = {
      kind: 'file',
      protocol: this.protocol,
      authority: t.authority,
      id: fileKey(id),
    };
    return done<OpenObject>(yield* this.#enter(ref, id, how, opened, this.#parts.policy.delayOf(t)));
  }

  *#enter(ref: ObjectRef, id: FileId, how: OpenHow, grant: Grant, delay: WriteDelay): Task<OpenFile> {
    const server = serverOf(ref.authority);
    const file = this.#files.of(this.#parts, server, id, grant.attributes, delay);
    const open = new OpenFile(file, ref, how, (f) => this.#files.closed(f));
    file.opened(plus(file.uses, usesOf(how)));
    if (how.create === true || how.truncate === true) file.changedAtServer();
    let handedOut = false;
    try {
      yield* file.adopt(grant);
      handedOut = true;
      return open;
    } finally {
      if (!handedOut) this.#parts.machine.scope.spawn('close', open.close());
    }
  }

  // ---- streams that come ----

  /** As an open: while it is under way callbacks are refused that overtake the answer, and no reopening begins. */
  *adopt(m: Movable): Task<{ readonly object: OpenObject; readonly place: StreamPlace }> {
    const { machine, servers, streams, policy } = this.#parts;
    charge(machine.type.costs.openClientNs, Busy.files);
    const id = fileOfToken(String(m.ref.id));
    if (id === undefined) throw new KernelError('badArgument', 'no file');
    const server = serverOf(m.ref.authority);
    yield* servers.opening(server);
    try {
      const { place, granted } = yield* streams.handOver(server, m);
      const moved = movedHere.tryDecode(granted);
      if (moved === undefined) throw new KernelError('badArgument', 'not a grant');
      const temporary = (m.extra as { readonly temporary?: boolean } | null)?.temporary === true;
      const delay = temporary ? 'never' : policy.usualDelay;
      const object = yield* this.#enter(m.ref, id, m.how, moved.grant, delay);
      object.holds(moved.lock, m.streamId);
      return { object, place };
    } catch (e) {
      // The server may have entered our use, and made a version for it: it is told what we have.
      if (isKernelError(e, 'peerDown')) {
        if (writes(m.how)) servers.unanswered(server);
        servers.doubt(server);
      }
      throw e;
    } finally {
      servers.opened(server);
    }
  }

  *move(m: Move): Task<Uint8Array> {
    if (this.server === null) throw new KernelError('stale', 'no files here');
    return yield* this.server.move(m);
  }

  // ---- names ----

  *name<K extends keyof NameOps>(
    t: NameTarget,
    op: K,
    argument: NameOps[K]['in'],
    who: Credentials,
  ): Task<Attempt<NameOps[K]['out']>> {
    const outcome = yield* this.#names.name(t, op, argument, who);
    if (outcome.is !== 'done') return outcome;
    // The two operations whose results concern us; their types belong to `op`.
    if (op === 'stat') return done(this.#overlaid(outcome.value as Attributes) as NameOps[K]['out']);
    if (op === 'enter') this.#parts.policy.entered(t, outcome.value as Token);
    return outcome;
  }

  #overlaid(a: Attributes): Attributes {
    return this.#files.findByIdentity(a.identity)?.overlaid(a) ?? a;
  }

  *nameTwo(
    op: TwoNameOp,
    a: NameTarget,
    b: NameTarget,
    who: Credentials,
  ): Task<Attempt<null> | SecondAttempt<null>> {
    return yield* this.#names.nameTwo(op, a, b, who);
  }

  // ---- everything that is dirty ----

  /** Returns when every dirty block is its server's. Waits for servers that are away. @throws the first error of a server */
  *sync(): Task<void> {
    const { servers } = this.#parts;
    let refusal: KernelError | null = null;
    for (const f of this.#files.all()) {
      let refused = false;
      while (f.dirtyBlocks > 0 && !f.lost && !refused) {
        try {
          yield* f.flush();
        } catch (e) {
          if (!isKernelError(e)) throw e;
          refused = e.kind !== 'noAnswer';
          if (refused) refusal ??= e;
          else yield* servers.await(f.server);
        }
      }
    }
    if (refusal !== null) throw refusal;
  }

  /** At a halt: what can be written back is. */
  *writeBackAll(): Task<void> {
    for (const f of this.#files.all()) yield* ifPossible(f.flush());
  }
}
