/**
 * Shadow streams: what the host that does the I/O knows of streams that several hosts use (Welch 1990, chapter 5).
 *
 *   invariants   a shadow holds the offset unless it has one sharer, which may have taken it back
 *                a host that shares the stream and is not in `sharers` learns so at its next operation, and rejoins
 *                the lock is held over the calls to the sharers and over the kind's `move`; operations at the offset
 *                wait for it. So no sharer may wait for such an operation in order to answer
 *
 *   event                              action
 *   a target asks for a reference      release it at its source; tell all other sharers; then the kind's part
 *   a sharer rejoins                   ask all others: the offset that somebody holds for himself, or else the newest
 *   an operation at the offset         one at a time; numbered
 *   a sharer closes, or dies           it is struck off; the shadow of nobody is gone
 *
 * A stream that comes to a host that is then alone with it needs no shadow. Lost in a crash: all of them.
 */
import { Mutex, type Task, tasks } from '@backplane/engine';
import {
  type HostId,
  isKernelError,
  KernelError,
  type Movable,
  type Mover,
  type ObjectRef,
  type StreamId,
  type Transport,
  type Turn,
} from '@backplane/slots';
import {
  leave,
  type Migrated,
  type MigrateRequest,
  migrate,
  type RejoinRequest,
  type Released,
  rejoin,
  release,
  type SeekRequest,
  seekShared,
} from './move-procedures.ts';

class Shadow {
  readonly id: StreamId;
  readonly lock: Mutex = new Mutex();
  readonly sharers: Set<HostId> = new Set();
  offset = 0;
  /** Number of the newest operation; -1 when nothing is known yet. */
  turn = -1;
  /** Handlers at work on it. */
  visits = 0;

  constructor(id: StreamId) {
    this.id = id;
  }

  learn(host: HostId, r: Omit<Released, 'sharers' | 'seekable'>): void {
    if (r.inUse) this.sharers.add(host);
    else this.sharers.delete(host);
    if (r.held) this.turn = Math.max(this.turn, r.turn) + 1;
    else if (r.turn > this.turn) this.turn = r.turn;
    else return;
    this.offset = r.offset;
  }
}

export class Shadows {
  static {
    tasks(Shadows);
  }

  readonly #transport: Transport;
  readonly #moverOf: (ref: ObjectRef) => Mover;
  readonly #shadows = new Map<StreamId, Shadow>();
  /** How often each host has died. */
  readonly #deaths = new Map<HostId, number>();

