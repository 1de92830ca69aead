/**
 * The client's half: calls, null calls, and questions to everybody (RFC 1057, sections 7 and 11.1).
 *
 * A call
 *   state        event                         action                                               next
 *   -            called, host not introduced   null call with AUTH_UNIX: its reply has a short hand introducing
 *   -            called                        send, with the short hand; wait                      waiting
 *   introducing  short hand                    send, with it; wait                                  waiting
 *   introducing  no answer                     peerDown                                             -
 *   waiting      reply                         hand it up                                           -
 *   waiting      time is over                  send the same bytes again, wait twice as long        waiting
 *   waiting      the same, a third time or     null call: does it live?                             waiting
 *                later, and nothing heard
 *   waiting      short hand refused, or        get the new one; the life that it names began        introducing
 *                another life heard            after the first send: peerDown
 *   waiting      the host is called dead       peerDown                                             -
 *
 * So a server that works on a call for long is no time-out: it answers null calls. And a call that may have been executed
 * by a life that is over is never given to the next one.
 *
 * A null call is sent as often as a call before it is in doubt. Without an answer, and nothing else heard in the meantime,
 * the host is called dead.
 *
 * Rules of use: a thread for each call; it may be cancelled.
 */
import { charge, type Engine, type Task, tasks, WaitQueue } from '@backplane/engine';
import {
  type Courier,
  type Found,
  fellSilent,
  type PeerMonitor,
  payloadBytes,
  rebooted,
  senselessReply,
} from '@backplane/rpc-service';
import {
  Busy,
  type HostId,
  isKernelError,
  KernelError,
  kernelErrorFrom,
  type Machine,
  type Payload,
} from '@backplane/slots';
import { type BackOff, longer } from './back-off.ts';
import type { Counters } from './counters.ts';
import { unixAuth } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import { replyForgotten } from './errors.ts';
import { acceptStates, nullProcedure, ports, programs } from './layout.ts';
import { type Peer, type PeerTable, xidBefore } from './lives.ts';
import { callMessage, type Reply, readResults } from './messages.ts';

type Accepted = Extract<Reply, { how: 'accepted' }>;
type Ending = Accepted | { readonly how: 'otherLife' } | { readonly how: 'silence' };

/** A call that waits. */
class Pending {
  readonly peer: Peer;
  /** The life of the server for which it was sent. */
  readonly bootId: number;
  readonly credential: Uint8Array;
  readonly changed: WaitQueue = new WaitQueue();
  ending: Ending | null = null;

  constructor(peer: Peer, credential: Uint8Array) {
    this.peer = peer;
    this.bootId = peer.bootId;
    this.credential = credential;
  }

  end(ending: Ending): void {
    if (this.ending !== null) return;
    this.ending = ending;
    this.changed.wakeAll();
  }
}

/** A null call that is under way; who waits for its outcome is told whether the host lives. */
class Probe {
  readonly xid: number;
  answered = false;
  readonly changed: WaitQueue = new WaitQueue();
  readonly ended: WaitQueue<boolean> = new WaitQueue();

  constructor(xid: number) {
    this.xid = xid;
  }
}

/** A question to everybody that is open. */
class Question {
  readonly enough: number;
  readonly found: Found[] = [];
  readonly changed: WaitQueue = new WaitQueue();

  constructor(enough: number) {
    this.enough = enough;
  }

  get answered(): boolean {
    return this.found.length >= this.enough;
  }
}

export interface ClientParts {
  readonly machine: Machine;
  readonly endpoint: Endpoint;
  readonly peers: PeerTable;
  readonly monitor: PeerMonitor;
  readonly counters: Counters;
  readonly backOff: BackOff;
}

const everybody = 0 as HostId; // boundary: the internet's word for it

export class Client implements Courier {
  static {
    tasks(Client);
  }

  readonly #parts: ClientParts;
  readonly #engine: Engine;
  readonly #introduction: Uint8Array;
  readonly #pending = new Map<number, Pending>();
  readonly #probes = new Map<HostId, Probe>();
  readonly #questions = new Map<number, Question>();
  #questionXid: number;

  constructor(parts: ClientParts) {
    const { machine } = parts;
    this.#parts = parts;
    this.#engine = machine.engine;
    this.#introduction = unixAuth(machine.bootId, machine.name);
    this.#questionXid = xidBefore(machine.bootId, programs.questions, everybody);
  }

  // ---- calls ----

