/**
 * One transaction, as its client's host sees it (RFC 1045, sections 2.5 and 4.2).
 *
 *   state      event                              action                                               next
 *   awaiting   sent to a server that is here      it was handed over; no packets                       awaiting
 *   awaiting   sent to a group                    it was handed to members here, and multicast         awaiting
 *   awaiting   sent to a server elsewhere         set TC1                                              awaiting
 *   awaiting   sent, a datagram                   that is all                                          idle
 *   awaiting   TC1 or TC2, tries left             resend the message alone, ask for an ack; set TC2    awaiting
 *   awaiting   TC1 or TC2, none left              ask all managers where it is; else it is silent      awaiting, or idle
 *   awaiting   notice ok                          tries := 0; set TC1                                  awaiting
 *   awaiting   notice retry, retryAll             resend what is missing; set TC1                      awaiting
 *   awaiting   notice busy, or no room here       resend all of it after TC1, tries := 0               awaiting
 *   awaiting   notice migrated, nonexistent       ask all managers where it is; resend all             awaiting, or idle
 *   awaiting   another notice                     that is the outcome                                  idle
 *   awaiting   response, whole                    acknowledge it if asked to; hand it up               idle
 *   awaiting   response, a part                   keep it; set TC3                                     receiving
 *   receiving  response, the rest                 acknowledge it if asked to; hand it up               idle
 *   receiving  TC3, tries left                    ask the server for what is missing; of an idempotent receiving
 *                                                 transaction, resend the request
 *   receiving  TC3, none left                     hand up what came: `partial`, or `badReplySegment`   idle
 *   any        response to another transaction    tell the server if it wants to know; drop it         same
 *   idle       the response again                 the same
 *
 * A group's transaction stays open after its first response: more are kept until the next one begins, one of each member, and
 * only for the first is anything sent again. A question to all kernels (`asking`) is repeated until it has enough responses.
 *
 * - A message that fits one packet is resent with its data: that costs no more.
 * - While packets of the request wait in this host's own queues, a time-out is none.
 * - Notices and responses name the transaction; of a forwarded request, anybody may respond.
 */
import { charge, type Engine, settle, type Task, tasks } from '@backplane/engine';
import type { LazyTimer } from '@backplane/rpc-service';
import {
  Busy,
  type EntityId,
  entityIn,
  flagsOf,
  hostId,
  internetHost,
  isGroup,
  type Message,
  MessageFlag,
  type MessagePriority,
  message,
  noEntity,
  normalPriority,
  ReplyCode,
} from '@backplane/slots';
import { ArrivingResponses } from './arriving-responses.ts';
import { here, type Place } from './carrier.ts';
import type { ClientParts, Ending, TransactOptions } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import { groupFlags } from './layout.ts';
import type { ClientNotice } from './management.ts';
import { addressOf } from './numbers.ts';
import type { Packet } from './packet.ts';
import { positionOf, wholeMessage } from './runs.ts';
import { SentRequest } from './sent-request.ts';
import { retriesMax, tc1Ns, tc2Ns, tc3Ns } from './times.ts';

/** What it shares with the transactions before and after it. */
export interface TransactionPlace {
  readonly parts: ClientParts;
  readonly timer: LazyTimer;
  /** Something has changed for the thread. */
  readonly wake: () => void;
}

export interface TransactionFacts {
  readonly client: EntityId;
  readonly number: number;
  readonly to: EntityId;
  readonly message: Message;
  readonly options: TransactOptions;
  readonly asking: boolean;
}

/** Other hosts' word, and managers', before a client believes that there is no such server. */
const searchesMax = 3;
/** Responses of a group that are kept: more than a cluster has hosts. */
const responsesMax = 256;

export class Transaction {
  static {
    tasks(Transaction);
  }

