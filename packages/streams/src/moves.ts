/**
 * Streams that leave this host, and streams that come.
 *
 *   reference       event                                  action                                     next
 *   at home         `describe`                             a ticket for it                            on its way
 *   on its way      `withdraw`                             the ticket is void                         at home
 *   on its way      the I/O server fetches it: others      one reference fewer; the offset is the     gone
 *                   use the stream here                    server's from now on
 *   on its way      the same: it is the last               the object departs; so does the stream     gone
 *
 * An adoption runs on a thread of its own: a process that is killed in the middle of it must not leave a use behind that
 * nobody knows of. Two adoptions of one stream take turns.
 *
 * Lost in a crash: everything.
 */
import { Mutex, type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type Caller,
  type HostId,
  isKernelError,
  KernelError,
  type Machine,
  type Movable,
  type Mover,
  type ObjectRef,
  type StreamId,
  type StreamPlace,
  type Transport,
} from '@backplane/slots';
import {
  leave,
  migrate,
  type Released,
  type ReleaseRequest,
  rejoin,
  release,
  seekShared,
} from './move-procedures.ts';
import { OpenStream } from './stream.ts';

/** An adoption under way, and what has come of it. */
interface Arrival {
  stream: OpenStream | null;
  failure: { readonly cause: unknown } | null;
  /** Nobody waits for it any more. */
  abandoned: boolean;
  readonly ended: WaitQueue;
}

/** Tickets of one boot; those of the next are others. */
const ticketsPerBoot = 0x10_0000;

/** Shared streams of which the last offset is remembered after they have left this host. */
const rememberedMax = 256;

const notHere: Released = { inUse: false, seekable: false, held: false, offset: 0, turn: 0, sharers: [] };

export class Moves {
  static {
    tasks(Moves);
  }

  readonly #transport: Transport;
  readonly #machine: Machine;
  readonly #moverOf: (ref: ObjectRef) => Mover;
  readonly #streams = new Map<StreamId, OpenStream>();
  /** References on their way. */
  readonly #tickets = new Map<number, OpenStream>();
  readonly #arriving = new Map<StreamId, { readonly lock: Mutex; count: number }>();
  /** The newest offset of shared streams that have left: the server may have died without having told another sharer. */
  readonly #left = new Map<StreamId, { readonly offset: number; readonly turn: number }>();
  #issued = 0;
  arrived = 0;
  departed = 0;

  constructor(transport: Transport, machine: Machine, moverOf: (ref: ObjectRef) => Mover) {
    this.#transport = transport;
    this.#machine = machine;
    this.#moverOf = moverOf;
    transport.serve(release, (q, from) => this.#release(q, from));
  }

  // ---- the table ----

  get open(): number {
    return this.#streams.size;
  }

  entered(stream: OpenStream): OpenStream {
    this.#streams.set(stream.id, stream);
    return stream;
  }

  *close(stream: OpenStream): Task<void> {
    if (--stream.references > 0) return;
    this.#forget(stream);
    if (stream.shadowed && stream.server !== null)
      this.#machine.scope.spawn('leave stream', this.#leave(stream.server, stream.id));
    yield* stream.object.close();
  }

  /** A server that does not hear it has died, or thinks that we have. */
  *#leave(server: HostId, id: StreamId): Task<void> {
    try {
      yield* this.#transport.call(server, leave, id);
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }

  // ---- leaving ----

  describe(stream: OpenStream): Movable {
    const { object, id, offset } = stream;
    if (object.depart === undefined || this.#moverOf(object.ref).adopt === undefined)
      throw new KernelError('unsupported', `a ${object.ref.kind} does not move`);
    if (!object.traits.sharedOffset && stream.references > 1)
      throw new KernelError('unsupported', 'its offset cannot be shared between hosts');
    const ticket = this.#machine.bootId * ticketsPerBoot + ++this.#issued;
    this.#tickets.set(ticket, stream);
    const extra = object.movable?.() ?? null;
    return {
      ref: object.ref,
      how: object.how,
      streamId: id,
      source: this.#machine.host,
      ticket,
      offset,
      extra,
    };
  }

  withdraw(m: Movable): boolean {
    return this.#tickets.delete(m.ticket);
  }

  *#release({ id, ticket, sharers }: ReleaseRequest, from: Caller): Task<Released> {
    const stream = ticket === 0 ? this.#streams.get(id) : this.#tickets.get(ticket);
    if (stream === undefined && ticket === 0) return { ...notHere, ...this.#left.get(id) };
    if (stream === undefined || stream.id !== id)
      throw new KernelError('stale', `ticket ${ticket} of stream ${id}`);
    this.#tickets.delete(ticket);
    stream.asked++;
    const { object, lock } = stream;
    const { seekable, sharedOffset } = object.traits;
    // A shared one may be held by an operation that waits for the server.
    const locked = seekable && !stream.shared;
    if (locked) yield* lock.acquire();
    let departed = false;
    try {
      if (ticket !== 0) {
        if (stream.references > 1 && !sharedOffset) throw new KernelError('unsupported', 'it is shared here');
        if (stream.references === 1) yield* this.#depart(stream);
        stream.references--;
        departed = true;
      }
      const inUse = stream.references > 0;
      const { offset, turn, shared } = stream;
      const released = { inUse, seekable, held: !shared, offset, turn, sharers: stream.sharers };
      if (inUse) {
        stream.server = from.host;
        if (seekable) stream.share(sharers);
      }
      return released;
    } finally {
      if (ticket !== 0 && !departed) this.#tickets.set(ticket, stream);
      if (locked) lock.release();
    }
  }

  /** The last reference. @throws what keeps it here */
  *#depart(stream: OpenStream): Task<void> {
    yield* stream.object.depart?.() ?? nothing();
    this.#forget(stream);
    this.departed++;
  }

  #forget({ id, shared, offset, turn }: OpenStream): void {
    this.#streams.delete(id);
    if (!shared) return;
    this.#left.delete(id);
    this.#left.set(id, { offset, turn });
    for (const oldest of this.#left.keys()) {
      if (this.#left.size <= rememberedMax) break;
      this.#left.delete(oldest);
    }
  }

  // ---- coming ----

  *adopt(m: Movable): Task<OpenStream> {
    const arrival: Arrival = { stream: null, failure: null, abandoned: false, ended: new WaitQueue() };
    this.#machine.scope.spawn('adopt', this.#arrive(m, arrival));
    let waited = false;
    try {
      while (arrival.stream === null && arrival.failure === null) yield* arrival.ended.wait();
      waited = true;
    } finally {
      if (!waited) this.#abandon(arrival);
    }
    if (arrival.failure !== null) throw arrival.failure.cause;
    return arrival.stream as OpenStream;
  }

  #abandon(arrival: Arrival): void {
    arrival.abandoned = true;
    if (arrival.stream !== null) this.#machine.scope.spawn('close', this.#closeQuietly(arrival.stream));
  }

