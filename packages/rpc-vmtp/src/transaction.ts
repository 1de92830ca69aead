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
 *   receiving  TC3, none left                     hand up what came if it is `partial`; else resend    awaiting, or idle
 *                                                 the message, or ask all managers where the server is
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
  hostId,
  internetHost,
  type Message,
  message,
  ReplyCode,
} from '@backplane/slots';
import { ArrivingResponses } from './arriving-responses.ts';
import { here, type Place } from './carrier.ts';
import type { ClientParts, Ending, TransactOptions } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import { GroupAnswers } from './group-answers.ts';
import { groupFlags } from './layout.ts';
import type { ClientNotice } from './management.ts';
import { addressOf } from './numbers.ts';
import type { Packet } from './packet.ts';
import { RequestWay, type TransactionFacts } from './request-way.ts';
import { positionOf, wholeMessage } from './runs.ts';
import type { SentRequest } from './sent-request.ts';
import { retriesMax, tc1Ns, tc2Ns, tc3Ns } from './times.ts';
import { controlFields } from './words.ts';

/** What it shares with the transactions before and after it. */
export interface TransactionPlace {
  readonly parts: ClientParts;
  readonly timer: LazyTimer;
  /** Something has changed for the thread. */
  readonly wake: () => void;
  /** In a stream: have all transactions before that one ended? */
  readonly isFirstOpen: (number: number) => boolean;
}

export class Transaction {
  static {
    tasks(Transaction);
  }

  /** How it ended; of a group, its first response. */
  ending: Ending | null = null;
  /** Its thread has left it. */
  left = false;
  /** Null: one entity is asked. */
  readonly answers: GroupAnswers | null;
  readonly #parts: ClientParts;
  readonly #engine: Engine;
  readonly #timer: LazyTimer;
  readonly #wake: () => void;
  readonly #isFirstOpen: (number: number) => boolean;
  readonly #way: RequestWay;
  readonly #asking: boolean;
  readonly #retries: number;

  #state: 'idle' | 'awaiting' | 'receiving' = 'awaiting';
  /** It was not taken by an entity of this host, and is handed over again. */
  #handAgain = false;
  #tries = 0;
  /** Times that the server said that it has the request. */
  #kept = 0;
  #arriving: ArrivingResponses | null = null;
  /** When a response was heard last, in part. */
  #heardNs = 0;
  /** The timer was set for the rest of it: it is not set for each packet, but looks at that when its time has come. */
  #isTimed = false;
  /** It went out, and nobody has refused it since. */
  #outstanding = false;
  /** Somebody may have had it, whatever is said of it now. */
  #perhapsTaken: boolean;

