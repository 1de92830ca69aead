/**
 * The client's side of one Sprite RPC channel (Welch 1990, appendix C; `src/kernel/rpc/rpcClient.c`).
 *
 * A channel carries one call at a time. There are no acknowledgements in the common case: the reply acknowledges the
 * request, and the next request on the channel acknowledges the reply.
 *
 *   state     event                           action                                                next
 *   idle      call                            send all packets, set the timer                       waiting
 *   waiting   reply, whole                    hand it up                                            idle
 *   waiting   reply, a fragment               keep it; with the first, wait as for a large call     joining
 *   joining   reply, the last one missing     hand it up                                            idle
 *   waiting   partial ack with news           resend at once what the server lacks                  waiting
 *   waiting   ack, or partial ack, no news    tries := 0, double the wait: it works on it           waiting
 *   waiting   nack                            tries := 0, wait 2 s or twice as long, 15 s at most   waiting
 *   waiting   timer, tries left               double the wait, resend and ask for an ack            waiting
 *   joining   timer, something came           tries := 0, send a partial ack                        joining
 *   joining   timer, tries left               send a partial ack                                    joining
 *   either    timer, none left                peerDown                                              idle
 *   waiting   refused: meant for another      if that life began before the call: resend to it      waiting
 *             life of the server              else peerDown: an earlier life may have executed it   idle
 *   idle      ack with close                  answer with the same: the reply was got               idle
 *   any       another id, another server      drop                                                  same
 *
 * - An acknowledged call never times out; only silence does. After ten acknowledgements the server is called hung, which
 *   is a warning.
 * - A resend of a fragmented request of which the server has said nothing yet is a probe: the last fragment alone.
 * - A time-out while this host's own packets are still queued for the wire is none: the wait begins again.
 * - A question to everybody ignores acks and nacks, so that one stuck host cannot hold it up; it collects the first reply of
 *   each host until it has enough, or its window is over.
 *
 * Different from Sprite: it answers a partial ack only when its timer fires, and knows no lives.
 * Rules of use: one thread per channel; a call may be cancelled, and what comes for it later is dropped.
 * Lost in a crash: everything. The boot identifier tells the server.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import type { Found } from '@backplane/rpc-service';
import { LazyTimer } from '@backplane/rpc-service';
import type { HostId, Machine, Payload } from '@backplane/slots';
import type { Counters } from './counters.ts';
import type { HostMonitor } from './host-monitor.ts';
import { everybody, flags, refusals, types } from './layout.ts';
import { hint, instantIn, lifeOf, noProcess, type PeerTable, processIn } from './lives.ts';
import { Message } from './message.ts';
import type { Output } from './output.ts';
import type { Packet } from './packet.ts';
import { Reassembly } from './reassembly.ts';
import { acksMax, largeBytes, nackMaxNs, nackMinNs, type RetryTimes, triesMax } from './retry-times.ts';

/** What the channels of a host have in common. */
export interface ClientParts {
  readonly machine: Machine;
  readonly output: Output;
  readonly peers: PeerTable;
  readonly monitor: HostMonitor;
  readonly counters: Counters;
  readonly times: RetryTimes;
  /** Calls are tried for ever. */
  readonly noTimeouts: boolean;
  /** A server has turned a call away. */
  readonly turnedAway: (server: number) => void;
}

/** How a call ended: with a reply, with the number of an error, in silence, or in doubt after a reboot. */
export type Ending =
  | { readonly how: 'reply'; readonly payload: Payload }
  | { readonly how: 'error'; readonly code: number }
  | { readonly how: 'silence' }
  | { readonly how: 'reboot' };

const never = -1;

export class ClientChannel {
  static {
    tasks(ClientChannel);
  }

  readonly index: number;
  busy = false;
  /** Of the last call, and of the present one. */
  serverId: number = never;
  readonly request: Message = new Message();
  readonly #parts: ClientParts;
  readonly #timer: LazyTimer;
  /** The one thread that uses the channel waits here. */
  readonly #changed: WaitQueue = new WaitQueue();