  *#arrive(m: Movable, arrival: Arrival): Task<void> {
    const turn = this.#arriving.get(m.streamId) ?? { lock: new Mutex(), count: 0 };
    this.#arriving.set(m.streamId, turn);
    turn.count++;
    yield* turn.lock.acquire();
    try {
      const here = this.#streams.get(m.streamId);
      arrival.stream = yield* here === undefined ? this.#enter(m) : this.#join(here, m);
    } catch (e) {
      if (!isKernelError(e)) throw e;
      arrival.failure = { cause: e };
    } finally {
      turn.lock.release();
      if (--turn.count === 0) this.#arriving.delete(m.streamId);
    }
    if (arrival.abandoned && arrival.stream !== null) yield* this.#closeQuietly(arrival.stream);
    arrival.ended.wakeAll();
  }

  *#enter(m: Movable): Task<OpenStream> {
    const mover = this.#moverOf(m.ref);
    if (mover.adopt === undefined) throw new KernelError('unsupported', `a ${m.ref.kind} does not move`);
    const { object, place } = yield* mover.adopt(m);
    const stream = new OpenStream(m.streamId, object);
    stream.place(place);
    this.arrived++;
    return this.entered(stream);
  }

  /** The stream is here and has been on another host: so its server has asked us, or we the server. */
  *#join(stream: OpenStream, m: Movable): Task<OpenStream> {
    const { server } = stream;
    if (server === null) throw new KernelError('unsupported', 'nobody knows of it elsewhere');
    stream.references++;
    let joined = false;
    try {
      yield* this.#transport.call(server, migrate, { movable: m, joins: true });
      joined = true;
      return stream;
    } finally {
      if (!joined) this.#machine.scope.spawn('close', this.#closeQuietly(stream));
    }
  }

  *#closeQuietly(stream: OpenStream): Task<void> {
    try {
      yield* this.close(stream);
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }

  *handOver(server: HostId, m: Movable): Task<{ readonly place: StreamPlace; readonly granted: Uint8Array }> {
    const { record, data } = yield* this.#transport.call(server, migrate, { movable: m, joins: false });
    const { alone, offset, turn, sharers } = record;
    return { place: { offset, server, shared: alone ? null : { turn, sharers } }, granted: data };
  }

  *fetch(m: Movable): Task<StreamPlace> {
    const { source, streamId: id, ticket } = m;
    const { offset } = yield* this.#transport.call(source, release, { id, ticket, sharers: [] });
    return { offset, server: null, shared: null };
  }

  // ---- an offset that the server holds ----

  /** The server does not know (any more) that we share it. Silence is left to the next operation of the object. */
  *rejoin(stream: OpenStream): Task<void> {
    const { id, offset, turn, sharers, asked, server } = stream;
    if (server === null) return;
    try {
      const answer = yield* this.#transport.call(server, rejoin, { id, offset, turn, sharers });
      stream.went(answer.next, answer, asked);
    } catch (e) {
      if (!isKernelError(e, 'peerDown')) throw e;
    }
  }

  /** The caller has the stream's lock. @returns the offset */
  *seek(stream: OpenStream, to: number, from: 'start' | 'current'): Task<number> {
    for (;;) {
      const { id, asked, server } = stream;
      if (server === null) throw new KernelError('badArgument', 'not shared');
      try {
        const turn = yield* this.#transport.call(server, seekShared, { id, to, from });
        stream.went(turn.next, turn, asked);
        return turn.next;
      } catch (e) {
        if (isKernelError(e, 'recovering')) yield* this.rejoin(stream);
        else if (isKernelError(e, 'peerDown'))
          yield* stream.object.attributes(); // waits for the server as the object does
        else throw e;
      }
      if (!stream.shared) return from === 'start' ? moved(stream, to) : moved(stream, stream.offset + to);
    }
  }
}

function moved(stream: OpenStream, to: number): number {
  if (!Number.isSafeInteger(to) || to < 0) throw new KernelError('badArgument', `offset ${to}`);
  stream.offset = to;
  return to;
}

function* nothing(): Task<void> {}
