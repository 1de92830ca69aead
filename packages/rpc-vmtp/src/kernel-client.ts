/**
 * A kernel as a client: calls to other kernels, each one transaction of a client entity from a pool. With all of them in use,
 * calls wait for one, first come first served.
 *
 *   a call                                          what follows
 *   to a host that was never heard, or was silent   first the null procedure: its response names the host's life
 *   response ok                                     the result
 *   response with an error                          that error
 *   refused: meant for another life                 if that life began before the call: call it; else peerDown
 *   the server does not have its response any more  peerDown: it was executed
 *   no such kernel, or silence                      peerDown: the monitor is told
 */
import { Semaphore, type Task, tasks } from '@backplane/engine';
import {
  type Courier,
  type Found,
  fellSilent,
  Greetings,
  type PeerMonitor,
  payloadBytes,
  rebooted,
  senselessReply,
} from '@backplane/rpc-service';
import {
  codeOf,
  type HostId,
  isKernelError,
  KernelError,
  type Machine,
  type Message,
  MessageFlag,
  type Payload,
  ReplyCode,
  wordOf,
} from '@backplane/slots';
import { here, type Place } from './carrier.ts';
import type { TransactOptions } from './client-parts.ts';
import type { ClientRecord } from './client-record.ts';
import type { Counters } from './counters.ts';
import { responseLost } from './errors.ts';
import {
  bootIdIn,
  errorKind,
  hostOf,
  kernelGroup,
  nothing,
  nullProcedure,
  otherLife,
  payloadIn,
  requestMessage,
} from './kernel-messages.ts';
import { anyLife, instantOf, type Peer, type PeerTable } from './lives.ts';
import type { VmtpHost } from './vmtp-host.ts';

export interface KernelClientParts {
  readonly machine: Machine;
  readonly host: VmtpHost;
  readonly peers: PeerTable;
  readonly monitor: PeerMonitor;
  readonly counters: Counters;
}

export class KernelClient implements Courier {
  static {
    tasks(KernelClient);
  }

  readonly #parts: KernelClientParts;
  readonly #idle: ClientRecord[] = [];
  readonly #free: Semaphore;
  readonly #greetings: Greetings = new Greetings((to) => this.ping(to));
  /** Hosts to which a ping is under way. */
  readonly #pinged = new Set<HostId>();

  /** @param clientsMax calls under way at once */
  constructor(parts: KernelClientParts, clientsMax: number) {
    this.#parts = parts;
    this.#free = new Semaphore(clientsMax);
  }

  /** @throws KernelError what the server answered; `peerDown` */
  *call(to: HostId, procedure: number, payload: Payload): Task<Payload> {
    const { peers, machine } = this.#parts;
    const { engine } = machine;
    const peer = peers.of(to);
    const beganNs = engine.nowNs;
    let first = true;
    for (;;) {
      while (peer.bootId === 0 || peer.silent) yield* this.#greetings.greet(to);
      const m = yield* this.#exchange(peer, procedure, peer.bootId, payload);
      const code = codeOf(m);
      if (code === ReplyCode.ok) return resultOf(to, m);
      if (code !== otherLife) throw new KernelError(errorKind(code));
      // The life before may have executed it, unless it was over by then.
      if (!first || instantOf(wordOf(m, 2), wordOf(m, 3)) > beganNs) throw rebooted(to);
      first = false;
    }
  }

  /** The same by a thread of its own, unless one is at it. What it finds out, the monitor is told. */
  startPing(to: HostId): void {
    if (this.#pinged.has(to)) return;
    this.#pinged.add(to);
    this.#parts.counters.pings++;
    this.#parts.machine.scope.spawn('vmtp ping', this.#pingQuietly(to));
  }

  *#pingQuietly(to: HostId): Task<void> {
    try {
      yield* this.ping(to);
    } catch (e) {
      if (!isKernelError(e)) throw e;
    } finally {
      this.#pinged.delete(to);
    }
  }

  /** Asks the host for a sign of life. @throws KernelError `peerDown` */
  *ping(to: HostId): Task<void> {
    yield* this.#exchange(this.#parts.peers.of(to), nullProcedure, anyLife, nothing);
  }