  /** @throws KernelError what the server answered; `peerDown` */
  *call(to: HostId, procedure: number, payload: Payload): Task<Payload> {
    const { machine, peers } = this.#parts;
    const peer = peers.of(to);
    const xid = peer.nextXid();
    const startNs = this.#engine.nowNs;
    if (this.#engine.trace.on) {
      const told = { to, procedure, channel: 0, id: xid, sizeBytes: payloadBytes(payload) };
      this.#engine.trace.emit('rpc.call', machine.scope, told);
    }
    let outcome = 'peerDown';
    try {
      const reply = yield* this.#carriedOut(peer, xid, procedure, payload);
      outcome = 'reply';
      return reply;
    } catch (e) {
      if (isKernelError(e)) outcome = e.kind;
      throw e;
    } finally {
      if (this.#engine.trace.on) {
        const told = { to, procedure, id: xid, outcome, elapsedNs: this.#engine.nowNs - startNs };
        this.#engine.trace.emit('rpc.done', machine.scope, told);
      }
    }
  }

  *#carriedOut(peer: Peer, xid: number, procedure: number, payload: Payload): Task<Payload> {
    let firstSentNs = Number.POSITIVE_INFINITY;
    for (;;) {
      const credential = yield* this.#introduced(peer);
      if (peer.bootedNs > firstSentNs) throw rebooted(peer.host);
      firstSentNs = Math.min(firstSentNs, this.#engine.nowNs);
      const message = callMessage(xid, programs.calls, procedure, credential, payload);
      const ending = yield* this.#exchange(peer, xid, message, credential, payloadBytes(payload));
      if (ending.how === 'silence') throw fellSilent(peer.host);
      if (ending.how === 'accepted') return resultsOf(peer.host, ending);
    }
  }

  /** The short hand of the server's present life. @throws KernelError `peerDown` */
  *#introduced(peer: Peer): Task<Uint8Array> {
    for (;;) {
      if (peer.credential !== null && !peer.silent) return peer.credential;
      if (!(yield* this.#lives(peer))) throw fellSilent(peer.host);
    }
  }

  *#exchange(
    peer: Peer,
    xid: number,
    message: Uint8Array,
    credential: Uint8Array,
    sizeBytes: number,
  ): Task<Ending> {
    const { endpoint, counters, backOff, machine, monitor } = this.#parts;
    const pending = new Pending(peer, credential);
    const key = keyOf(peer.host, xid);
    this.#pending.set(key, pending);
    try {
      let waitNs = backOff.firstNs;
      for (let silent = 1; ; silent++) {
        const sentNs = this.#engine.nowNs;
        counters.bytes += sizeBytes;
        yield* endpoint.send(peer.host, ports.client, ports.server, message);
        const leftNs = sentNs + waitNs - this.#engine.nowNs;
        if (pending.ending === null && leftNs > 0) yield* pending.changed.wait(leftNs);
        if (pending.ending !== null) return pending.ending;
        if (this.#engine.trace.on)
          this.#engine.trace.emit('rpc.timeout', machine.scope, { to: peer.host, id: xid, tries: silent });
        if (silent >= backOff.tries && monitor.heardNs(peer.host) <= sentNs) {
          yield* this.#lives(peer); // if it does not, this call has ended with all others to it
          if (pending.ending !== null) return pending.ending;
        }
        counters.retransmissions++;
        waitNs = longer(waitNs);
      }
    } finally {
      this.#pending.delete(key);
    }
  }

  // ---- null calls ----

  /** Starts a null call, unless one is under way. */
  ping(host: HostId): void {
    if (!this.#probes.has(host)) this.#probe(this.#parts.peers.of(host));
  }

  /** Makes a null call, or waits for the one that is under way. */
  *#lives(peer: Peer): Task<boolean> {
    const probe = this.#probes.get(peer.host) ?? this.#probe(peer);
    return (yield* probe.ended.wait()) === true;
  }

  #probe(peer: Peer): Probe {
    const probe = new Probe(peer.nextXid());
    this.#probes.set(peer.host, probe);
    this.#parts.counters.pings++;
    this.#parts.machine.scope.spawn('rpc ping', this.#probing(peer, probe));
    return probe;
  }

  *#probing(peer: Peer, probe: Probe): Task<void> {
    const { endpoint, backOff, counters, machine, monitor } = this.#parts;
    const startNs = this.#engine.nowNs;
    const message = callMessage(probe.xid, programs.calls, nullProcedure, this.#introduction, null);
    let waitNs = backOff.firstNs;
    charge(machine.type.costs.sunRpcPathNs, Busy.network);
    for (let tries = 1; tries <= backOff.tries && !probe.answered; tries++) {
      if (tries > 1) counters.retransmissions++;
      const sentNs = this.#engine.nowNs;
      yield* endpoint.send(peer.host, ports.client, ports.server, message);
      const leftNs = sentNs + waitNs - this.#engine.nowNs;
      if (!probe.answered && leftNs > 0) yield* probe.changed.wait(leftNs);
      waitNs = longer(waitNs);
    }
    this.#probes.delete(peer.host);
    const lives = probe.answered || monitor.heardNs(peer.host) > startNs;
    if (!lives) this.#lost(peer);
    probe.ended.wakeAll(lives);
  }

  #lost(peer: Peer): void {
    this.#parts.counters.timeouts++;
    peer.silent = true;
    for (const pending of this.#pending.values()) if (pending.peer === peer) pending.end({ how: 'silence' });
    this.#parts.monitor.fellSilent(peer.host);
  }

  // ---- questions ----

  /** The question goes out again within its window, each time after twice as long. */
  *ask(procedure: number, payload: Payload, windowNs: number, enough: number): Task<readonly Found[]> {
    const { endpoint, counters, backOff } = this.#parts;
    this.#questionXid = (this.#questionXid + 1) >>> 0;
    const xid = this.#questionXid;
    const message = callMessage(xid, programs.questions, procedure, this.#introduction, payload);
    const question = new Question(enough);
    this.#questions.set(xid, question);
    const endNs = this.#engine.nowNs + windowNs;
    let waitNs = Math.min(backOff.firstNs, Math.ceil(windowNs / 4));
    try {
      for (;;) {
        counters.bytes += payloadBytes(payload);
        yield* endpoint.send(everybody, ports.client, ports.server, message);
        const leftNs = Math.min(waitNs, endNs - this.#engine.nowNs);
        if (!question.answered && leftNs > 0) yield* question.changed.wait(leftNs);
        if (question.answered || this.#engine.nowNs >= endNs) return question.found;
        counters.retransmissions++;
        waitNs = longer(waitNs);
      }
    } finally {
      this.#questions.delete(xid);
    }
  }

  // ---- what arrives ----

  /** A reply of the newest life of the host. */
  accepted(from: HostId, reply: Accepted): void {
    const { counters } = this.#parts;
    const { xid } = reply;
    const pending = this.#pending.get(keyOf(from, xid));
    const probe = this.#probes.get(from);
    const question = this.#questions.get(xid);
    if (pending !== undefined) pending.end(reply);
    else if (probe?.xid === xid) {
      probe.answered = true;
      probe.changed.wakeAll();
    } else if (question !== undefined) this.#answer(question, from, reply);
    else counters.duplicates++;
  }

  /** The server does not take the short hand that a call came with: it has another life now. */
  denied(from: HostId, xid: number): void {
    const pending = this.#pending.get(keyOf(from, xid));
    if (pending === undefined) {
      this.#parts.counters.duplicates++;
      return;
    }
    if (pending.peer.credential === pending.credential) pending.peer.credential = null;
    pending.end({ how: 'otherLife' });
  }

  /** The host has another life than the one for which its calls were sent. */
  rebooted(peer: Peer): void {
    for (const pending of this.#pending.values())
      if (pending.peer === peer && pending.bootId !== peer.bootId) pending.end({ how: 'otherLife' });
  }

  #answer(question: Question, from: HostId, { state, body }: Accepted): void {
    const { counters } = this.#parts;
    const results = state === acceptStates.success ? readResults(body) : undefined;
    if (results?.status !== 0) counters.malformed++;
    else if (question.found.some((f) => f.from === from)) counters.duplicates++;
    else {
      question.found.push({ from, payload: results.payload });
      if (question.answered) question.changed.wakeAll();
    }
  }
}

/** @throws KernelError */
function resultsOf(host: HostId, { state, body }: Accepted): Payload {
  if (state === acceptStates.success) {
    const results = readResults(body);
    if (results === undefined) throw senselessReply(host, 'a call');
    if (results.status !== 0) throw new KernelError(kernelErrorFrom(results.status));
    return results.payload;
  }
  if (state === acceptStates.garbageArguments) throw new KernelError('badArgument');
  if (state === acceptStates.systemError) throw replyForgotten(host);
  throw new KernelError('unsupported');
}

const keyOf = (host: HostId, xid: number): number => host * 0x1_0000_0000 + xid;