  /** How it ended; of a group, its first response. */
  ending: Ending | null = null;
  /** The server is not where the request went, and is to be found again. */
  lost = false;
  /** Its thread has left it. */
  left = false;
  /** Of a group: what has come and was not asked for yet. */
  readonly responses: Ending[] = [];
  readonly #parts: ClientParts;
  readonly #engine: Engine;
  readonly #timer: LazyTimer;
  readonly #wake: () => void;
  readonly #client: EntityId;
  readonly #number: number;
  readonly #to: EntityId;
  readonly #message: Message;
  readonly #group: boolean;
  readonly #datagram: boolean;
  readonly #asking: boolean;
  readonly #priority: MessagePriority;
  readonly #runs: boolean;
  readonly #settled: boolean;
  readonly #retries: number;

  #state: 'idle' | 'awaiting' | 'receiving' = 'awaiting';
  /** To be handed over on this host, and again after it was not taken. */
  #local = false;
  #handAgain = false;
  /** The request as it went to other hosts. */
  #sent: SentRequest | null = null;
  #tries = 0;
  /** Times that the server said that it has the request. */
  #kept = 0;
  /** Parts of the response were, and a larger gap will be asked for. */
  #responseLost = false;
  /** What was said of the server's place; undefined: nothing against it. */
  #told: number | undefined = undefined;
  #searches = 0;
  #arriving: ArrivingResponses | null = null;
  /** Of a group: who has responded. */
  #answered: Set<EntityId> | null = null;