  constructor(transport: Transport, moverOf: (ref: ObjectRef) => Mover) {
    this.#transport = transport;
    this.#moverOf = moverOf;
    transport.serve(migrate, (q, from) => this.#migrate(q, from.host));
    transport.serve(rejoin, (q, from) => this.#rejoin(q, from.host));
    transport.serve(leave, (id, from) => this.#leave(id, from.host));
    transport.serve(seekShared, (q, from) => this.#seek(q, from.host));
    transport.peers.onDead((host) => this.#died(host));
  }

  get count(): number {
    return this.#shadows.size;
  }

  // ---- moves ----

  *#migrate(
    { movable, joins }: MigrateRequest,
    to: HostId,
  ): Task<{ readonly record: Migrated; readonly data: Uint8Array }> {
    const mover = this.#moverOf(movable.ref);
    if (mover.move === undefined) throw new KernelError('unsupported', `a ${movable.ref.kind} does not move`);
    const shadow = this.#visit(movable.streamId);
    let arrived = false;
    const deaths = this.#deathsOf(to);
    try {
      yield* shadow.lock.acquire();
      try {
        const data = yield* mover.move({
          movable,
          to,
          joins,
          targetLives: () => this.#deathsOf(to) === deaths,
          release: () => this.#release(shadow, movable, to, joins),
        });
        arrived = true;
        const alone = !joins && shadow.sharers.size <= 1;
        // It does not have the stream yet, so nobody can ask it for what it holds.
        if (alone) shadow.sharers.delete(to);
        const { offset, turn } = shadow;
        return { record: { alone, offset, turn: Math.max(0, turn), sharers: [...shadow.sharers] }, data };
      } finally {
        if (!arrived && !joins) shadow.sharers.delete(to);
        shadow.lock.release();
      }
    } finally {
      this.#left(shadow);
    }
  }

  /** True when the source has no reference left. */
  *#release(shadow: Shadow, m: Movable, to: HostId, joins: boolean): Task<boolean> {
    const { id } = shadow;
    const sourceDeaths = this.#deathsOf(m.source);
    const targetDeaths = this.#deathsOf(to);
    const sharers = union([...shadow.sharers, m.source, to]);
    const released = yield* this.#transport.call(m.source, release, { id, ticket: m.ticket, sharers });
    if (released.seekable) {
      shadow.learn(m.source, released);
      const others = union([...shadow.sharers, ...released.sharers, ...(joins ? [to] : [])]);
      for (const host of others)
        if (host !== m.source && (joins || host !== to))
          yield* this.#ask(shadow, host, union([...sharers, ...others]));
      if (this.#deathsOf(to) === targetDeaths) shadow.sharers.add(to);
    }
    if (this.#deathsOf(m.source) !== sourceDeaths) {
      shadow.sharers.delete(m.source);
      throw new KernelError('peerDown', `host ${m.source}, the source`);
    }
    return !released.inUse;
  }

  /** Another host comes to use the stream too. Who does not answer is dead. */
  *#ask(shadow: Shadow, host: HostId, sharers: readonly HostId[]): Task<void> {
    try {
      shadow.learn(host, yield* this.#transport.call(host, release, { id: shadow.id, ticket: 0, sharers }));
    } catch (e) {
      if (!isKernelError(e)) throw e;
      shadow.sharers.delete(host);
    }
  }

  *#rejoin(q: RejoinRequest, from: HostId): Task<Turn> {
    const shadow = this.#visit(q.id);
    try {
      yield* shadow.lock.acquire();
      try {
        const deaths = this.#deathsOf(from);
        shadow.learn(from, { inUse: true, held: false, offset: q.offset, turn: q.turn });
        const sharers = union([...shadow.sharers, ...q.sharers]);
        for (const host of sharers) if (host !== from) yield* this.#ask(shadow, host, sharers);
        if (this.#deathsOf(from) !== deaths) shadow.sharers.delete(from);
        return { next: shadow.offset, turn: shadow.turn, alone: shadow.sharers.size === 1 };
      } finally {
        shadow.lock.release();
      }
    } finally {
      this.#left(shadow);
    }
  }

  // ---- the offset ----

  /** @throws KernelError `recovering` unless it is known that this host shares the stream */
  *at<T extends { readonly next: number }>(
    id: StreamId,
    by: HostId,
    operation: (offset: number) => Task<T>,
  ): Task<{ readonly result: T; readonly turn: Turn }> {
    const shadow = this.#visit(id);
    try {
      yield* shadow.lock.acquire();
      try {
        if (!shadow.sharers.has(by)) throw new KernelError('recovering', `stream ${id} of host ${by}`);
        const result = yield* operation(shadow.offset);
        shadow.offset = result.next;
        shadow.turn++;
        const turn = { next: result.next, turn: shadow.turn, alone: shadow.sharers.size === 1 };
        return { result, turn };
      } finally {
        shadow.lock.release();
      }
    } finally {
      this.#left(shadow);
    }
  }

  *#seek(q: SeekRequest, from: HostId): Task<Turn> {
    const { turn } = yield* this.at(q.id, from, function* (offset) {
      const next = q.from === 'current' ? offset + q.to : q.to;
      if (!Number.isSafeInteger(next) || next < 0) throw new KernelError('badArgument', `offset ${next}`);
      return { next };
    });
    return turn;
  }

  // ---- who uses what ----

  /** Waits for a move that is under way: it has counted this host still. */
  *#leave(id: StreamId, from: HostId): Task<null> {
    if (!this.#shadows.has(id)) return null;
    const shadow = this.#visit(id);
    try {
      yield* shadow.lock.acquire();
      shadow.sharers.delete(from);
      shadow.lock.release();
    } finally {
      this.#left(shadow);
    }
    return null;
  }

  *#died(host: HostId): Task<void> {
    this.#deaths.set(host, this.#deathsOf(host) + 1);
    for (const shadow of [...this.#shadows.values()]) {
      shadow.sharers.delete(host);
      this.#forgetIfIdle(shadow);
    }
  }

  #deathsOf(host: HostId): number {
    return this.#deaths.get(host) ?? 0;
  }

  #visit(id: StreamId): Shadow {
    let shadow = this.#shadows.get(id);
    if (shadow === undefined) {
      shadow = new Shadow(id);
      this.#shadows.set(id, shadow);
    }
    shadow.visits++;
    return shadow;
  }

  #left(shadow: Shadow): void {
    shadow.visits--;
    this.#forgetIfIdle(shadow);
  }

  #forgetIfIdle(shadow: Shadow): void {
    if (shadow.visits === 0 && shadow.sharers.size === 0) this.#shadows.delete(shadow.id);
  }
}

const union = (hosts: readonly HostId[]): readonly HostId[] => [...new Set(hosts)];
