/**
 * One server process: a pooled thread that executes the calls of one client channel at a time (Welch 1990, appendix C;
 * `src/kernel/rpc/rpcServer.c`). What arrives for it is handled at interrupt level; only a whole new request wakes the
 * thread.
 *
 *   state      event                              action                                               next
 *   free       request, whole                     hand it to the thread; ack it if asked to            busy
 *   free       request, a fragment                keep it; partial ack if asked to                     joining
 *   joining    fragment, the last one missing     hand the request to the thread                       busy
 *   joining    fragment, duplicate                partial ack                                          joining
 *   joining    fragment, last of a batch          partial ack                                          joining
 *   busy       same id                            ack: it works on it                                  busy
 *   busy       reply made                         send it                                              waiting
 *   busy       nothing to answer                                                                       free
 *   waiting    same id                            resend the reply                                     waiting
 *   waiting    partial ack                        resend what the client lacks                         waiting
 *   waiting    ack with close                     forget the reply                                     free
 *   waiting    newer id                           it acknowledges the reply: forget it                 as free
 *   joining    newer id                           forget the fragments                                 as free
 *   busy       newer id                           drop it; the client gave up: stuck                   busy, stuck
 *   busy       the client is called dead          stuck                                                busy, stuck
 *   stuck      reply made, a newer call runs      forget it                                            free
 *
 * While stuck it is passed over by new calls, but still acknowledges its own. A reply of which packets are still in this
 * host's queue for the wire is not sent again: an acknowledgement goes behind it.
 *
 * Sprite marks a process that does not answer a broadcast (NO_REPLY) and frees it at the next pass of the daemon; here it is
 * free at once, and the record of executed calls keeps a repetition from being executed.
 */
import { type Task, tasks, WaitQueue } from '@backplane/engine';
import { type Outcome, refusalKind, type ServedCalls } from '@backplane/rpc-service';
import { type HostId, kernelErrorNumber, type Machine, type Payload } from '@backplane/slots';
import type { Counters } from './counters.ts';
import type { HostMonitor } from './host-monitor.ts';
import { everybody, flags, types } from './layout.ts';
import { hint, lifeOf, type PeerTable } from './lives.ts';
import { Message } from './message.ts';
import type { Output } from './output.ts';
import { noBytes, type Packet } from './packet.ts';
import { Reassembly } from './reassembly.ts';

/** What the server processes of a host have in common. */
export interface ServerParts {
  readonly machine: Machine;
  readonly output: Output;
  readonly peers: PeerTable;
  readonly monitor: HostMonitor;
  readonly counters: Counters;
  readonly calls: ServedCalls;
  /** A request is about to be executed: it never will be again. */
  readonly accepted: (process: ServerProcess) => void;
  /** Is the process's call still the newest of its client's channel, in the client's present life? */
  readonly isNewest: (process: ServerProcess) => boolean;
  /** A process keeps something for its client, and may have to be reclaimed. */
  readonly keeps: () => void;
}

const nobody = -1;

export class ServerProcess {
  static {
    tasks(ServerProcess);
  }

  readonly index: number;
  state: 'free' | 'joining' | 'busy' | 'waiting' = 'free';
  stuck = false;
  /** Passes of the daemon that have found it idle; 0: not ageing. */
  age = 0;
  /** Whose calls it executes. */
  clientId: number = nobody;
  channel: number = nobody;
  /** Of its call, and of the life of the client that made it. */
  id = 0;
  bootId = 0;
  readonly reply: Message = new Message();
  readonly #parts: ServerParts;
  readonly #life: number;
  readonly #joining: Reassembly = new Reassembly();
  /** The thread waits here for a request. */
  readonly #handed: WaitQueue = new WaitQueue();
  #request: Payload | null = null;
  #command = 0;
  #toEverybody = false;

