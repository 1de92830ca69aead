/**
 * The server's half: requests that have arrived at entities of this host.
 *
 *   a request of a client         finds                                the host says
 *   older than its newest one                                          over
 *   the newest one again          it worked on, or forwarded only now  taken
 *                                 it responded, and nobody knows       responded, with the response
 *                                 whether that arrived
 *                                 it responded, with what may be       repeat; the request itself: as newer
 *                                 made again and is not kept
 *                                 it discarded, or forwarded           discarded, forwarded
 *                                 given up                             over
 *   newer, or forwarded again     no entity                            nonexistent
 *                                 an entity that takes it              taken; older ones are abandoned
 *                                 an entity that does not              notAwaiting, busy, frozen; nothing is remembered
 *
 * To a group the same holds for each member; the host says `taken` while one of them works on it, `busy` when one is to be
 * tried again, and `quiet` otherwise.
 *
 * How a response travels: in the reply of the call that brought the request, if it is made within 200 ms (within which 9 of
 * 10 servers answered, RFC 1045, section 2.5.4) and not more than eight such calls wait on this host, which leaves threads of
 * the transport to others; else in a call of its own to the client's host, on a thread of this host, so that a client's host
 * that is down does not hold up the service. A response that could not be delivered is kept for when the client asks again,
 * unless it says that the request may be executed again: then the client is told to repeat the request.
 *
 * A client's host that has died abandons its requests. So that it is noticed, the hosts of those that are worked on for more
 * than half a minute are watched.
 */
import { ms, type Scope, seconds, sleep, type Task, Timer, tasks, WaitQueue } from '@backplane/engine';
import {
  type Caller,
  type Delivery,
  type EntityId,
  type HostId,
  isGroup,
  isKernelError,
  type Machine,
  type Message,
  MessageFlag,
  ReplyCode,
  type Response,
  type Silent,
  silent,
  type Transport,
} from '@backplane/slots';
import { Arrival, type Holder } from './arrival.ts';
import type { Attached, AttachedEntities } from './attached.ts';
import type { Dispatch } from './dispatch.ts';
import { requestEnded } from './errors.ts';
import { type HeldTransaction, HeldTransactions } from './held-transaction.ts';
import { type CutResponse, response as responseProcedure } from './procedures.ts';
import {
  coResidentOf,
  failure,
  has,
  isDatagram,
  type PlainWord,
  type Request,
  type Word,
  word,
} from './request.ts';
import type { Segments } from './segments.ts';

const soonNs = /* @__PURE__ */ ms(200);
const callersMax = 8;
/** Between two attempts to deliver a response to a host that is busy. */
const busyNs = /* @__PURE__ */ ms(50);
const longNs = /* @__PURE__ */ seconds(30);

export interface HeldParts {
  readonly machine: Machine;
  readonly transport: Transport;
  readonly attached: AttachedEntities;
  readonly segments: Segments;
  /** A response for a client of this host. */
  readonly deliver: (client: EntityId, transaction: number, response: Response) => void;
  /** Brings forwarded requests to where they go. */
  readonly dispatch: () => Dispatch;
}

export class HeldRequests implements Holder {
  static {
    tasks(HeldRequests);
  }

  readonly #parts: HeldParts;
  readonly #scope: Scope;
  readonly #held: HeldTransactions;
  readonly #sweep: Timer;
  /** Calls that wait for a response. */
  #callers = 0;

  constructor(parts: HeldParts) {
    this.#parts = parts;
    const { scope, engine } = parts.machine;
    this.#scope = scope;
    this.#held = new HeldTransactions(engine);
    this.#sweep = new Timer(scope, 'long requests', () => this.#watch());
  }

  // ---- requests ----

