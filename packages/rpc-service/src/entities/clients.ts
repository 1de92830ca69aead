/**
 * The client's half: transactions of entities of this host.
 *
 * To one entity
 *   state      event                                    action                                        next
 *   sending    taken, forwarded                         wait                                          waiting
 *   sending    responded, refused, nowhere, silence     that is the outcome                           -
 *   waiting    response (a call of the server's host)   that is the outcome                           -
 *   waiting    5 s, 10 s, 20 s, then each 30 s;         ask who has it what became of it              asking
 *              or its host is called dead
 *   asking     taken                                    wait for twice as long                        waiting
 *   asking     forwarded                                ask there                                     asking
 *   asking     responded, discarded                     that is the outcome                           -
 *   asking     repeat                                   send the request again                        sending
 *   asking     nonexistent                              nonexistentEntity                             -
 *   asking     unknown                                  retransmissionTimeout: it was taken by a      -
 *                                                       life that has ended
 *   asking     silence                                  look for the entity: still there, ask again;  asking
 *                                                       else retransmissionTimeout
 *
 * Asking again is the one mechanism for all that may go wrong after a request was taken: a server's host that died or
 * rebooted, a response that did not come through a partition, a forward that the client knows nothing of. So nobody has to be
 * told about forwards, and no host has to be watched for its servers' sake.
 *
 * To a group
 *   sending    each second: the members of this host, and a question to everybody; after three in a row that found nobody
 *              who has the request, retransmissionTimeout
 *   waiting    a member has it: ask everybody again after 5 s, 10 s, 20 s, then each 30 s; it is busy: after 50 ms to 1 s
 *
 * With `coResident` and a single entity, its host is asked instead of everybody. With `manyResponses` further responses are
 * kept until the next transaction of the client; without, the first one ends everything. Repetitions end with the first
 * response in either case: at least one member has seen the request then, and not necessarily all.
 *
 * A datagram is sent by a thread of its own, once to each place where the entity may be, and ends at once.
 */
import { ms, type Scope, seconds, settle, type Task, tasks } from '@backplane/engine';
import {
  type EntityId,
  type HostId,
  isGroup,
  isKernelError,
  type Machine,
  type Message,
  normalPriority,
  ReplyCode,
  type Response,
  type SendOptions,
  type Transport,
} from '@backplane/slots';
import type { Dispatch } from './dispatch.ts';
import type { HeldRequests } from './held-requests.ts';
import type { Places } from './places.ts';
import { askAgain, giveUp, groupRequest } from './procedures.ts';
import { coResidentOf, failure, isDatagram, type PlainWord, type Request, type Word } from './request.ts';
import type { Segments } from './segments.ts';
import { Transaction } from './transaction.ts';

const firstWaitNs = /* @__PURE__ */ seconds(5);
const waitMaxNs = /* @__PURE__ */ seconds(30);
/** Silences in a row of a host where the entity was found again each time. */
const silencesMax = 3;

const groupWindowNs = /* @__PURE__ */ seconds(1);
const groupTries = 3;
const firstPauseNs = /* @__PURE__ */ ms(50);
const pauseMaxNs = /* @__PURE__ */ seconds(1);

export interface ClientParts {
  readonly machine: Machine;
  readonly transport: Transport;
  readonly places: Places;
  readonly segments: Segments;
  readonly held: HeldRequests;
  readonly dispatch: Dispatch;
}

export class EntityClients {
  static {
    tasks(EntityClients);
  }