  /** Server process that served the last call. */
  #process = noProcess;
  /** The life to which the call is addressed; 0: to whichever. */
  #life = 0;
  #command = 0;
  #startNs = 0;
  #waiting = false;
  #waitNs = 0;
  #tries = 0;
  #nackNs = 0;
  #acks = 0;
  #hung = false;
  readonly #reply: Reassembly = new Reassembly();
  /** What had come at the last time-out. */
  #lastMask = 0;
  #ending: Ending | null = null;
  #readdress = false;
  /** Of a question to everybody: what has come, and what is being put together. */
  #found: Found[] | null = null;
  #enough = 0;
  readonly #joining = new Map<number, Reassembly>();

  constructor(index: number, parts: ClientParts) {
    this.index = index;
    this.#parts = parts;
    this.#timer = new LazyTimer(parts.machine.scope, `rpc channel ${index}`, () => this.#expired());
  }

  // ---- calling ----

  /** One call, on a channel that the caller has taken. Never throws; the ending says what came of it. */
  *call(to: HostId, command: number, payload: Payload, id: number, life: number): Task<Ending> {
    this.#begin(to, command, payload, id, life);
    const { output } = this.#parts;
    try {
      for (;;) {
        yield* output.send(this.request, this.request.whole);
        if (this.#waiting) this.#timer.set(this.#waitNs);
        while (this.#ending === null && !this.#readdress) yield* this.#changed.wait();
        if (this.#ending !== null) return this.#ending;
        this.#restart();
      }
    } finally {
      this.#end();
    }
  }

  /** A question to everybody, on a channel that the caller has taken. */
  *ask(command: number, payload: Payload, id: number, windowNs: number, enough: number): Task<Found[]> {
    const found: Found[] = [];
    this.#begin(everybody, command, payload, id, 0);
    this.#found = found;
    this.#enough = enough;
    const { output, machine } = this.#parts;
    try {
      yield* output.send(this.request, this.request.whole);
      if (this.#waiting) this.#timer.set(this.#waitNs);
      const endNs = machine.engine.nowNs + windowNs;
      while (found.length < enough && machine.engine.nowNs < endNs) {
        yield* this.#changed.wait(endNs - machine.engine.nowNs);
      }
      return found;
    } finally {
      this.#end();
    }
  }

  #begin(to: number, command: number, payload: Payload, id: number, life: number): void {
    const { machine, output, times } = this.#parts;
    const { request } = this;
    if (this.serverId !== to) this.#process = noProcess;
    this.serverId = to;
    this.#life = life;
    this.#command = command;
    this.#startNs = machine.engine.nowNs;
    request.to = to;
    request.flags = types.request | flags.toServer;
    request.clientId = machine.host;
    request.serverId = to;
    request.channel = this.index;
    request.hint = hint(life, this.#process);
    request.id = id;
    request.command = command;
    request.fill(payload.parameters, payload.data, output.fragmentBytes);
    const large = payload.parameters.length + payload.data.length > largeBytes;
    this.#waitNs = large ? times.firstLargeNs : times.firstNs;
    this.#tries = 0;
    this.#nackNs = 0;
    this.#acks = 0;
    this.#hung = false;
    this.#lastMask = 0;
    this.#ending = null;
    this.#readdress = false;
    this.#waiting = true;
  }

  /** The server has rebooted before the call began: send it to the present life, from the start. */
  #restart(): void {
    const { request } = this;
    this.#readdress = false;
    this.#life = this.#parts.peers.of(this.serverId).life;
    this.#process = noProcess;
    this.#tries = 0;
    request.hint = hint(this.#life, noProcess);
    request.flags &= ~flags.pleaseAck;
    request.rewind();
  }

  #end(): void {
    this.#waiting = false;
    this.#timer.cancel();
    this.request.clear();
    this.#reply.clear();
    this.#found = null;
    this.#joining.clear();
  }

  #finish(ending: Ending): void {
    this.#ending = ending;
    this.#waiting = false;
    this.#timer.cancel();
    this.#changed.wakeOne();
  }

  // ---- packets ----

  /** A packet for this channel, at interrupt level. */
  arrive(p: Packet): void {
    if ((p.flags & flags.close) !== 0) {
      this.#close(p);
      return;
    }
    const ours = this.#waiting && p.id === this.request.id;
    if (!ours || (this.#found === null && p.serverId !== this.serverId)) {
      this.#parts.counters.duplicates++;
      return;
    }
    if ((p.flags & types.reply) !== 0) {
      if (this.#found === null) this.#replied(p);
      else this.#answered(p, this.#found);
    } else if (this.#found !== null) return;
    else if ((p.flags & types.nack) !== 0) this.#nacked();
    else if ((p.flags & types.ack) === 0) this.#parts.counters.malformed++;
    else if (p.fragmentMask === 0) this.#acknowledged(p);
    else this.#partly(p);
  }

  #replied(p: Packet): void {
    const failed = (p.flags & flags.error) !== 0;
    const otherLife = this.#life !== 0 && lifeOf(p.bootId) !== this.#life;
    if (failed && p.command === refusals.otherLife) this.#refused(p);
    else if (otherLife || (!failed && p.command !== this.#command)) this.#parts.counters.stale++;
    else if (failed) {
      this.#note(p);
      this.#finish({ how: 'error', code: p.command });
    } else if (p.fragments === 0) {
      this.#note(p);
      this.#finish({ how: 'reply', payload: { parameters: p.parameters, data: p.data } });
    } else this.#joins(p);
  }

  #joins(p: Packet): void {
    const { counters, times } = this.#parts;
    const first = !this.#reply.started;
    const added = this.#reply.add(p);
    if (added === 'duplicate') counters.duplicates++;
    else if (added === 'refused') counters.malformed++;
    else if (this.#reply.complete) {
      const payload = this.#reply.take();
      if (payload === undefined) counters.malformed++;
      else {
        this.#note(p);
        this.#finish({ how: 'reply', payload });
      }
    } else if (first) {
      // Sprite knows how large the reply may be; here its first fragment tells.
      this.#waitNs = Math.max(this.#waitNs, times.firstLargeNs);
      this.#timer.set(this.#waitNs);
    }
  }

  /** The request was meant for another life than the one that the server lives. */
  #refused(p: Packet): void {
    this.#note(p);
    if (this.#life === 0 || lifeOf(p.bootId) === this.#life) return; // it was meant for a packet of long ago
    if (this.#startNs > instantIn(p.parameters)) {
      this.#readdress = true;
      this.#timer.cancel();
      this.#changed.wakeOne();
    } else this.#finish({ how: 'reboot' });
  }

  #acknowledged(p: Packet): void {
    const { counters, machine, times } = this.#parts;
    this.#process = processIn(p.hint);
    this.#tries = 0;
    if (++this.#acks <= acksMax) this.#waitNs = Math.min(2 * this.#waitNs, times.acknowledgedMaxNs);
    else {
      this.#acks = 0;
      if (!this.#hung) {
        this.#hung = true;
        counters.hung++;
        const { trace } = machine.engine;
        const told = { to: this.serverId as HostId, procedure: this.#command, id: this.request.id }; // boundary: it is one
        if (trace.on) trace.emit('rpc.hung', machine.scope, told);
      }
    }
    if (!this.#readdress) this.#timer.set(this.#waitNs);
  }

  #partly(p: Packet): void {
    const { request } = this;
    const news = p.fragmentMask & request.whole & ~request.delivered;
    if (news === 0) {
      this.#acknowledged(p);
      return;
    }
    this.#process = processIn(p.hint);
    this.#tries = 0;
    request.delivered |= news;
    if (request.sending || this.#readdress) return;
    if (request.delivered !== request.whole) this.#parts.output.again(request, request.again(false));
    this.#timer.set(this.#waitNs);
  }

  #nacked(): void {
    // Its own back-off: the time-out in between brings the wait back under the cap for silence.
    this.#nackNs = this.#nackNs === 0 ? nackMinNs : Math.min(2 * this.#nackNs, nackMaxNs);
    this.#waitNs = Math.max(this.#waitNs, this.#nackNs);
    this.#tries = 0;
    this.#parts.turnedAway(this.serverId);
    this.#timer.set(this.#waitNs);
  }

  /** The server asks whether it may forget the reply. If the channel is busy with it, the request there is the answer. */
  #close(p: Packet): void {
    if (this.busy && this.serverId === p.serverId) return;
    const { output, counters } = this.#parts;
    const answer = new Message();
    answer.to = p.serverId;
    answer.clientId = p.clientId;
    answer.serverId = p.serverId;
    answer.channel = p.channel;
    answer.hint = p.hint;
    answer.id = p.id;
    answer.command = p.command;
    counters.acks++;
    output.acknowledge(answer, flags.toServer | types.ack | flags.close, 0);
  }

  /** A whole reply: the host lives. */
  #note(p: Packet): void {
    this.#process = processIn(p.hint);
    const from = p.serverId as HostId; // boundary: checked when the packet was read
    this.#parts.monitor.note(from, p.bootId, (p.flags & flags.notActive) !== 0);
  }

  // ---- answers to a question to everybody ----

  #answered(p: Packet, found: Found[]): void {
    const { counters } = this.#parts;
    const from = p.serverId as HostId; // boundary: checked when the packet was read
    if (found.some((f) => f.from === from)) {
      counters.duplicates++;
      return;
    }
    if ((p.flags & flags.error) !== 0 || p.command !== this.#command) return;
    const payload = p.fragments === 0 ? { parameters: p.parameters, data: p.data } : this.#join(p);
    if (payload === undefined) return;
    this.#note(p);
    found.push({ from, payload });
    if (found.length >= this.#enough) {
      this.#waiting = false;
      this.#changed.wakeOne();
    }
  }

  #join(p: Packet): Payload | undefined {
    const { counters } = this.#parts;
    let joining = this.#joining.get(p.serverId);
    if (joining === undefined) {
      joining = new Reassembly();
      this.#joining.set(p.serverId, joining);
    }
    if (joining.add(p) !== 'added') counters.duplicates++;
    return joining.complete ? joining.take() : undefined;
  }

  // ---- time ----

  #expired(): void {
    const { output, times, counters, machine, noTimeouts } = this.#parts;
    const { request } = this;
    if (output.mayBeQueued(request)) {
      this.#timer.set(this.#waitNs);
      return;
    }
    this.#waitNs = Math.min(2 * this.#waitNs, times.silentMaxNs);
    const joining = this.#reply.started;
    if (joining && this.#reply.mask !== this.#lastMask) this.#tries = 0;
    else this.#tries++;
    this.#lastMask = this.#reply.mask;
    const { trace } = machine.engine;
    if (trace.on) {
      const told = { to: this.serverId as HostId, id: request.id, tries: this.#tries }; // boundary: it is one
      trace.emit('rpc.timeout', machine.scope, told);
    }
    const asking = this.#found !== null;
    if (this.#tries >= triesMax && (asking || !noTimeouts)) {
      if (!asking) this.#finish({ how: 'silence' });
      return; // a question to everybody waits for its window
    }
    if (joining) {
      counters.acks++;
      output.acknowledge(request, flags.toServer | types.ack | flags.lastFragment, this.#reply.mask);
    } else {
      request.flags |= flags.pleaseAck;
      output.again(request, request.again(true));
    }
    this.#timer.set(this.#waitNs);
  }
}
