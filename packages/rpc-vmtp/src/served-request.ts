/**
 * One request at one entity of this host, and what becomes of it: the server's side of RFC 1045, sections 2.5 and 4.6, from
 * the delivery on.
 *
 *   state       event                                 action                                           next
 *   processing  respond                               send the response                                responding
 *   processing  respond, the client is here           hand it over                                     responded
 *   processing  respond, the client is on its way     keep it: the client asks where it has come       responded
 *   processing  discard, or respond with that code    nothing is sent                                  discarded
 *   processing  forward, the next server is here      hand the request over                            forwarded
 *   processing  forward, it is elsewhere              send the request there                           forwarded
 *   processing  forward, through a group or a 16th,   false: it must be answered here                  processing
 *               or in a stream
 *   processing  the client is silent for TS2          tell the service                                 discarded
 *   processing  a new transaction of the client       tell the service                                 over
 *   responding  all packets are out                   keep it until it is acknowledged; set TS5 or TS4 responded
 *   responded   notice ok, or an error                let it go                                        discarded
 *   responded   notice migrated                       ask no more: the client asks where it has come   responded
 *   responded   the same of one that was forwarded    find the client, who asks elsewhere, if at all   responded
 *   any         a new transaction of the client       let everything go                                over
 *
 * A response that may be made again (`datagram`) is not kept: see `Servers` for what a repeated request does then.
 */
import { charge, settle, type Task, tasks } from '@backplane/engine';
import {
  type ArrivedRequest,
  Busy,
  codeOf,
  type EntityId,
  flagsOf,
  isGroup,
  type Message,
  MessageFlag,
  type MessagePriority,
  message,
  ReplyCode,
} from '@backplane/slots';
import { here, type Place } from './carrier.ts';
import { groupFlags, limits } from './layout.ts';
import type { Outgoing, OutgoingParts } from './outgoing.ts';
import { isSound, wantedBlocks } from './packet-group.ts';
import type { RemoteClient } from './remote-client.ts';
import type { Resident } from './residents.ts';
import type { Route } from './routes.ts';
import { runBytesMax } from './runs.ts';
import type { ServerParts } from './server-parts.ts';

/** How a request came. */
export interface RequestPath {
  readonly client: EntityId;
  readonly to: EntityId;
  readonly priority: MessagePriority;
  /** Of its first group; and how many there are. */
  readonly transaction: number;
  readonly groups: number;
  readonly forwardCount: number;
  readonly multicast: boolean;
  /** Its response may be a run. */
  readonly runs: boolean;
  /** Where its packets came from: the client's host, or who forwarded it. */
  readonly from: Place;
  /** The gap that the client wants. */
  readonly gap: number;
  readonly retransmitCount: number;
  /** One of a run of messages. */
  readonly streamed: boolean;
}

export type RequestState = 'processing' | 'responding' | 'responded' | 'discarded' | 'forwarded' | 'over';

export class ServedRequest implements ArrivedRequest {
  static {
    tasks(ServedRequest);
  }

  readonly message: Message;
  /** Nobody waits for a response. */
  readonly isDatagram: boolean;
  /** Its `from` changes when the client moves. */
  path: RequestPath;
  readonly resident: Resident;
  state: RequestState = 'processing';
  /** The response, or the request as it was forwarded. */
  out: Outgoing | null = null;
  /** What is known of the place where the response goes. */
  route: Route | null = null;
  /** Packets of the response, for TS5. */
  packets = 0;
  /** The response may be made again. */
  idempotent = false;
  /** Some of these were lost, and the gap between them has been widened. */
  lossy = false;
  /** Times that an acknowledgement was asked for. */
  tries = 0;
  /** The client is not where the response went, or was to go. */
  astray = false;
  /** Times that the client has asked again for what is elsewhere, and nothing was heard of it. */
  asked = 0;
  /** Where it was forwarded to, and with what. */
  next: { readonly to: EntityId; readonly message: Message } | null = null;
  /** The next server, or the client that has gone astray, is being looked for. */
  passing = false;
  /** The client fell silent. */
  orphan = false;
  readonly #parts: ServerParts;
  readonly #record: RemoteClient;

