/**
 * A transport for tests: calls between hosts of one engine, at most once, with a delay for each message that the test may
 * set; and questions to everybody, which are not repeated. Hosts crash and boot, and may be cut off from one another. It knows of its peers what messages and pings tell.
 */
import { type Engine, ms, type Scope, seconds, settle, sleep, type Task, WaitQueue } from '@backplane/engine';
import {
  type Answer,
  type AskOptions,
  type Caller,
  type HostId,
  KernelError,
  type Payload,
  type Procedure,
  silent,
  type Transport,
  type Undo,
} from '@backplane/slots';

type Handler = Parameters<Transport['serve']>[1];
interface Served {
  readonly procedure: Procedure<unknown, unknown>;
  readonly handler: Handler;
}
interface Outcome {
  reply?: Payload;
  error?: KernelError;
  done: boolean;
  givenUp: boolean;
}
export interface Envelope {
  readonly from: HostId;
  readonly to: HostId;
  readonly procedure: string;
  readonly reply: boolean;
}

export class Net {
  readonly engine: Engine;
  readonly ends: Map<HostId, End> = new Map();
  /** How long a message travels. */
  delayNs: (e: Envelope) => number = () => ms(1);
  /** Whether a question to everybody, or an answer to one, is lost on its way to a host. */
  loses: (e: Envelope) => boolean = () => false;
  /** Silence after which a peer is called dead. */
  readonly silenceNs: number = seconds(5);
  /** Pairs of hosts that do not hear one another, as "1-2". */
  readonly cuts: Set<string> = new Set();
  /** Every request that reached a handler, in order. */
  readonly log: string[] = [];

  constructor(engine: Engine) {
    this.engine = engine;
  }

  cut(a: HostId, b: HostId): void {
    this.cuts.add(pair(a, b));
  }

  mend(a: HostId, b: HostId): void {
    this.cuts.delete(pair(a, b));
  }

  /** A host that is up and can be heard. */
  reach(from: HostId, to: HostId): End | undefined {
    const end = this.ends.get(to);
    return end?.scope.alive === true && !this.cuts.has(pair(from, to)) ? end : undefined;
  }
}

const pair = (a: HostId, b: HostId): string => `${Math.min(a, b)}-${Math.max(a, b)}`;

class Peer {
  bootId = 0;
  state: 'unknown' | 'alive' | 'dead' = 'unknown';
  watchers = 0;
  mourning = 0;
  readonly buried: WaitQueue = new WaitQueue();
  readonly heard: WaitQueue = new WaitQueue();
}

/** One boot of one host's transport. */
export class End implements Transport {
  readonly self: HostId;
  readonly maxParametersBytes = 1024;
  readonly maxDataBytes = 16_384;
  readonly scope: Scope;
  readonly bootId: number;
  readonly #net: Net;
  readonly #served = new Map<number, Served>();
  readonly #peers = new Map<HostId, Peer>();
  readonly #onDead: ((host: HostId) => Task<void>)[] = [];
  readonly #onReboot: ((host: HostId) => Task<void>)[] = [];

  constructor(net: Net, self: HostId, bootId: number, scope: Scope) {
    this.#net = net;
    this.self = self;
    this.bootId = bootId;
    this.scope = scope;
    net.ends.set(self, this);
  }

  serve<Q, R>(procedure: Procedure<Q, R>, handler: unknown): Undo {
    this.#served.set(procedure.id, { procedure, handler } as Served);
    return () => void this.#served.delete(procedure.id);
  }

