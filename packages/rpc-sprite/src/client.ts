/**
 * The client's half of the transport: eight channels, which one a call takes, and what its ending means.
 *
 * A call takes (`src/kernel/rpc/rpcCall.c`)
 *   1. a free channel that was last used with this server, so that the request acknowledges the last reply;
 *   2. else one that was never used;
 *   3. else the free one that was used longest ago;
 *   4. else it waits until one is free, first come first served.
 *
 * Before the first call to a host that was never heard, and to one that has just been silent, an echo goes first: it may be
 * executed by any life of the host, and its reply says which life that is. The call itself is meant for that one.
 */
import { Semaphore, type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type Courier,
  type Found,
  fellSilent,
  Greetings,
  payloadBytes,
  rebooted,
} from '@backplane/rpc-service';
import { type HostId, KernelError, type Payload } from '@backplane/slots';
import type { Carrier } from './carrier.ts';
import { ClientChannel, type ClientParts } from './client-channel.ts';
import { kindIn } from './errors.ts';
import { everybody, limits, procedures } from './layout.ts';
import { noBytes, type Packet } from './packet.ts';
import { spareNs } from './retry-times.ts';

const nothing: Payload = { parameters: noBytes, data: noBytes };
const never = -1;

/** Later than any call that one life makes while the clock moves on by a second: see `#nextId`. */
const idsPerSecond = 0x4000;

export class Client implements Courier {
  static {
    tasks(Client);
  }

  readonly #parts: ClientParts;
  readonly #carrier: Carrier;
  readonly #channels: readonly ClientChannel[];
  readonly #free: Semaphore = new Semaphore(limits.channels);
  /** Calls to a spared server wait here for its one channel. */
  readonly #released: WaitQueue = new WaitQueue();
  readonly #greetings: Greetings = new Greetings((to) => this.echo(to));
  /** Servers that are spared, and until when; null where that is not the policy. */
  readonly #spared: Map<number, number> | null;
  #id: number;

  constructor(parts: Omit<ClientParts, 'turnedAway'>, carrier: Carrier, spare: boolean) {
    this.#parts = { ...parts, turnedAway: (server) => this.#spare(server) };
    this.#carrier = carrier;
    this.#spared = spare ? new Map() : null;
    this.#channels = Array.from({ length: limits.channels }, (_, i) => new ClientChannel(i, this.#parts));
    this.#id = (parts.machine.bootId * idsPerSecond) >>> 0;
  }

  /** @throws KernelError what the server answered; `peerDown` */
  *call(to: HostId, command: number, payload: Payload): Task<Payload> {
    const peer = this.#parts.peers.of(to);
    while (peer.bootId === 0 || peer.silent) yield* this.#greetings.greet(to);
    return yield* this.#exchange(to, command, payload, peer.life);
  }

  /** Asks the host for a sign of life. @throws KernelError `peerDown` */
  *echo(to: HostId): Task<void> {
    yield* this.#exchange(to, procedures.echo2, nothing, 0);
  }

  *ask(command: number, payload: Payload, windowNs: number, enough: number): Task<Found[]> {
    const channel = yield* this.#take(everybody);
    try {
      return yield* channel.ask(command, payload, this.#nextId(), windowNs, enough);
    } finally {
      this.#giveBack(channel);
    }
  }

  /** A packet bound for the client's side. */
  arrive(p: Packet): void {
    this.#channels[p.channel]?.arrive(p);
  }

  *#exchange(to: HostId, command: number, payload: Payload, life: number): Task<Payload> {
    if (!this.#carrier.knows(to)) yield* this.#reach(to);
    const channel = yield* this.#take(to);
    try {
      const id = this.#nextId();
      const { machine } = this.#parts;
      const { engine } = machine;
      const startNs = engine.nowNs;
      if (engine.trace.on) {
        const told = { to, procedure: command, channel: channel.index, id, sizeBytes: payloadBytes(payload) };
        engine.trace.emit('rpc.call', machine.scope, told);
      }
      const ending = yield* channel.call(to, command, payload, id, life);
      if (engine.trace.on) {
        const outcome = ending.how === 'error' ? kindIn(ending.code) : ending.how;
        const told = { to, procedure: command, id, outcome, elapsedNs: engine.nowNs - startNs };
        engine.trace.emit('rpc.done', machine.scope, told);
      }
      if (ending.how === 'reply') return ending.payload;
      if (ending.how === 'error') throw new KernelError(kindIn(ending.code));
      throw ending.how === 'silence' ? this.#lost(to) : rebooted(to);
    } finally {
      this.#giveBack(channel);
    }
  }

  *#reach(to: HostId): Task<void> {
    try {
      yield* this.#carrier.reach(to);
    } catch (e) {
      this.#lost(to);
      throw e;
    }
  }

  #lost(to: HostId): KernelError {
    const { peers, monitor, counters } = this.#parts;
    counters.timeouts++;
    peers.of(to).silent = true;
    this.#carrier.forget(to);
    monitor.fellSilent(to);
    return fellSilent(to);
  }

  /**
   * Identifiers rise until the reboot. A life starts them from its boot identifier, so that a late reply to the life before
   * finds no call with its identifier.
   */
  #nextId(): number {
    this.#id = (this.#id + 1) >>> 0;
    return this.#id;
  }

  // ---- channels ----

  *#take(to: number): Task<ClientChannel> {
    yield* this.#free.acquire();
    for (;;) {
      const channel = this.#isSpared(to) ? this.#onlyOne(to) : this.#choose(to);
      if (channel !== undefined) {
        channel.busy = true;
        return channel;
      }
      this.#free.release();
      yield* this.#released.wait();
      yield* this.#free.acquire();
    }
  }

  #giveBack(channel: ClientChannel): void {
    channel.busy = false;
    this.#free.release();
    if (this.#released.length > 0) this.#released.wakeAll();
  }

  #choose(to: number): ClientChannel | undefined {
    let unused: ClientChannel | undefined;
    let oldest: ClientChannel | undefined;
    for (const channel of this.#channels) {
      if (channel.busy) continue;
      if (channel.serverId === to) return channel;
      if (channel.serverId === never) unused ??= channel;
      else if (oldest === undefined || older(channel, oldest)) oldest = channel;
    }
    return unused ?? oldest;
  }

  /** The lowest channel of a spared server, unless it is busy. */
  #onlyOne(to: number): ClientChannel | undefined {
    const own = this.#channels.find((c) => c.serverId === to);
    if (own === undefined) return this.#choose(to);
    return own.busy ? undefined : own;
  }

  #spare(server: number): void {
    this.#spared?.set(server, this.#parts.machine.engine.nowNs + spareNs);
  }

  #isSpared(server: number): boolean {
    if (this.#spared === null) return false;
    const untilNs = this.#spared.get(server);
    if (untilNs === undefined) return false;
    if (untilNs > this.#parts.machine.engine.nowNs) return true;
    this.#spared.delete(server);
    return false;
  }
}

/** Identifiers are compared as serial numbers, which wrap. */
const older = (a: ClientChannel, b: ClientChannel): boolean => ((a.request.id - b.request.id) | 0) < 0;