  readonly #parts: ClientParts;
  readonly #scope: Scope;
  /** By their numbers: those of which something is still wanted. */
  readonly #open = new Map<number, Transaction>();
  /** The last one of each client. */
  readonly #last = new Map<EntityId, Transaction>();
  #transactions = 0;

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#scope = parts.machine.scope;
  }

  /** One transaction. */
  *send(from: EntityId, to: EntityId, request: Message, options: SendOptions = {}): Task<Response> {
    yield* settle();
    this.leave(from, ReplyCode.badTransactionId);
    const t = this.#begin(from, to, request, options.priority ?? normalPriority);
    if (isDatagram(t.request)) {
      this.#sendOnce(t);
      return failure(to, ReplyCode.ok);
    }
    this.#open.set(t.request.transaction, t);
    this.#last.set(from, t);
    try {
      const { timeoutNs } = options;
      if (timeoutNs === undefined && !t.toGroup) yield* this.#single(t);
      else yield* this.#withLimit(t, timeoutNs);
      return t.response ?? failure(to, ReplyCode.badTransactionId);
    } finally {
      if (t.response === null) t.giveUp(ReplyCode.badTransactionId); // the thread leaves
      if (!t.many || t.givenUp) {
        if (this.#last.get(from) === t) this.#last.delete(from);
        this.#close(t);
      }
    }
  }

  /** A further response to the last group send. */
  *nextResponse(from: EntityId, waitNs: number): Task<Response | undefined> {
    const t = this.#last.get(from);
    if (t === undefined) return undefined;
    const { engine } = this.#parts.machine;
    const endNs = engine.nowNs + waitNs;
    while (t.further.length === 0 && t.many && !t.over && engine.nowNs < endNs)
      yield* t.changed.wait(endNs - engine.nowNs);
    return t.over ? undefined : t.further.shift();
  }

  /** The client is here no longer, or begins another transaction: what is left of its last one ends. */
  leave(client: EntityId, code: number): void {
    const t = this.#last.get(client);
    if (t === undefined) return;
    this.#last.delete(client);
    t.giveUp(code);
    this.#close(t);
  }

  /** A response has come. False: nobody wants it. */
  accept(client: EntityId, transaction: number, response: Response): boolean {
    const t = this.#open.get(transaction);
    return t !== undefined && t.request.client === client && t.accept(response);
  }

  /** Transactions that wait for something of this host ask at once. */
  died(host: HostId): void {
    for (const t of this.#open.values()) if (t.host === host) t.changed.wakeAll();
  }

  #begin(client: EntityId, to: EntityId, message: Message, priority: number): Transaction {
    const { host, bootId, engine } = this.#parts.machine;
    this.#transactions = (this.#transactions + 1) >>> 0;
    const transaction = this.#transactions;
    const { nowNs: startNs } = engine;
    const origin = { host, bootId };
    return new Transaction({ client, origin, transaction, startNs, to, priority, forwards: 0, message });
  }

  /**
   * Nothing of it is wanted any more. A single server that has the request is told at once, members of a group here, too;
   * elsewhere they learn it with the client's next request to their host, or when they respond.
   */
  #close(t: Transaction): void {
    const { client, origin, transaction } = t.request;
    if (!this.#open.delete(transaction)) return;
    t.end();
    const { held, transport, segments } = this.#parts;
    if (t.cut !== null) segments.release(t.cut);
    if (t.toGroup) held.abandoned(client, origin, transaction);
    else if (t.givenUp && t.host === transport.self) held.givenUp(client, origin, transaction);
    else if (t.givenUp && t.host !== null)
      this.#scope.spawn('give up', this.#tell(t.host, client, transaction));
  }

  *#tell(host: HostId, client: EntityId, transaction: number): Task<void> {
    try {
      yield* this.#parts.transport.call(host, giveUp, { client, transaction });
    } catch (e) {
      if (!isKernelError(e)) throw e;
    }
  }

  /** What may take long runs on a thread of its own, so that it can be left. */
  *#withLimit(t: Transaction, timeoutNs = Number.POSITIVE_INFINITY): Task<void> {
    const { engine } = this.#parts.machine;
    const thread = this.#scope.spawn('entity send', t.toGroup ? this.#group(t) : this.#single(t));
    const endNs = t.request.startNs + timeoutNs;
    try {
      while (!t.answered && engine.nowNs < endNs) yield* t.changed.wait(endNs - engine.nowNs);
      t.giveUp(ReplyCode.userTimeout);
    } finally {
      thread.cancel();
    }
  }

  // ---- to one entity ----

  *#single(t: Transaction): Task<void> {
    for (let again = false; ; again = true) {
      const sent = yield* this.#parts.dispatch.single(t.request, t);
      if (sent === null) return;
      if (sent.host === null) {
        t.fail(sent.code, sent.untaken && !again);
        return;
      }
      if (!this.#heard(t, sent.host, sent.word) && (yield* this.#wait(t)) !== 'repeat') return;
    }
  }

  /** Until the outcome, or the request is to be sent again. */
  *#wait(t: Transaction): Task<'outcome' | 'repeat'> {
    const { engine } = this.#parts.machine;
    let waitNs = firstWaitNs;
    let silences = 0;
    let forwarded = false;
    let heardNs = engine.nowNs;
    for (;;) {
      if (!t.answered && !forwarded) yield* t.changed.wait(waitNs);
      if (t.answered || t.host === null) return 'outcome';
      const { host } = t;
      const says = yield* this.#ask(t, host);
      if (t.answered) return 'outcome';
      if (says === null) {
        const found = ++silences < silencesMax ? yield* this.#parts.places.search(t.asked) : undefined;
        if (t.answered) return 'outcome';
        if (found?.host === host && found.sinceNs <= heardNs) continue;
        t.fail(ReplyCode.retransmissionTimeout);
        return 'outcome';
      }
      silences = 0;
      heardNs = engine.nowNs;
      if (says.what === 'repeat') return 'repeat';
      forwarded = says.what === 'forwarded';
      if (this.#heard(t, host, says)) return 'outcome';
      if (!forwarded) waitNs = Math.min(2 * waitNs, waitMaxNs);
    }
  }

  *#ask({ request, asked }: Transaction, host: HostId): Task<Word | null> {
    const { transport, held, dispatch } = this.#parts;
    const { client, origin, transaction } = request;
    if (host === transport.self) return held.askedAgain(client, origin, transaction, asked);
    try {
      const says = yield* transport.call(host, askAgain, { client, transaction, to: asked });
      return yield* dispatch.whole(host, says);
    } catch (e) {
      if (!isKernelError(e)) throw e;
      return null;
    }
  }

  /** What a host says of the request. True: that is the outcome. */
  #heard(t: Transaction, host: HostId, says: Word): boolean {
    if (says.what === 'responded') {
      this.#parts.places.learn(says.response.from, host);
      return t.accept(says.response);
    }
    if (says.what === 'forwarded') {
      t.host = says.by.host;
      t.asked = says.by.to;
      return false;
    }
    if (says.what === 'taken' || t.answered) return t.answered;
    t.fail(codes[says.what]);
    return true;
  }

  // ---- to a group ----

  *#group(t: Transaction): Task<void> {
    let silences = 0;
    let waitNs = firstWaitNs;
    let pauseNs = firstPauseNs;
    while (!t.answered) {
      const says = yield* this.#reach(t);
      if (t.answered) return;
      if (typeof says === 'number') t.fail(says);
      else if (says === 'quiet') {
        if (++silences >= groupTries) t.fail(ReplyCode.retransmissionTimeout);
        else if (coResidentOf(t.request) !== undefined) yield* t.changed.wait(groupWindowNs);
      } else {
        silences = 0;
        yield* t.changed.wait(says === 'busy' ? pauseNs : waitNs);
        if (says === 'busy') pauseNs = Math.min(2 * pauseNs, pauseMaxNs);
        else waitNs = Math.min(2 * waitNs, waitMaxNs);
      }
    }
  }

  /** One attempt. A number is the code with which it ends. */
  *#reach(t: Transaction): Task<'taken' | 'busy' | 'quiet' | number> {
    const { dispatch, held, transport, segments } = this.#parts;
    const near = coResidentOf(t.request);
    if (near !== undefined && !isGroup(near)) {
      const sent = yield* dispatch.single(t.request, t);
      if (sent === null) return 'quiet';
      if (sent.host === null) return sent.code;
      return sent.word.what === 'taken' ? 'taken' : 'quiet';
    }
    const here = held.accept(t.request).what;
    const { message, ...head } = t.request;
    // Members fetch the rest of a long segment when they can, also after the first response.
    const cut = t.cut ?? segments.cut(message);
    t.cut = cut;
    const asked = { windowNs: groupWindowNs, enough: 1 };
    const answers = yield* transport.ask(groupRequest, { ...head, cut }, asked);
    const words = [here, ...answers.map(({ reply }) => reply.what)];
    return words.includes('busy') ? 'busy' : words.includes('taken') ? 'taken' : 'quiet';
  }

  // ---- datagrams ----

  #sendOnce(t: Transaction): void {
    const { held, places, transport } = this.#parts;
    const { request } = t;
    const toGroup = t.toGroup && isGroup(coResidentOf(request) ?? request.to);
    if (!toGroup && places.guess(coResidentOf(request) ?? request.to) === transport.self) {
      if (held.accept(request).what !== 'nonexistent') return;
    }
    this.#scope.spawn('entity datagram', toGroup ? this.#toEverybodyOnce(request) : this.#once(request));
  }

  *#once(request: Request): Task<void> {
    yield* this.#parts.dispatch.single(request, null);
  }

  *#toEverybodyOnce(request: Request): Task<void> {
    const { held, transport, segments } = this.#parts;
    held.accept(request);
    const { message, ...head } = request;
    const cut = segments.cut(message);
    // The rest of a long segment is there for as long as a question is repeated.
    const windowNs = cut.rest === 0 ? 1 : groupWindowNs;
    try {
      yield* transport.ask(groupRequest, { ...head, cut }, { windowNs, enough: 1 });
    } finally {
      segments.release(cut);
    }
  }
}

/** How a transaction ends when a host says no. */
const codes: { readonly [W in Exclude<PlainWord, 'taken'>]: number } = {
  notAwaiting: ReplyCode.notAwaitingMessage,
  busy: ReplyCode.busy,
  frozen: ReplyCode.busy,
  quiet: ReplyCode.retransmissionTimeout,
  nonexistent: ReplyCode.nonexistentEntity,
  over: ReplyCode.badTransactionId,
  discarded: ReplyCode.responseDiscarded,
  repeat: ReplyCode.retry,
  unknown: ReplyCode.retransmissionTimeout,
};