  constructor(index: number, parts: ServerParts) {
    this.index = index;
    this.#parts = parts;
    this.#life = lifeOf(parts.machine.bootId);
    parts.machine.scope.spawn(`rpc server ${index}`, this.#run());
  }

  // ---- packets, at interrupt level ----

  /** The first packet of a call that it has not executed. */
  begin(p: Packet): void {
    const { reply } = this;
    this.clientId = p.clientId;
    this.channel = p.channel;
    this.id = p.id;
    this.bootId = p.bootId;
    this.age = 0;
    this.stuck = false;
    this.#command = p.command;
    this.#toEverybody = p.serverId === everybody;
    this.#joining.clear();
    reply.clear();
    reply.to = p.clientId;
    reply.flags = types.reply;
    reply.clientId = p.clientId;
    reply.serverId = this.#parts.machine.host;
    reply.channel = p.channel;
    reply.hint = hint(this.#life, this.index);
    reply.id = p.id;
    reply.command = p.command;
    const asked = (p.flags & flags.pleaseAck) !== 0;
    if (p.fragments === 0) {
      this.#hand(p, { parameters: p.parameters, data: p.data });
      if (asked) this.#acknowledge(types.ack, 0);
      return;
    }
    this.state = 'joining';
    this.#joining.add(p);
    this.#parts.keeps();
    if (this.#joining.complete) this.#complete(p);
    else if (asked || (p.flags & flags.lastFragment) !== 0) this.#partAcknowledge();
  }

  /** A packet about the call that it has. */
  again(p: Packet): void {
    const { output, counters } = this.#parts;
    this.age = 0;
    if ((p.flags & types.ack) !== 0) this.#acknowledged(p);
    else if (this.state === 'joining') this.#join(p);
    else {
      counters.duplicates++;
      if (this.state === 'busy') this.#acknowledge(types.ack, 0);
      else if (this.state === 'waiting') {
        if (output.mayBeQueued(this.reply)) this.#acknowledge(types.ack, 0);
        else output.again(this.reply, this.reply.again(false));
      }
    }
  }

  /** Asks the client whether it still wants the reply. */
  probe(): void {
    this.#acknowledge(types.ack | flags.close, 0);
  }

  free(): void {
    this.state = 'free';
    this.stuck = false;
    this.age = 0;
    this.reply.clear();
    this.#joining.clear();
  }

  #join(p: Packet): void {
    const { counters } = this.#parts;
    if (p.fragments === 0) {
      counters.malformed++;
      return;
    }
    const added = this.#joining.add(p);
    if (added === 'refused') counters.malformed++;
    else if (added === 'duplicate') {
      counters.duplicates++;
      this.#partAcknowledge();
    } else if (this.#joining.complete) this.#complete(p);
    else if ((p.flags & flags.lastFragment) !== 0) this.#partAcknowledge();
  }

  #complete(p: Packet): void {
    const request = this.#joining.take();
    if (request === undefined) {
      this.#parts.counters.malformed++;
      this.free();
    } else this.#hand(p, request);
  }

  #hand(p: Packet, request: Payload): void {
    const { monitor, accepted } = this.#parts;
    const client = this.clientId as HostId; // boundary: checked when the packet was read
    monitor.note(client, p.bootId, (p.flags & flags.notActive) !== 0);
    this.state = 'busy';
    this.#request = request;
    accepted(this);
    this.#handed.wakeOne();
  }

  #acknowledged(p: Packet): void {
    const { output } = this.#parts;
    const { reply } = this;
    if (this.state !== 'waiting') return;
    if ((p.flags & flags.close) !== 0) this.free();
    else if ((p.flags & flags.lastFragment) !== 0) {
      reply.delivered |= p.fragmentMask & reply.whole;
      if (!output.mayBeQueued(reply)) output.again(reply, reply.again(false));
    }
  }

  #acknowledge(packetFlags: number, fragmentMask: number): void {
    this.#parts.counters.acks++;
    this.#parts.output.acknowledge(this.reply, packetFlags, fragmentMask);
  }

  #partAcknowledge(): void {
    this.#acknowledge(types.ack | flags.lastFragment, this.#joining.mask);
  }

  // ---- the thread ----

  *#run(): Task<void> {
    const { calls, output, isNewest, keeps } = this.#parts;
    for (;;) {
      while (this.#request === null) yield* this.#handed.wait();
      const request = this.#request;
      this.#request = null;
      const client = this.clientId as HostId; // boundary: checked when the packet was read
      const outcome = yield* calls.execute(client, this.bootId, this.#command, this.id, request);
      if (this.#answers(outcome) && isNewest(this)) {
        yield* output.send(this.reply, this.reply.whole);
        if (isNewest(this)) {
          this.state = 'waiting';
          this.stuck = false;
          keeps();
          continue;
        }
      }
      this.free();
    }
  }

  /** Makes the reply, an error included. False when there is none to send: to a question to everybody, no error is an answer. */
  #answers(outcome: Outcome): boolean {
    const { reply } = this;
    const { fragmentBytes } = this.#parts.output;
    if (typeof outcome !== 'string') {
      reply.fill(outcome.parameters, outcome.data, fragmentBytes);
      return true;
    }
    if (outcome === 'over' || this.#toEverybody) return false;
    reply.flags |= flags.error;
    reply.command = kernelErrorNumber(refusalKind(outcome));
    reply.fill(noBytes, noBytes, fragmentBytes);
    return true;
  }
}
