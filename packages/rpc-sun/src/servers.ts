/**
 * The server's half: a pool of daemons, each a thread that executes one call at a time, and the cache of their replies.
 *
 *   a request                       action
 *   new, a daemon free or to make   note it, hand it over
 *   new, all daemons busy           drop it: it comes again
 *   its handler runs                drop it
 *   its reply is kept               send that again
 *   its reply is no longer kept     say so (a system error); to a question, nothing
 *
 * A daemon executes a request after the onDead handlers for the client's earlier life have ended, and not at all when that
 * life is over by then. What is sent without a daemon (replies again, refusals, null calls) goes through one thread, in
 * order; of too many at once the last are dropped, as from a full socket.
 */
import { Channel, charge, type Task, tasks, WaitQueue } from '@backplane/engine';
import { type Outcome, payloadBytes, type ServedCalls } from '@backplane/rpc-service';
import { Busy, type HostId, kernelErrorNumber, type Machine } from '@backplane/slots';
import type { Counters } from './counters.ts';
import type { Endpoint } from './endpoint.ts';
import { acceptStates, ports, programs } from './layout.ts';
import type { Peer, Self } from './lives.ts';
import { bareMessage, type Call, nothing, readArguments, resultsMessage } from './messages.ts';
import type { ReplyCache } from './reply-cache.ts';

export interface ServerParts {
  readonly machine: Machine;
  readonly self: Self;
  readonly endpoint: Endpoint;
  readonly counters: Counters;
  readonly calls: ServedCalls;
  readonly cache: ReplyCache;
}

interface Request {
  readonly peer: Peer;
  /** The life that made it. */
  readonly bootId: number;
  readonly port: number;
  readonly call: Call;
}

interface Outgoing {
  readonly to: HostId;
  readonly port: number;
  readonly message: Uint8Array;
  readonly costNs: number;
}

class Daemon {
  request: Request | null = null;
  readonly handed: WaitQueue = new WaitQueue();
}

const outgoingMax = 128;

export class Servers {
  static {
    tasks(Servers);
  }

  readonly #parts: ServerParts;
  readonly #daemonsMax: number;
  readonly #idle: Daemon[] = [];
  #daemons = 0;
  readonly #outgoing: Channel<Outgoing> = new Channel();
  #open = false;

  constructor(parts: ServerParts, daemonsMax: number) {
    this.#parts = parts;
    this.#daemonsMax = daemonsMax;
    const { metrics } = parts.machine;
    metrics.register('rpc.servers', () => this.#daemons, 'max');
    metrics.register('rpc.cachedReplies', () => parts.cache.size);
  }

  /** Whether requests are served. */
  get open(): boolean {
    return this.#open;
  }

  enable(daemons: number): void {
    this.#open = true;
    this.#parts.machine.scope.spawn('rpc answers', this.#send());
    while (this.#daemons < daemons) this.#idle.push(this.#make());
  }

  // ---- requests, at interrupt level ----

  request(peer: Peer, port: number, call: Call): void {
    const { cache, counters, self } = this.#parts;
    const { host, bootId } = peer;
    const { program, xid } = call;
    const verdict = cache.judge(host, bootId, program, xid);
    if (verdict === 'new') {
      const daemon = this.#idle.pop() ?? (this.#daemons < this.#daemonsMax ? this.#make() : undefined);
      if (daemon === undefined) {
        counters.noServer++;
        return;
      }
      cache.begin(host, bootId, program, xid);
      daemon.request = { peer, bootId, port, call };
      daemon.handed.wakeOne();
    } else if (verdict === 'absurd') counters.malformed++;
    else {
      counters.duplicates++;
      if (verdict === 'running') return;
      if (verdict !== 'forgotten') {
        counters.replays++;
        this.answer(host, port, verdict.reply);
      } else if (program === programs.calls) {
        counters.forgotten++;
        this.answer(host, port, bareMessage(xid, peer.verifier(self), acceptStates.systemError));
      }
    }
  }

  /** A client has another life. */
  forget(client: HostId): void {
    this.#parts.cache.forget(client);
  }

  answer(to: HostId, port: number, message: Uint8Array): void {
    this.#queue({ to, port, message, costNs: 0 });
  }

  answerNull(to: HostId, port: number, message: Uint8Array): void {
    this.#queue({ to, port, message, costNs: this.#parts.machine.type.costs.sunRpcPathNs });
  }

  #queue(outgoing: Outgoing): void {
    if (this.#outgoing.length < outgoingMax) this.#outgoing.send(outgoing);
  }

  // ---- threads ----

  *#send(): Task<void> {
    for (;;) {
      const { to, port, message, costNs } = yield* this.#outgoing.receive();
      charge(costNs, Busy.network);
      yield* this.#parts.endpoint.send(to, ports.server, port, message);
    }
  }

  #make(): Daemon {
    const daemon = new Daemon();
    this.#parts.machine.scope.spawn(`rpc daemon ${this.#daemons}`, this.#run(daemon));
    this.#daemons++;
    return daemon;
  }

  *#run(daemon: Daemon): Task<void> {
    for (;;) {
      while (daemon.request === null) yield* daemon.handed.wait();
      yield* this.#serve(daemon.request);
      daemon.request = null;
      this.#idle.push(daemon);
    }
  }

  *#serve(request: Request): Task<void> {
    const { cache, calls, endpoint, machine } = this.#parts;
    const { peer, bootId, port, call } = request;
    const { procedure, xid, body } = call;
    const outcome = yield* calls.execute(peer.host, bootId, procedure, xid, readArguments(body));
    if (peer.bootId !== bootId) return; // nobody waits for it; the cache has forgotten the client's earlier life
    const reply = this.#answer(request, outcome);
    cache.end(peer.host, call.program, xid, reply, machine.engine.nowNs);
    if (reply !== null) yield* endpoint.send(peer.host, ports.server, port, reply);
  }

  /** The reply message, an error included; null when there is none: to a question to everybody, no error is an answer. */
  #answer({ peer, call }: Request, outcome: Outcome): Uint8Array | null {
    const { counters, self } = this.#parts;
    const verifier = peer.verifier(self);
    if (typeof outcome !== 'string') {
      counters.bytes += payloadBytes(outcome);
      return resultsMessage(call.xid, verifier, { status: 0, payload: outcome });
    }
    if (outcome === 'over' || call.program === programs.questions) return null;
    if (outcome === 'noProcedure') return bareMessage(call.xid, verifier, acceptStates.procedureUnavailable);
    if (outcome === 'wrongArguments') return bareMessage(call.xid, verifier, acceptStates.garbageArguments);
    return resultsMessage(call.xid, verifier, { status: kernelErrorNumber(outcome), payload: nothing });
  }
}