  *ask(procedure: number, payload: Payload, windowNs: number, enough: number): Task<readonly Found[]> {
    const { machine, counters } = this.#parts;
    const m = requestMessage(
      { procedure, bootId: machine.bootId, life: anyLife, payload },
      MessageFlag.manyResponses,
    );
    const client = yield* this.#take();
    try {
      const found: Found[] = [];
      for (const { from, message } of yield* client.ask(kernelGroup, m, windowNs, enough)) {
        const host = hostOf(from);
        const result = codeOf(message) === ReplyCode.ok ? payloadIn(message) : undefined;
        if (host === undefined || result === undefined) counters.malformed++;
        else if (this.#heard(host, bootIdIn(message))) found.push({ from: host, payload: result });
      }
      return found;
    } finally {
      this.#giveBack(client);
    }
  }

  /** One transaction. Returns a response of the host's newest life. @throws KernelError `peerDown` */
  *#exchange(peer: Peer, procedure: number, life: number, payload: Payload): Task<Message> {
    const { machine } = this.#parts;
    const { engine } = machine;
    const { host } = peer;
    const client = this.#takeIdle() ?? (yield* this.#take());
    try {
      const startNs = engine.nowNs;
      const request = requestMessage({ procedure, bootId: machine.bootId, life, payload });
      const { trace } = engine;
      if (trace.on) {
        const told = {
          to: host,
          procedure,
          channel: 0,
          id: client.transaction,
          sizeBytes: payloadBytes(payload),
        };
        trace.emit('rpc.call', machine.scope, told);
      }
      // A kernel is where its number says, or nowhere.
      const options: TransactOptions = { runs: true, settled: true, route: peer.route };
      const { message: m, place } = yield* client.transact(peer.entity, request, options);
      if (place !== undefined) this.#answeredFrom(peer, place);
      const code = codeOf(m);
      if (trace.on) {
        const outcome = code === ReplyCode.ok ? 'reply' : code > ReplyCode.user ? errorKind(code) : 'silence';
        const told = {
          to: host,
          procedure,
          id: client.transaction,
          outcome,
          elapsedNs: engine.nowNs - startNs,
        };
        trace.emit('rpc.done', machine.scope, told);
      }
      if (code === ReplyCode.ok || code >= ReplyCode.user) {
        if (!this.#heard(host, bootIdIn(m))) throw rebooted(host);
        return m;
      }
      throw this.#failed(peer, code);
    } finally {
      this.#giveBack(client);
    }
  }

  #answeredFrom(peer: Peer, place: Place): void {
    if (place !== here && place !== peer.route?.place) peer.route = this.#parts.host.routeTo(place);
  }

  /** What VMTP says for itself, about a kernel. */
  #failed(peer: Peer, code: number): KernelError {
    const { counters, monitor, host } = this.#parts;
    if (code === ReplyCode.responseDiscarded || code === ReplyCode.badReplySegment)
      return responseLost(peer.host);
    counters.timeouts++;
    peer.silent = true;
    peer.route = undefined;
    host.carrier.forget(peer.host);
    monitor.fellSilent(peer.host);
    return fellSilent(peer.host);
  }

  /** A message of that life. False if it is over. */
  #heard(host: HostId, bootId: number): boolean {
    const { peers, monitor, counters } = this.#parts;
    const peer = peers.of(host);
    if (bootId < peer.bootId) {
      counters.stale++;
      return false;
    }
    peer.bootId = bootId;
    peer.silent = false;
    monitor.heard(host, bootId);
    return true;
  }

  // ---- the pool ----

  *#take(): Task<ClientRecord> {
    yield* this.#free.acquire();
    const { host } = this.#parts;
    return this.#idle.pop() ?? host.client(host.mintByAddress());
  }

  /** One that is there and wanted by nobody else. */
  #takeIdle(): ClientRecord | undefined {
    return this.#idle.length > 0 && this.#free.tryAcquire() ? this.#idle.pop() : undefined;
  }

  #giveBack(client: ClientRecord): void {
    this.#idle.push(client);
    this.#free.release();
  }
}

/** @throws KernelError `ioError` */
function resultOf(host: HostId, m: Message): Payload {
  const payload = payloadIn(m);
  if (payload === undefined) throw senselessReply(host, 'a call');
  return payload;
}