  /** A request has come, whole. */
  accept(q: Request): Word {
    if (isGroup(q.to)) return this.#acceptAll(q);
    const newest = isDatagram(q) ? undefined : this.#held.newest(q.client, q.origin);
    const again = newest?.transaction === q.transaction;
    if (newest !== undefined && (again || isOlder(q.transaction, newest.transaction))) {
      const last = newest.arrivals.at(-1);
      if (!again || newest.over || last === undefined) return word.over;
      newest.bereft = false;
      if (q.forwards <= last.request.forwards && !last.repeatable) return this.#standing(last);
    }
    const server = this.#parts.attached.get(q.to);
    if (server === undefined) return word.nonexistent;
    if (newest !== undefined && !again) this.#abandon(newest);
    const held = isDatagram(q) ? null : again ? newest : this.#held.make(q.client, q.origin, q.transaction);
    const arrival = new Arrival(this, q, server, held);
    const delivery = server.service.arrived(arrival);
    if (delivery !== 'taken') return word[delivery];
    if (held !== null) this.#keep(held, arrival);
    return word.taken;
  }

  /** A copy for each member that has none yet; not for the client itself, who could not answer. */
  #acceptAll(q: Request): Word {
    const { attached } = this.#parts;
    const near = coResidentOf(q);
    if (near !== undefined && attached.sinceNs(near) === undefined)
      return isGroup(near) ? word.quiet : word.nonexistent;
    const datagram = isDatagram(q);
    const newest = datagram ? undefined : this.#held.newest(q.client, q.origin);
    const again = newest?.transaction === q.transaction;
    if (newest !== undefined && (again ? newest.over : isOlder(q.transaction, newest.transaction)))
      return word.over;
    if (newest !== undefined && !again) this.#abandon(newest);
    const held = again ? newest : this.#held.make(q.client, q.origin, q.transaction);
    held.bereft = false;
    let says: PlainWord = 'quiet';
    for (const arrival of held.arrivals)
      if (arrival.response !== null && !arrival.travels) this.#send(arrival, arrival.response);
    for (const member of this.#lacking(q, held)) {
      const delivery = this.#offer(q, member, datagram ? null : held);
      if (delivery === 'busy' || delivery === 'frozen') says = 'busy';
    }
    return says === 'quiet' && held.works ? word.taken : word[says];
  }

  #offer(q: Request, member: Attached, held: HeldTransaction | null): Delivery {
    const arrival = new Arrival(this, q, member, held);
    const delivery = member.service.arrived(arrival);
    if (delivery === 'taken' && held !== null) this.#keep(held, arrival);
    return delivery;
  }

  #keep(held: HeldTransaction, arrival: Arrival): void {
    held.arrivals.push(arrival);
    this.#held.keep(held);
    const remote = held.origin.host !== this.#parts.transport.self;
    if (remote && held.works && !this.#sweep.armed) this.#sweep.set(longNs);
  }

  /** What has become of a request that is here. */
  #standing(arrival: Arrival): Word {
    const { state, response, forwarded } = arrival;
    if (state === 'discarded') return word.discarded;
    if (state === 'left' && forwarded !== null) return { what: 'forwarded', by: forwarded };
    if (state !== 'responded' || arrival.travels) return word.taken;
    if (response === null) return arrival.repeatable ? word.repeat : word.over;
    if (!this.#parts.segments.fits(response.message)) {
      this.#scope.spawn('entity response', this.#bring(arrival, response));
      return word.taken;
    }
    if (isRepeatable(response)) this.#drop(arrival);
    return { what: 'responded', response };
  }

  /** The response is not kept: who needs it again has the request executed again. */
  #drop(arrival: Arrival): void {
    arrival.response = null;
    arrival.repeatable = true;
  }

  /**
   * The same for a call of another host, which is its caller's way to the response: it waits for one that is made soon.
   *
   * @param from who calls: the client's host, or one that forwards
   */
  *acceptFrom(from: HostId, q: Request): Task<Word> {
    const says = this.accept(q);
    const arrival = this.#held.newest(q.client, q.origin)?.arrivals.at(-1);
    if (says.what !== 'taken' || isGroup(q.to) || from !== q.origin.host || arrival?.request !== q)
      return says;
    if (arrival.state === 'working' || arrival.state === 'leaving') {
      if (this.#callers >= callersMax) return says;
      const caller = new WaitQueue();
      arrival.caller = caller;
      this.#callers++;
      yield* caller.wait(soonNs);
      this.#callers--;
      if (arrival.caller === caller) arrival.caller = null;
    }
    return this.#standing(arrival);
  }

  /**
   * The same for a question to everybody. Who takes the request says nothing, since the response comes soon, or the
   * question again.
   */
  acceptFromEverybody(q: Request): Word | Silent {
    const says = this.accept(q);
    if (says.what === 'busy') return says;
    if (says.what !== 'taken') return silent;
    const arrivals = this.#held.newest(q.client, q.origin)?.arrivals ?? [];
    return arrivals.some(({ request }) => request === q) ? silent : says;
  }

  /** Whether a member of the group on this host is without this request, as far as its head tells. */
  lacks(q: Omit<Request, 'message'>): boolean {
    const newest = this.#held.newest(q.client, q.origin);
    return this.#lacking(q, newest?.transaction === q.transaction ? newest : null).length > 0;
  }

  /** Members to which it is to be offered; not those that came after it began, who may have seen it where they were. */
  #lacking(q: Omit<Request, 'message'>, held: HeldTransaction | null): readonly Attached[] {
    return this.#parts.attached
      .members(q.to)
      .filter(
        (member) =>
          member.entity !== q.client &&
          member.sinceNs <= q.startNs &&
          held?.arrivals.some(({ server }) => server === member) !== true,
      );
  }

  /** What has become of a request: the client's host asks again. */
  askedAgain(client: EntityId, origin: Caller, transaction: number, to: EntityId): Word {
    const newest = this.#held.newest(client, origin);
    const last = newest?.arrivals.at(-1);
    if (newest?.transaction !== transaction || last === undefined) {
      if (newest !== undefined && newest.transaction === transaction) return word.over;
      if (newest !== undefined && isOlder(transaction, newest.transaction)) return word.over;
      return this.#parts.attached.get(to) === undefined ? word.nonexistent : word.unknown;
    }
    if (newest.over) return word.over;
    newest.bereft = false;
    return this.#standing(last);
  }

  /** The client wants no response any more. A request of it that is still on its way is not delivered. */
  givenUp(client: EntityId, origin: Caller, transaction: number): void {
    const newest = this.#held.newest(client, origin);
    if (this.abandoned(client, origin, transaction)) return;
    if (newest === undefined || isOlder(newest.transaction, transaction)) {
      if (newest !== undefined) this.#abandon(newest);
      const none = this.#held.make(client, origin, transaction);
      none.over = true;
      this.#held.keep(none);
    }
  }

  /** The same where it is known to be here or nowhere. True if it is here. */
  abandoned(client: EntityId, origin: Caller, transaction: number): boolean {
    const newest = this.#held.newest(client, origin);
    if (newest?.transaction !== transaction) return false;
    this.#abandon(newest);
    return true;
  }

  /** A host has died, or cannot be told from one that has. */
  died(host: HostId): void {
    for (const held of this.#held.of(host)) {
      if (held.abandoned) continue;
      held.bereft = true;
      this.#tell(held);
    }
  }

  /** It stays until a newer one takes its place: a request that is late must not begin it again. */
  #abandon(held: HeldTransaction): void {
    const told = held.abandoned;
    held.over = true;
    held.unwatch?.();
    held.unwatch = null;
    for (const arrival of held.arrivals) arrival.response = null;
    if (!told) this.#tell(held);
  }

  #tell({ arrivals }: HeldTransaction): void {
    for (const arrival of [...arrivals])
      if (arrival.state === 'working') arrival.server.service.abandoned?.(arrival);
  }

  #watch(): void {
    const { peers, self } = this.#parts.transport;
    for (const held of this.#held.working())
      if (held.origin.host !== self && !held.over) held.unwatch ??= peers.watch(held.origin.host);
  }

  // ---- ends ----

  checkWorking({ state, server }: Arrival): void {
    if (state !== 'working') throw requestEnded(this.#parts.machine.name, server.entity, state);
  }

  responded(arrival: Arrival, response: Response): void {
    const { held } = arrival;
    if (held === null || held.over) {
      this.#ended(arrival);
      return;
    }
    arrival.response = response;
    this.#ended(arrival);
    if (!held.bereft) this.#send(arrival, response);
  }

  discarded(arrival: Arrival): void {
    this.#ended(arrival);
    if (isGroup(arrival.to) || arrival.held === null || arrival.abandoned) return;
    if (arrival.caller !== null) arrival.caller.wakeAll();
    else this.#send(arrival, failure(arrival.to, ReplyCode.responseDiscarded));
  }

  /** Nothing works on it any more; unless it was superseded, it is kept until it is out of date. */
  #ended({ held }: Arrival): void {
    if (held !== null && this.#held.newest(held.client, held.origin) === held) this.#held.keep(held);
  }

  #send(arrival: Arrival, response: Response): void {
    const { transport, deliver, segments } = this.#parts;
    const { client, origin, transaction } = arrival.request;
    if (origin.host === transport.self) {
      arrival.response = null;
      deliver(client, transaction, response);
    } else if (arrival.caller !== null && segments.fits(response.message)) arrival.caller.wakeAll();
    else this.#scope.spawn('entity response', this.#bring(arrival, response));
  }

  /** A call to the client's host. It is not repeated: the client asks again. */
  *#bring(arrival: Arrival, response: Response): Task<void> {
    const { segments } = this.#parts;
    const { client, origin, transaction } = arrival.request;
    const cut = segments.cut(response.message);
    arrival.travels = true;
    try {
      const told = { client, bootId: origin.bootId, transaction, from: response.from, cut };
      while (!(yield* this.#isTold(origin.host, told))) yield* sleep(busyNs);
      arrival.response = null;
    } catch (e) {
      if (!isKernelError(e)) throw e;
      if (isRepeatable(response)) this.#drop(arrival);
    } finally {
      arrival.travels = false;
      segments.release(cut);
    }
  }

  /** False: the client's host fetches too many segments already. @throws KernelError */
  *#isTold(host: HostId, told: CutResponse): Task<boolean> {
    try {
      yield* this.#parts.transport.call(host, responseProcedure, told);
      return true;
    } catch (e) {
      if (isKernelError(e, 'busy')) return false;
      throw e;
    }
  }

  // ---- forwards ----

  leaves(arrival: Arrival, to: EntityId, message: Message): void {
    this.#scope.spawn('entity forward', this.#passOn(arrival, to, message));
  }

  *#passOn(arrival: Arrival, to: EntityId, message: Message): Task<void> {
    const { request, held } = arrival;
    const course = held === null ? null : { isOver: () => held.over, changed: new WaitQueue() };
    const onward: Request = { ...request, to, message, forwards: request.forwards + 1 };
    const sent = yield* this.#parts.dispatch().single(onward, course);
    if (sent === null) {
      arrival.state = 'left';
      this.#ended(arrival);
    } else if (sent.host === null) {
      arrival.state = 'responded';
      if (held !== null) this.responded(arrival, failure(to, sent.code));
    } else {
      arrival.forwarded = { host: sent.host, to };
      arrival.state = 'left';
      this.#ended(arrival);
      arrival.caller?.wakeAll();
    }
  }
}

const isRepeatable = (response: Response): boolean => has(response.message, MessageFlag.datagram);

/** Transactions are serial numbers, which wrap. */
const isOlder = (transaction: number, than: number): boolean => ((transaction - than) | 0) < 0;