  constructor({ parts, timer, wake, isFirstOpen }: TransactionPlace, facts: TransactionFacts) {
    this.#parts = parts;
    this.#engine = parts.machine.engine;
    this.#timer = timer;
    this.#wake = wake;
    this.#isFirstOpen = isFirstOpen;
    this.#way = new RequestWay(parts, facts);
    this.#asking = facts.asking;
    this.#perhapsTaken = this.#way.group || facts.options.again === true;
    this.answers = this.#way.group ? new GroupAnswers() : null;
    this.#retries = facts.options.retries ?? retriesMax;
    const { counters } = parts;
    counters.transactions++;
    if (this.#way.group) counters.groupSends++;
    if (this.#way.datagram) counters.datagrams++;
  }

  /** The thread has nothing to wait for. */
  get decided(): boolean {
    return this.ending !== null || this.left;
  }

  /** Nothing is learnt of where its server is. */
  get settled(): boolean {
    return this.#way.settled;
  }

  /** More responses may come. */
  get open(): boolean {
    return this.#way.group && this.ending !== null;
  }

  // ---- on the sender's thread ----

  /** It is not known where it goes, and nobody has been asked. */
  get lost(): boolean {
    return this.#way.whereabouts === 'unknown';
  }

  /** It was sent or handed over, and there is nothing against that. */
  get sent(): boolean {
    return this.#way.whereabouts === 'sent';
  }

  /** It is to be. */
  get ready(): boolean {
    return this.#way.whereabouts === 'known';
  }

  /** Its client goes to another host. Returns where it went, if it is under way. */
  depart(): { readonly place: Place; readonly multicast: boolean } | null {
    if (this.decided) return null;
    const at = this.#way.at;
    // Who has it here goes on with it.
    this.#way.local = false;
    return at;
  }

  /** Finds out where the request goes. It is `ready` then, at once or when others have been asked. */
  locate(options: TransactOptions): void {
    this.#way.locate(options);
    this.#way.seek(
      () => !this.decided,
      (outcome) => {
        if (outcome === undefined) this.#wake();
        else this.end(outcome);
      },
    );
  }

  /** Hands it over here, and sends it where it goes. */
  *transmit(pathNs: number): Task<void> {
    const { output, machine, counters } = this.#parts;
    const { sent } = this.#way;
    this.#way.whereabouts = 'sent';
    if (this.#way.local) {
      const copyNs = Math.round(machine.type.costs.copyNsPerByte * this.#way.message.segment.length);
      if (copyNs > 0) charge(copyNs, Busy.network);
      yield* settle();
      if (this.left) return;
      this.#hand();
      if (this.lost) return;
    }
    if (sent === null) {
      if (this.#way.local) counters.localTransactions++;
    } else if (this.ending === null || this.#way.group) {
      if (pathNs > 0) charge(pathNs, Busy.network);
      this.#outstanding = true;
      yield* output.send(sent.out);
      if (this.left) return;
      sent.sent();
      if (this.#state === 'awaiting' && !this.#way.datagram) this.#await();
    }
    if (this.#way.datagram && this.ending === null) this.end(ReplyCode.ok);
  }

  /** Asking: the first repetition comes within a quarter of the window. */
  repeatWithin(windowNs: number): void {
    if (this.#state === 'awaiting') this.#timer.set(Math.min(tc1Ns(0, 0), Math.ceil(windowNs / 4)));
  }

  /** The thread is gone, with an ending or without. */
  leave(): void {
    this.left = true;
    if (this.#state !== 'idle' || this.#asking) {
      this.#quiet();
      this.#arriving = null;
      if (this.#way.local) this.#parts.servers().abandon(this.#way.client);
    }
    // Until the next transaction: what comes late is told by the number alone.
    if (!this.#way.group) this.#way.sent = null;
  }

  // ---- on this host ----

  #hand(): void {
    const verdict = this.#way.deliverHere();
    this.#handAgain = (verdict === 'busy' || verdict === 'frozen') && !this.#way.datagram;
    if (verdict === 'taken') this.#perhapsTaken = true;
    if (this.#way.group) {
      // Members elsewhere may answer; with nobody but these, silence is known at once.
      if (this.#way.sent === null && verdict === 'nobody') this.end(ReplyCode.retransmissionTimeout);
      else if (this.#way.sent === null && this.ending === null) this.#await();
    } else if (verdict === 'notAwaiting') this.end(ReplyCode.notAwaitingMessage);
    else if (verdict === 'nobody') this.#search(this.#absence());
    else if (!this.#way.datagram) this.#await();
  }

  /** A response to a later transaction of the stream says that it answers this one, too. */
  answered(ending: Ending): void {
    if (this.#wants(ending.from)) this.#accept(ending);
  }

  /** An entity of this host has responded. */
  respondedHere(from: EntityId, m: Message): void {
    if (this.#wants(from)) this.#accept({ from, message: m, place: here });
    else this.#parts.counters.stale++;
  }

  // ---- packets ----

  response(p: Packet, from: Place): void {
    const { counters } = this.#parts;
    const position = positionOf(p.flags);
    if (position === undefined || (position !== 'only' && !this.#way.runs)) {
      this.#tell(p, from, 0, responseCodes.streamingNotSupported);
      return;
    }
    const first = position === 'second' ? (p.transaction - 1) >>> 0 : p.transaction;
    const asked = (p.flags & groupFlags.acknowledge) !== 0;
    if (first !== this.#way.lastNumber) {
      counters.stale++;
      if (asked) this.#tell(p, from, 0, responseCodes.badTransactionId);
      return;
    }
    if (!this.#wants(p.server)) {
      counters.duplicates++;
      if (asked) this.#tell(p, from, 0, responseCodes.responseDiscarded);
      return;
    }
    this.#perhapsTaken = true;
    let m = this.#arriving === null ? wholeMessage(p, position) : undefined;
    if (m === undefined) {
      this.#arriving ??= new ArrivingResponses(
        this.#parts,
        this.#way.client,
        this.#way.lastNumber,
        this.#way.priority,
      );
      const joined = this.#arriving.join(p, from, position);
      if (p.delivery !== 0 && p.retransmitCount > 0) this.#arriving.lossy = true;
      if (typeof joined === 'string') {
        if (joined === 'more') this.#tries = 0;
        this.#waitForMore();
        return;
      }
      m = joined;
      if (!this.#arriving.lossy) this.#way.sent?.easeAsked(from);
    }
    if (this.answers?.full === true) {
      this.#tell(p, from, 0, responseCodes.busy);
      return;
    }
    if (asked) this.#tell(p, from, p.sentBlocks, responseCodes.ok);
    this.#accept({ from: p.server, message: m, place: from });
  }

  /** How long the rest of a response may take. */
  #restNs(tries: number): number {
    return tc3Ns(this.#way.sent?.roundTripNs ?? 0, this.#way.sent?.askedGap ?? 0, tries);
  }

  /** Of a group, what is missing of later responses is not asked for. */
  #waitForMore(): void {
    if (!this.#asking && this.ending !== null) return;
    this.#heardNs = this.#engine.nowNs;
    if (this.#state === 'receiving' && this.#isTimed) return;
    this.#state = 'receiving';
    this.#isTimed = true;
    this.#timer.set(this.#restNs(0));
  }

  /** A notice about the request, from the server's host. */
  notified(notice: ClientNotice, from: Place): void {
    const sent = this.#way.sent;
    if (this.#state === 'idle' || !this.#way.sends(notice.transaction)) {
      this.#parts.counters.stale++;
      return;
    }
    switch (notice.code) {
      case responseCodes.ok:
        this.#perhapsTaken = true;
        sent?.measure(notice.control);
        if (this.#state === 'receiving') break; // it is done again: that brings none of what lacks
        this.#tries = 0;
        this.#kept++;
        this.#await();
        break;
      case responseCodes.retry:
      case responseCodes.retryAll:
        this.#perhapsTaken = true;
        sent?.resend(notice);
        if (this.#state === 'awaiting') this.#await();
        break;
      case responseCodes.busy:
        this.#refused(notice);
        this.#tries = 0;
        sent?.wholly();
        this.#await();
        break;
      case responseCodes.noRunRecord:
        // The stream's first transaction may be lost, and comes again before this one does.
        if (this.#isFirstOpen(this.#way.number)) this.end(notice.code);
        else sent?.wholly();
        break;
      case responseCodes.nonexistentEntity:
      case responseCodes.entityMigrated:
        // What came from a place that was given up is known.
        if (this.#way.sought === undefined || from !== (sent?.place ?? here)) break;
        this.#refused(notice);
        this.#search(notice.code);
        break;
      default:
        // Of a group, one member's word is not the last, unless only one host is meant.
        if (this.#way.sought !== undefined) this.end(notice.code);
    }
  }

  /** Who forwards a request has had it, whatever becomes of it then. */
  #refused({ control }: ClientNotice): void {
    if (controlFields(control).forwardCount === 0) this.#outstanding = false;
    else this.#perhapsTaken = true;
  }

  // ---- time-outs ----

  #await(): void {
    this.#state = 'awaiting';
    this.#timer.set(tc1Ns(this.#way.sent?.roundTripNs ?? 0, this.#kept));
  }

  expired(): void {
    if (this.#state === 'idle') return;
    const sent = this.#way.sent;
    if (sent?.out.underWay) this.#timer.set(tc2Ns(sent.roundTripNs, 0));
    else if (this.#state === 'receiving') this.#missRest();
    else if (this.#handAgain && !this.#way.group) this.#hand();
    else if (this.#worksHere()) this.#keep();
    else if (!this.#asking && this.#tries >= this.#retries) this.#search(ReplyCode.retransmissionTimeout);
    else {
      this.#tries++;
      this.#timer.set(tc2Ns(sent?.roundTripNs ?? 0, Math.min(this.#tries - 1, retriesMax)));
      if (sent === null) this.#parts.servers().repeat(this.#way.client);
      else this.#repeat(sent);
    }
  }

  /** Has an entity of this host the request, or may it still take it? */
  #worksHere(): boolean {
    return this.#way.local && (this.#handAgain || this.#parts.servers().workFor(this.#way.client));
  }

  /** There is hope, as a notice from elsewhere would say. Of a group, members elsewhere are asked on. */
  #keep(): void {
    this.#tries = 0;
    this.#kept++;
    if (this.#handAgain) this.#hand();
    if (this.#state === 'idle') return;
    if (this.#way.sent !== null) this.#repeat(this.#way.sent);
    this.#await();
  }

  /** @param blocks of the response that lack */
  #repeat(sent: SentRequest, blocks?: number): void {
    const { trace } = this.#engine;
    if (trace.on) {
      const to = internetHost(addressOf(this.#way.to)) ?? hostId(0);
      const told = { to, id: this.#way.number, tries: this.#tries };
      trace.emit('rpc.timeout', this.#parts.machine.scope, told);
    }
    // What went out before is answered with silence: who had it may be dead.
    this.#perhapsTaken ||= this.#outstanding;
    this.#outstanding = true;
    sent.repeat(blocks);
  }

  /** Unless something came in time, parts of a response lack. */
  #missRest(): void {
    const leftNs = this.#heardNs + this.#restNs(0) - this.#engine.nowNs;
    if (this.#isTimed && leftNs > 0) this.#timer.set(leftNs);
    else {
      this.#isTimed = false;
      this.#missing();
    }
  }

  #missing(): void {
    const arriving = this.#arriving;
    this.#tries++;
    const more = this.#tries <= this.#retries;
    if (!more && this.#askAnew()) return;
    for (const server of arriving?.servers ?? []) {
      const what = arriving?.missing(server, more);
      if (typeof what === 'number') {
        arriving?.widenGap(this.#way.sent);
        if (this.#way.sent !== null) this.#repeat(this.#way.sent, what);
      } else if (typeof what === 'object' && (what.sound || !this.#asking)) {
        this.#accept({ from: server, message: what.message, place: what.place });
        if (this.#state === 'idle') return;
      }
    }
    const roundTripNs = this.#way.sent?.roundTripNs ?? 0;
    if (arriving !== null && arriving.servers.length > 0) this.#timer.set(this.#restNs(this.#tries));
    else {
      this.#state = 'awaiting';
      this.#timer.set(tc2Ns(roundTripNs, Math.min(this.#tries - 1, retriesMax)));
    }
  }

  /** The rest of a response that is wanted whole does not come: asks for all of it, there or wherever its server is. */
  #askAnew(): boolean {
    const { sent } = this.#way;
    if (this.#way.group || sent === null || this.#arriving?.partial !== false) return false;
    this.#state = 'awaiting';
    if (this.#way.mayAnswerAgain()) {
      this.#tries = 0;
      this.#timer.set(tc2Ns(sent.roundTripNs, 0));
      this.#repeat(sent);
    } else this.#search(ReplyCode.badReplySegment);
    return true;
  }

  // ---- the end ----

  #accept(ending: Ending): void {
    if (this.#way.group) this.#arriving?.drop(ending.from);
    else this.#arriving = null;
    this.answers?.note(ending.from);
    if (this.#asking || this.ending !== null) this.answers?.keep(ending);
    else {
      this.ending = ending;
      this.#way.sent?.received();
    }
    if (!this.#asking && this.#state !== 'idle') this.#quiet();
    this.#wake();
  }

  /** Ends it with an outcome of this host's own, unless it has ended. */
  end(code: number): void {
    if (this.#state === 'idle') return;
    const came = this.#way.group ? undefined : this.#arriving?.handedUp(code);
    const untaken = !this.#perhapsTaken && !this.#outstanding;
    this.ending ??= came ?? { from: this.#way.to, message: message({ code }), place: undefined, untaken };
    this.#quiet();
    if (this.#way.local && code !== ReplyCode.ok) this.#parts.servers().abandon(this.#way.client);
    this.#wake();
  }

  /** The server is not where the request went: it is looked for, unless that was done often enough. */
  #search(code: number): void {
    const { whereabouts } = this.#way;
    if (whereabouts === 'unknown' || whereabouts === 'sought') return;
    if (!this.#way.mayBeElsewhere(code)) {
      this.end(code);
      return;
    }
    this.#state = 'awaiting';
    this.#tries = 0;
    this.#timer.cancel();
    this.#wake();
  }

  /** Nothing more is sent for it, except that a group's other members get all of a request that is on its way. */
  #quiet(): void {
    this.#state = 'idle';
    this.#handAgain = false;
    this.#timer.cancel();
    if (this.#way.sent !== null && !(this.#way.group && this.#way.sent.out.sending))
      this.#way.sent.out.over = true;
  }

  // ---- facts ----

  /** What this host says of a server that is not here. */
  #absence(): number {
    const { residents, machine } = this.#parts;
    return residents.absence(this.#way.to, machine.engine.nowNs, false);
  }

  /** Is a response of that entity still wanted? */
  #wants(from: EntityId): boolean {
    if (!this.#way.group) return this.#state !== 'idle';
    return (this.#state !== 'idle' || this.open) && this.answers?.has(from) !== true;
  }

  #tell(p: Packet, to: Place, delivery: number, code: number): void {
    const { notices } = this.#parts;
    notices.toServer(to, this.#way.client, p.server, p.transaction, p.priority, delivery, code);
  }
}