  *call<Q, R>(to: HostId, procedure: Procedure<Q, R>, request: NoInfer<Q>): Task<R> {
    const payload = procedure.request.encode(request);
    yield* settle();
    if (to === this.self) {
      const answer = yield* this.execute(procedure.id, payload, { host: this.self, bootId: this.bootId });
      return procedure.reply.decode(answer) as R;
    }
    const outcome: Outcome = { done: false, givenUp: false };
    const woken = new WaitQueue();
    const target = this.#net.reach(this.self, to);
    target?.scope.spawn('serve', target.#arrive(this, procedure, payload, outcome, woken));
    const untilNs = () => this.#net.engine.nowNs + this.#net.silenceNs;
    let limitNs = untilNs();
    while (!outcome.done) {
      yield* woken.wait(limitNs - this.#net.engine.nowNs);
      if (outcome.done) break;
      // A busy server is no silence: it is asked again as long as it can be heard.
      if (target === undefined || this.#net.reach(this.self, to) !== target) {
        outcome.givenUp = true;
        this.#fellSilent(to);
        throw new KernelError('peerDown', `host ${to}`);
      }
      limitNs = untilNs();
    }
    if (target !== undefined) yield* this.#hear(to, target.bootId);
    if (outcome.error !== undefined) throw outcome.error;
    const value = procedure.reply.decode(outcome.reply as Payload);
    if (value === undefined) throw new Error(`${procedure.name}: the reply does not decode`);
    return value;
  }

  *ask<Q, R>(
    procedure: Procedure<Q, R>,
    request: NoInfer<Q>,
    { windowNs, enough }: AskOptions,
  ): Task<readonly Answer<R>[]> {
    const payload = procedure.request.encode(request);
    yield* settle();
    const answers: Answer<R>[] = [];
    const woken = new WaitQueue();
    for (const end of this.#net.ends.values()) {
      if (end === this || !end.scope.alive) continue;
      const answered = (reply: Payload): void => {
        const value = procedure.reply.decode(reply);
        if (value === undefined) throw new Error(`${procedure.name}: the reply does not decode`);
        answers.push({ from: end.self, reply: value });
        woken.wakeAll();
      };
      end.scope.spawn('answer', end.#answer(this, procedure, payload, answered));
    }
    const { engine } = this.#net;
    const endNs = engine.nowNs + windowNs;
    while (answers.length < enough && engine.nowNs < endNs) yield* woken.wait(endNs - engine.nowNs);
    return [...answers];
  }

  *#answer(
    from: End,
    procedure: { readonly id: number; readonly name: string },
    payload: Payload,
    answered: (reply: Payload) => void,
  ): Task<void> {
    const net = this.#net;
    const there = { from: from.self, to: this.self, procedure: procedure.name, reply: false };
    yield* sleep(net.delayNs(there));
    if (net.loses(there) || net.reach(this.self, from.self) !== from) return;
    yield* this.#hear(from.self, from.bootId);
    let reply: Payload;
    try {
      reply = yield* this.execute(procedure.id, payload, { host: from.self, bootId: from.bootId });
    } catch (e) {
      if (!(e instanceof KernelError)) throw e;
      return;
    }
    const back = { ...there, from: this.self, to: from.self, reply: true };
    yield* sleep(net.delayNs(back));
    if (net.loses(back) || net.reach(this.self, from.self) !== from) return;
    yield* from.#hear(this.self, this.bootId);
    answered(reply);
  }

  *#arrive(
    from: End,
    procedure: { readonly id: number; readonly name: string },
    payload: Payload,
    outcome: Outcome,
    woken: WaitQueue,
  ): Task<void> {
    const envelope = { from: from.self, to: this.self, procedure: procedure.name, reply: false };
    yield* sleep(this.#net.delayNs(envelope));
    if (!(yield* this.#reaches(from, outcome))) return;
    yield* this.#hear(from.self, from.bootId);
    try {
      this.#net.log.push(`${procedure.name} ${from.self}>${this.self}`);
      outcome.reply = yield* this.execute(procedure.id, payload, { host: from.self, bootId: from.bootId });
    } catch (e) {
      if (!(e instanceof KernelError)) throw e;
      outcome.error = e;
    }
    yield* sleep(this.#net.delayNs({ ...envelope, from: this.self, to: from.self, reply: true }));
    if (!(yield* this.#reaches(from, outcome))) return;
    outcome.done = true;
    woken.wakeAll();
  }

  /** What is lost is sent again, until the caller gives up. */
  *#reaches(from: End, outcome: Outcome): Task<boolean> {
    while (this.#net.reach(this.self, from.self) !== from) {
      if (outcome.givenUp || !from.scope.alive) return false;
      yield* sleep(ms(100));
    }
    return !outcome.givenUp;
  }

  *execute(id: number, payload: Payload, caller: Caller): Task<Payload> {
    const served = this.#served.get(id);
    if (served === undefined) throw new KernelError('unsupported', `procedure ${id}`);
    const request = served.procedure.request.decode(payload);
    if (request === undefined) throw new KernelError('badArgument', served.procedure.name);
    const reply = yield* served.handler(request as never, caller);
    if (reply === silent) throw new KernelError('noAnswer');
    return served.procedure.reply.encode(reply as never);
  }

  // ---- peers ----

  /** A sign of life. Returns when nothing stands between the host and its being served. */
  *#hear(host: HostId, bootId: number): Task<void> {
    const peer = this.#peer(host);
    if (bootId < peer.bootId) return;
    const rebooted = peer.bootId !== 0 && bootId !== peer.bootId;
    peer.bootId = bootId;
    if (rebooted && peer.state === 'alive') this.#mourn(host, peer);
    peer.state = 'alive';
    peer.heard.wakeAll();
    if (rebooted && peer.watchers > 0) this.scope.spawn('peer rebooted', this.#welcome(host, peer));
    while (peer.mourning > 0) yield* peer.buried.wait();
  }

  *#welcome(host: HostId, peer: Peer): Task<void> {
    while (peer.mourning > 0) yield* peer.buried.wait();
    for (const f of this.#onReboot) yield* f(host);
  }

  #fellSilent(host: HostId): void {
    const peer = this.#peer(host);
    if (peer.state === 'dead') return;
    peer.state = 'dead';
    this.#mourn(host, peer);
  }

  #mourn(host: HostId, peer: Peer): void {
    peer.mourning++;
    this.scope.spawn('peer died', this.#bury(host, peer));
  }

  *#bury(host: HostId, peer: Peer): Task<void> {
    for (const f of this.#onDead) yield* f(host);
    peer.mourning--;
    peer.buried.wakeAll();
  }

  readonly peers: Transport['peers'] = {
    onDead: (f) => {
      this.#onDead.push(f);
      return () => {};
    },
    onReboot: (f) => {
      this.#onReboot.push(f);
      return () => {};
    },
    watch: (host) => {
      const peer = this.#peer(host);
      if (peer.watchers++ === 0) this.scope.spawn('pings', this.#ping(host, peer));
      let watching = true;
      return () => {
        if (watching) peer.watchers--;
        watching = false;
      };
    },
    isAlive: (host) => host === this.self || this.#peer(host).state === 'alive',
    awaitAlive: (host) => this.#awaitAlive(host),
  };

  watchers(host: HostId): number {
    return this.#peer(host).watchers;
  }

  *#awaitAlive(host: HostId): Task<void> {
    const unwatch = this.peers.watch(host);
    while (!this.peers.isAlive(host)) yield* this.#peer(host).heard.wait();
    unwatch();
  }

  *#ping(host: HostId, peer: Peer): Task<void> {
    while (peer.watchers > 0) {
      const target = this.#net.reach(this.self, host);
      if (target === undefined) this.#fellSilent(host);
      else yield* this.#hear(host, target.bootId);
      yield* sleep(seconds(2));
    }
  }

  #peer(host: HostId): Peer {
    let peer = this.#peers.get(host);
    if (peer === undefined) {
      peer = new Peer();
      this.#peers.set(host, peer);
    }
    return peer;
  }
}