  constructor(parts: ServerParts, record: RemoteClient, resident: Resident, path: RequestPath, m: Message) {
    this.#parts = parts;
    this.#record = record;
    this.resident = resident;
    this.path = path;
    this.message = m;
    this.isDatagram = (flagsOf(m) & MessageFlag.datagram) !== 0;
  }

  get client(): EntityId {
    return this.path.client;
  }

  get to(): EntityId {
    return this.path.to;
  }

  get priority(): MessagePriority {
    return this.path.priority;
  }

  get abandoned(): boolean {
    return this.state === 'over' || this.orphan;
  }

  /** Number of its last group, with which the response begins. */
  get lastTransaction(): number {
    return (this.path.transaction + this.path.groups - 1) >>> 0;
  }

  // ---- what the service does ----

  *respond(response: Message): Task<void> {
    if (this.state !== 'processing') return;
    if (this.isDatagram || codeOf(response) === ReplyCode.responseDiscarded) {
      this.discard();
      return;
    }
    const { output, clients, machine } = this.#parts;
    const m = this.#checked(response);
    this.#leave('responding');
    if (this.resident.pathNs > 0 && this.path.from !== here) charge(this.resident.pathNs, Busy.network);
    const client = clients.get(this.client);
    if (client !== undefined) {
      const copyNs = Math.round(machine.type.costs.copyNsPerByte * m.segment.length);
      if (copyNs > 0) charge(copyNs, Busy.network);
      yield* settle();
      if (!this.#is('responding')) return;
      if (clients.get(this.client) !== undefined) {
        this.#handOver(m);
        return;
      }
    }
    const place = this.#replyPlace;
    if (place === undefined) {
      this.#keepFor(m);
      return;
    }
    this.out = this.#response(m, place);
    try {
      yield* output.send(this.out);
    } finally {
      if (this.#is('responding')) this.#responded();
    }
  }

  /** The same from interrupt level. A client that cannot be found without waiting gets it when it asks again. */
  respondNow(response: Message): void {
    if (this.state !== 'processing') return;
    const { output, clients } = this.#parts;
    if (this.isDatagram) this.discard();
    else if (clients.get(this.client) !== undefined) this.#handOver(response);
    else {
      const place = this.#replyPlace;
      if (place === undefined) return;
      this.out = this.#response(this.#checked(response), place);
      this.out.wantAll();
      output.again(this.out);
      this.#responded();
    }
  }

  *forward(to: EntityId, request: Message): Task<boolean> {
    if (this.state !== 'processing') return true;
    const { forwardCount } = this.path;
    if (isGroup(this.to) || isGroup(to) || forwardCount >= limits.forwardCount || !isSound(request))
      return false;
    if (this.path.streamed) return false; // the next server would have no record of the run
    this.#parts.counters.forwards++;
    this.next = { to, message: request };
    this.#leave('forwarded');
    yield* settle();
    if (this.#is('forwarded')) yield* this.pass(undefined);
    return true;
  }

  discard(): void {
    if (this.state === 'processing') this.#leave('discarded');
  }

  #leave(state: RequestState): void {
    this.state = state;
    this.#record.left();
  }

  // ---- clients and servers that move ----

  /** The client asks from there now. */
  heardFrom(from: Place): void {
    if (this.path.forwardCount > 0) return;
    this.path = { ...this.path, from };
    if (this.state === 'responded') this.aim(from);
  }

  /** The client is there. */
  aim(place: Place): void {
    const { out } = this;
    if (out === null) return;
    this.astray = false;
    out.place = place;
    this.route = this.#parts.routes.at(place);
  }

  /** The server has come here, and with it what it has responded: kept for a client that may not have got it. */
  keep(response: Message): void {
    const place = this.#replyPlace;
    this.astray = place === undefined;
    this.out = this.#response(response, place ?? here);
    this.#responded();
  }

  /** It is known to nobody where the client is. It asks, or, if it does not ask here, is looked for. */
  #keepFor(response: Message): void {
    this.keep(response);
    this.astray = true;
    if (this.path.forwardCount > 0) this.#record.pursue(this);
  }

  /** The client, which is here, asks again: true if there was something to hand over. */
  handAgain(): boolean {
    const m = this.out?.groups[0]?.message;
    if (this.state !== 'responded' || m === undefined) return false;
    this.#handOver(m);
    return true;
  }

  // ---- forwarding ----

  /**
   * Hands the forwarded request to the next server, wherever it is.
   * @param told what was said against the place that was tried before
   */
  *pass(told: number | undefined): Task<void> {
    const { next } = this;
    if (next === null) return;
    const { residents, finder, output, routes } = this.#parts;
    if (residents.get(next.to) !== undefined) {
      this.#record.passHere(this, next.to, next.message);
      return;
    }
    this.passing = true;
    const found = yield* finder().find(next.to, told, false, () => this.#is('forwarded'));
    this.passing = false;
    if (!this.#is('forwarded')) return;
    if (found.place === here) {
      this.#record.passHere(this, next.to, next.message);
      return;
    }
    if (found.place === undefined) {
      this.state = 'processing';
      yield* this.respond(message({ code: found.code }));
      return;
    }
    const route = routes.at(found.place);
    const { client, priority, path } = this;
    const hasData = next.message.segment.length > 0;
    const parts: OutgoingParts = {
      client,
      server: next.to,
      response: false,
      transaction: path.transaction,
      forwardCount: path.forwardCount + 1,
      priority,
      flags: (path.runs ? groupFlags.skipTransactions : 0) | (hasData ? groupFlags.acknowledge : 0),
      gap: path.gap,
      multicast: false,
    };
    this.out = output.prepare(parts, next.message, found.place, output.gapNs(route.sendGap));
    yield* output.send(this.out);
  }

  // ---- responding ----

  /** A response that cannot travel is the service's mistake, and an outcome like others. */
  #checked(response: Message): Message {
    const { segment } = response;
    const most = this.path.runs && this.resident.isKernel ? runBytesMax : limits.groupBytes;
    const sound = segment.length > limits.groupBytes || isSound(response);
    return sound && segment.length <= most ? response : message({ code: ReplyCode.badReplySegment });
  }

  #response(m: Message, place: Place): Outgoing {
    const { output, routes } = this.#parts;
    const { client, path, priority, resident } = this;
    const { forwardCount, groups } = path;
    const record = this.#record;
    if (record.route?.place !== place) record.route = routes.at(place);
    this.route = record.route;
    const gapNs = output.gapNs(Math.max(this.route.sendGap, path.gap));
    const parts: OutgoingParts = {
      client,
      server: resident.entity,
      response: true,
      transaction: this.lastTransaction,
      forwardCount,
      priority,
      flags: 0,
      gap: groups - 1,
      multicast: false,
    };
    const out = output.prepare(parts, m, place, gapNs);
    // A client that lacks some of a response that was not kept names these.
    const wanted = isIdempotent(m) ? wantedBlocks(this.message) : undefined;
    if (wanted !== undefined) out.limit(wanted);
    return out;
  }

  #responded(): void {
    const { out } = this;
    const wasProcessing = this.state === 'processing';
    this.state = 'responded';
    if (wasProcessing) this.#record.left();
    if (out === null) return;
    const m = out.groups[0]?.message;
    this.idempotent = m !== undefined && isIdempotent(m);
    this.packets = out.packets(this.#parts.output.dataBytes);
    if (this.idempotent && !out.repeating) this.out = null;
    this.#record.schedule();
  }

  #handOver(m: Message): void {
    if (this.state === 'processing') this.#leave('responded');
    const { clients } = this.#parts;
    const client = clients.get(this.client);
    if (client?.respondedHere(this.resident.entity, this.path.transaction, m) === true)
      this.state = 'responded';
    else if (this.out === null) this.#keepFor(m); // it has come here, and will ask
  }

  /** Where the response goes; undefined: the client was here and is no more, or nobody has heard of it. */
  get #replyPlace(): Place | undefined {
    const { forwardCount, from } = this.path;
    if (forwardCount > 0) return this.#parts.finder().known(this.client);
    return from === here ? undefined : from;
  }

  /** After a pause, in which much may happen. */
  #is(state: RequestState): boolean {
    return this.state === state;
  }
}

/** A response that may be made again. */
const isIdempotent = (m: Message): boolean => (flagsOf(m) & MessageFlag.datagram) !== 0;