  constructor({ parts, timer, wake }: TransactionPlace, facts: TransactionFacts) {
    const { to, message: m, options } = facts;
    this.#parts = parts;
    this.#engine = parts.machine.engine;
    this.#timer = timer;
    this.#wake = wake;
    this.#client = facts.client;
    this.#number = facts.number;
    this.#to = to;
    this.#message = m;
    this.#group = isGroup(to);
    this.#datagram = (flagsOf(m) & MessageFlag.datagram) !== 0;
    this.#asking = facts.asking;
    this.#priority = options.priority ?? normalPriority;
    this.#runs = options.runs === true;
    this.#settled = options.settled === true;
    this.#retries = options.retries ?? retriesMax;
    const { counters } = parts;
    counters.transactions++;
    if (this.#group) counters.groupSends++;
    if (this.#datagram) counters.datagrams++;
  }

  /** The thread has nothing to wait for. */
  get decided(): boolean {
    return this.ending !== null || this.left;
  }

  /** More responses may come. */
  get open(): boolean {
    return this.#group && this.ending !== null;
  }

  // ---- on the sender's thread ----

  /** Where does the request go? */
  *locate({ place, multicast = false }: TransactOptions): Task<void> {
    const { residents, carrier } = this.#parts;
    const sought = this.#sought;
    if (place !== undefined) this.#aim(place, multicast);
    else if (sought !== undefined) {
      // Beside nobody is whoever is here.
      this.#local = sought === noEntity || residents.hosts(sought);
      if (!this.#local && this.#datagram) this.#sendWhenFound(sought);
      else if (!this.#local) yield* this.#seek(sought);
      else if (this.#sent !== null) {
        this.#sent.out.over = true; // the server has come here
        this.#sent = null;
      }
    } else {
      const beside = this.#beside;
      this.#local = beside === undefined || residents.hosts(beside);
      this.#aim(carrier.groupPlace(beside ?? this.#to), true);
    }
    this.lost = false;
  }

  *#seek(entity: EntityId): Task<void> {
    const found = yield* this.#parts.finder().find(entity, this.#told, this.#settled);
    if (this.decided) return;
    if (found.place === undefined) this.end(found.code);
    else this.#aim(found.place, false);
  }

  /** A datagram's sender does not wait until its receiver is found. */
  #sendWhenFound(entity: EntityId): void {
    const { finder, machine } = this.#parts;
    const place = finder().known(entity);
    if (place !== undefined) this.#aim(place, false);
    else machine.scope.spawn('vmtp datagram', this.#sendLater(entity));
  }

  *#sendLater(entity: EntityId): Task<void> {
    const { finder, output } = this.#parts;
    const { place } = yield* finder().find(entity, undefined, this.#settled);
    if (place === undefined) return;
    this.#aim(place, false);
    if (this.#sent !== null) yield* output.send(this.#sent.out);
  }

  #aim(place: Place, multicast: boolean): void {
    if (this.#sent !== null) {
      this.#sent.aim(place);
      return;
    }
    this.#sent = new SentRequest(
      this.#parts,
      {
        client: this.#client,
        number: this.#number,
        to: this.#to,
        message: this.#message,
        priority: this.#priority,
        runs: this.#runs,
      },
      place,
      multicast,
    );
  }

  /** Hands it over here, and sends it where it goes. */
  *transmit(pathNs: number): Task<void> {
    const { output, machine, counters } = this.#parts;
    const sent = this.#sent;
    if (this.#local) {
      const copyNs = Math.round(machine.type.costs.copyNsPerByte * this.#message.segment.length);
      if (copyNs > 0) charge(copyNs, Busy.network);
      yield* settle();
      if (this.left) return;
      this.#hand();
      if (this.lost) return;
    }
    if (sent === null) {
      if (this.#local) counters.localTransactions++;
    } else if (this.ending === null || this.#group) {
      if (pathNs > 0) charge(pathNs, Busy.network);
      yield* output.send(sent.out);
      if (this.left) return;
      sent.sent();
      if (this.#state === 'awaiting' && !this.#datagram) this.#await();
    }
    if (this.#datagram && this.ending === null) this.end(ReplyCode.ok);
  }

  /** Asking: the first repetition comes within a quarter of the window. */
  repeatWithin(windowNs: number): void {
    if (this.#state === 'awaiting') this.#timer.set(Math.min(tc1Ns(0, 0), Math.ceil(windowNs / 4)));
  }

  /** The thread is gone, with an ending or without. */
  leave(): void {
    this.left = true;
    if (this.#state === 'idle' && !this.#asking) return;
    this.#quiet();
    this.#arriving = null;
    if (this.#local) this.#parts.servers().abandon(this.#client);
  }

  // ---- on this host ----

  #hand(): void {
    const verdict = this.#parts.servers().deliver({
      client: this.#client,
      to: this.#to,
      transaction: this.#number,
      priority: this.#priority,
      message: this.#message,
    });
    this.#handAgain = (verdict === 'busy' || verdict === 'frozen') && !this.#datagram;
    if (this.#group) {
      // Members elsewhere may answer; with nobody but these, silence is known at once.
      if (this.#sent === null && verdict === 'nobody') this.end(ReplyCode.retransmissionTimeout);
      else if (this.#sent === null && this.ending === null) this.#await();
    } else if (verdict === 'notAwaiting') this.end(ReplyCode.notAwaitingMessage);
    else if (verdict === 'nobody') this.#search(ReplyCode.nonexistentEntity);
    else if (!this.#datagram) this.#await();
  }

  /** An entity of this host has responded. */
  respondedHere(from: EntityId, m: Message): void {
    if (this.#wants(from)) this.#accept({ from, message: m, place: here });
    else this.#parts.counters.stale++;
  }

  // ---- packets ----

  response(p: Packet, from: Place): void {
    const { counters, routes } = this.#parts;
    const position = positionOf(p.flags);
    if (position === undefined || (position !== 'only' && !this.#runs)) {
      this.#tell(p, from, 0, responseCodes.streamingNotSupported);
      return;
    }
    const first = position === 'second' ? (p.transaction - 1) >>> 0 : p.transaction;
    const asked = (p.flags & groupFlags.acknowledge) !== 0;
    if (first !== this.#lastNumber) {
      counters.stale++;
      if (asked) this.#tell(p, from, 0, responseCodes.badTransactionId);
      return;
    }
    if (!this.#wants(p.server)) {
      counters.duplicates++;
      if (asked) this.#tell(p, from, 0, responseCodes.responseDiscarded);
      return;
    }
    let m = this.#arriving === null ? wholeMessage(p, position) : undefined;
    if (m === undefined) {
      this.#arriving ??= new ArrivingResponses(this.#parts, this.#client, this.#lastNumber, this.#priority);
      m = this.#arriving.join(p, from, position);
      if (m === undefined) {
        this.#waitForMore(routes.at(from).roundTripNs);
        return;
      }
      if (!this.#responseLost) routes.at(from).easeAsked();
    }
    if (this.responses.length >= responsesMax) {
      this.#tell(p, from, 0, responseCodes.busy);
      return;
    }
    if (asked) this.#tell(p, from, p.sentBlocks, responseCodes.ok);
    this.#accept({ from: p.server, message: m, place: from });
  }

  /** Of a group, what is missing of later responses is not asked for. */
  #waitForMore(roundTripNs: number): void {
    if (!this.#asking && this.ending !== null) return;
    this.#state = 'receiving';
    this.#timer.set(tc3Ns(roundTripNs, 0));
  }

  /** A notice about the request, from the server's host. */
  notified(notice: ClientNotice, from: Place): void {
    const sent = this.#sent;
    const about = sent === null ? notice.transaction === this.#number : sent.out.groupOf(notice.transaction);
    if (this.#state === 'idle' || !about) {
      this.#parts.counters.stale++;
      return;
    }
    switch (notice.code) {
      case responseCodes.ok:
        sent?.measure(notice.control);
        this.#tries = 0;
        this.#kept++;
        if (this.#state === 'awaiting') this.#await();
        break;
      case responseCodes.retry:
      case responseCodes.retryAll:
        sent?.resend(notice);
        if (this.#state === 'awaiting') this.#await();
        break;
      case responseCodes.busy:
        this.#tries = 0;
        sent?.wholly();
        this.#await();
        break;
      case responseCodes.nonexistentEntity:
      case responseCodes.entityMigrated:
        // What came from a place that was given up is known.
        if (this.#sought !== undefined && from === (sent?.place ?? here)) this.#search(notice.code);
        break;
      default:
        // Of a group, one member's word is not the last.
        if (!this.#group) this.end(notice.code);
    }
  }

  // ---- time-outs ----

  #await(): void {
    this.#state = 'awaiting';
    this.#timer.set(tc1Ns(this.#sent?.roundTripNs ?? 0, this.#kept));
  }

  expired(): void {
    if (this.#state === 'idle') return;
    const sent = this.#sent;
    if (sent?.out.underWay) this.#timer.set(tc2Ns(sent.roundTripNs, 0));
    else if (this.#state === 'receiving') this.#missing();
    else if (this.#handAgain && !this.#group) this.#hand();
    else if (this.#worksHere()) this.#keep();
    else if (!this.#asking && this.#tries >= this.#retries) this.#search(ReplyCode.retransmissionTimeout);
    else {
      this.#tries++;
      this.#timer.set(tc2Ns(sent?.roundTripNs ?? 0, Math.min(this.#tries - 1, retriesMax)));
      if (sent === null) this.#parts.servers().repeat(this.#client);
      else this.#repeat(sent);
    }
  }

  /** Has an entity of this host the request, or may it still take it? */
  #worksHere(): boolean {
    return this.#local && (this.#handAgain || this.#parts.servers().workFor(this.#client));
  }

  /** There is hope, as a notice from elsewhere would say. Of a group, members elsewhere are asked on. */
  #keep(): void {
    this.#tries = 0;
    this.#kept++;
    if (this.#handAgain) this.#hand();
    if (this.#state === 'idle') return;
    if (this.#sent !== null) this.#repeat(this.#sent);
    this.#await();
  }

  #repeat(sent: SentRequest): void {
    const { trace } = this.#engine;
    if (trace.on) {
      const to = internetHost(addressOf(this.#to)) ?? hostId(0);
      const told = { to, id: this.#number, tries: this.#tries };
      trace.emit('rpc.timeout', this.#parts.machine.scope, told);
    }
    sent.repeat();
  }

  /** Parts of a response lack. */
  #missing(): void {
    const arriving = this.#arriving;
    if (!this.#responseLost) this.#sent?.widenAsked();
    this.#responseLost = true;
    this.#tries++;
    const more = this.#tries <= this.#retries;
    for (const server of arriving?.servers ?? []) {
      const what = arriving?.missing(server, more);
      if (what === 'repeat' && this.#sent !== null) this.#repeat(this.#sent);
      else if (typeof what === 'object' && (what.sound || !this.#asking)) {
        this.#accept({ from: server, message: what.message, place: this.#parts.routes.of(server)?.place });
        if (this.#state === 'idle') return;
      }
    }
    const roundTripNs = this.#sent?.roundTripNs ?? 0;
    if (arriving !== null && arriving.servers.length > 0) this.#timer.set(tc3Ns(roundTripNs, this.#tries));
    else {
      this.#state = 'awaiting';
      this.#timer.set(tc2Ns(roundTripNs, Math.min(this.#tries - 1, retriesMax)));
    }
  }

  // ---- the end ----

  #accept(ending: Ending): void {
    this.#arriving?.drop(ending.from);
    if (this.#group) {
      this.#answered ??= new Set();
      this.#answered.add(ending.from);
    }
    if (this.#asking || this.ending !== null) this.responses.push(ending);
    else {
      this.ending = ending;
      this.#sent?.received();
    }
    if (!this.#asking && this.#state !== 'idle') this.#quiet();
    this.#wake();
  }

  /** Ends it with an outcome of this host's own, unless it has ended. */
  end(code: number): void {
    if (this.#state === 'idle') return;
    this.ending ??= { from: this.#to, message: message({ code }), place: undefined };
    this.#quiet();
    if (this.#local && code !== ReplyCode.ok) this.#parts.servers().abandon(this.#client);
    this.#wake();
  }

  /** The server is not where the request went: the thread looks for it, unless it has done so often enough. */
  #search(code: number): void {
    if (this.lost) return;
    const sought = this.#sought;
    if (sought !== undefined) this.#parts.routes.forget(sought);
    if (this.#settled || sought === undefined || this.#searches >= searchesMax) {
      this.end(code);
      return;
    }
    this.#searches++;
    this.#told = code;
    this.#tries = 0;
    this.#timer.cancel();
    this.lost = true;
    this.#wake();
  }

  /** Nothing more is sent for it, except that a group's other members get all of a request that is on its way. */
  #quiet(): void {
    this.#state = 'idle';
    this.#handAgain = false;
    this.#timer.cancel();
    if (this.#sent !== null && !(this.#group && this.#sent.out.sending)) this.#sent.out.over = true;
  }

  // ---- facts ----

  /** The entity on whose place this depends: the server, or who shares a host with the members that are meant. */
  get #sought(): EntityId | undefined {
    if (!this.#group) return this.#to;
    const beside = this.#beside;
    return beside === undefined || isGroup(beside) ? undefined : beside;
  }

  /** Of a group's request, beside whom the members are that it is for; undefined: anywhere. */
  get #beside(): EntityId | undefined {
    const isBeside = (flagsOf(this.#message) & MessageFlag.coResident) !== 0;
    return isBeside ? entityIn(this.#message, 1) : undefined;
  }

  /** Of the request's last group, with which a response begins. */
  get #lastNumber(): number {
    return this.#sent?.out.lastTransaction ?? this.#number;
  }

  /** Is a response of that entity still wanted? */
  #wants(from: EntityId): boolean {
    if (!this.#group) return this.#state !== 'idle';
    return (this.#state !== 'idle' || this.open) && this.#answered?.has(from) !== true;
  }

  #tell(p: Packet, to: Place, delivery: number, code: number): void {
    const { notices } = this.#parts;
    notices.toServer(to, this.#client, p.server, p.transaction, p.priority, delivery, code);
  }
}
