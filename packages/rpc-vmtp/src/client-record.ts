/**
 * The record of an entity as a client (the RFC's CSR): its transactions, one after the other, and the thread that waits for
 * them. What a transaction does is in `Transaction`.
 *
 * Transactions are numbered from where the clock stands (the RFC draws the first number): so an entity that has moved here goes
 * on with numbers that are newer than all it used before, and late responses find no transaction of theirs.
 *
 * Rules of use: one thread at a time sends. A new transaction ends the one before.
 * Lost in a crash: everything.
 */
import { type Engine, type Task, tasks, WaitQueue } from '@backplane/engine';
import { LazyTimer } from '@backplane/rpc-service';
import { codeOf, type EntityId, isGroup, type Message, message, ReplyCode } from '@backplane/slots';
import type { Place } from './carrier.ts';
import type { ClientParts, Ending, TransactOptions } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import { groupFlags } from './layout.ts';
import type { ClientNotice } from './management.ts';
import type { MovedTransaction } from './moved-entity.ts';
import type { Packet } from './packet.ts';
import { skippedTransactions } from './runs.ts';
import { ClientRun, wasRefused, windowMax } from './streams.ts';
import { Transaction } from './transaction.ts';

/** An entity makes fewer transactions than one in that time. Numbers come round after 18 hours. */
const transactionNs = 15_259;

export class ClientRecord {
  static {
    tasks(ClientRecord);
  }

  readonly entity: EntityId;
  readonly #parts: ClientParts;
  readonly #engine: Engine;
  readonly #timer: LazyTimer;
  /** The thread that sends, or asks for more responses, waits here. */
  readonly #changed: WaitQueue = new WaitQueue();
  readonly #wake = (): void => this.#changed.wakeAll();
  /** Number of the last transaction, and what the next one adds. */
  #number: number;
  #step = 1;
  /** The last one, also when it is over: more responses may come, and repetitions are told from others. */
  #transaction: Transaction | null = null;
  /** Those under way at once, if there are several. */
  #run: ClientRun | null = null;
  /** Of an entity that has come here: where its transaction under way went. */
  #wentTo: MovedTransaction['at'] = null;

  /** @param moved its last transaction, on another host */
  constructor(entity: EntityId, parts: ClientParts, moved: MovedTransaction | null = null) {
    this.entity = entity;
    this.#parts = parts;
    this.#engine = parts.machine.engine;
    this.#number = moved?.number ?? Math.floor(this.#engine.nowNs / transactionNs) >>> 0;
    const at = moved?.at ?? null;
    // What went to this host is handed over here, or is to be found.
    this.#wentTo = at?.place === parts.carrier.placeOf(parts.machine.host) ? null : at;
    const expired = (): void => this.#transaction?.expired();
    this.#timer = new LazyTimer(parts.machine.scope, `vmtp client ${entity}`, expired);
  }

  /** Number of the last request. */
  get transaction(): number {
    return this.#number;
  }

  // ---- on the sender's thread ----

  /** One transaction; never throws. */
  *transact(to: EntityId, m: Message, options: TransactOptions = {}): Task<Ending> {
    const at = options.again === true ? this.#wentTo : null;
    const mine = this.#begin(to, m, options, false);
    const { routes } = this.#parts;
    if (at !== null) mine.locate({ ...options, route: routes.at(at.place), multicast: at.multicast });
    const endNs = this.#engine.nowNs + (options.timeoutNs ?? Number.POSITIVE_INFINITY);
    try {
      while (!mine.decided) {
        const leftNs = endNs - this.#engine.nowNs;
        if (mine.lost) mine.locate(options);
        else if (mine.ready) yield* mine.transmit(options.pathNs ?? 0);
        else if (leftNs <= 0) mine.end(ReplyCode.userTimeout);
        else yield* this.#changed.wait(leftNs);
      }
      return mine.ending ?? superseded(to);
    } finally {
      mine.leave();
    }
  }

  /** Several transactions, under way at once where the server's host takes that. Their outcomes are in their order. */
  *stream(to: EntityId, messages: readonly Message[], options: TransactOptions): Task<readonly Ending[]> {
    const endings: Ending[] = [];
    while (endings.length < messages.length) {
      const next = messages.slice(endings.length, endings.length + windowMax);
      if (next.length > 1 && this.#streamsTo(to)) {
        const done = yield* this.#streamRun(to, next, options);
        endings.push(...done);
        if (done.length === next.length) continue;
      }
      const one = messages[endings.length];
      if (one !== undefined) endings.push(yield* this.transact(to, one, options));
    }
    return endings;
  }

  /** Neither a group nor somebody on this host, and no host that has said no. */
  #streamsTo(to: EntityId): boolean {
    const { streaming, residents, routes } = this.#parts;
    return streaming && !isGroup(to) && !residents.hosts(to) && routes.of(to)?.streams !== false;
  }

  /** One run. The endings up to the first that the server refused to take in a stream. */
  *#streamRun(to: EntityId, messages: readonly Message[], options: TransactOptions): Task<readonly Ending[]> {
    this.#leave();
    const first = (this.#number + this.#step) >>> 0;
    this.#number = (first + messages.length - 1) >>> 0;
    this.#step = 1;
    const { entity } = this;
    const run = new ClientRun(this.#parts, this.#wake, { client: entity, to, first, messages, options });
    this.#run = run;
    const endNs = this.#engine.nowNs + (options.timeoutNs ?? Number.POSITIVE_INFINITY);
    try {
      while (!run.decided) {
        const next = run.transactions.find((t) => !t.sent && !t.decided);
        const leftNs = endNs - this.#engine.nowNs;
        if (leftNs <= 0) for (const t of run.transactions) t.end(ReplyCode.userTimeout);
        else if (next?.lost === true) next.locate(options);
        else if (next?.ready === true) yield* next.transmit(options.pathNs ?? 0);
        else yield* this.#changed.wait(leftNs);
      }
    } finally {
      run.leave();
    }
    const endings = run.transactions.map((t) => t.ending ?? superseded(to));
    const refused = endings.findIndex(wasRefused);
    if (refused < 0) return endings;
    const { routes } = this.#parts;
    const route = routes.of(to);
    const code = codeOf(endings[refused]?.message ?? superseded(to).message);
    if (route !== undefined && code === responseCodes.streamingNotSupported) route.streams = false;
    return endings.slice(0, refused);
  }

  /** A question to a group, not to its members here: the first responses of so many, within the window. */
  *ask(to: EntityId, m: Message, windowNs: number, enough: number): Task<readonly Ending[]> {
    const mine = this.#begin(to, m, { runs: true, settled: true }, true);
    const endNs = this.#engine.nowNs + windowNs;
    const { carrier, routes } = this.#parts;
    const route = routes.at(carrier.groupPlace(to));
    try {
      mine.locate({ route, multicast: true });
      yield* mine.transmit(0);
      mine.repeatWithin(windowNs);
      while (!mine.left && (mine.answers?.count ?? enough) < enough && this.#engine.nowNs < endNs)
        yield* this.#changed.wait(endNs - this.#engine.nowNs);
      return mine.answers?.first(enough) ?? [];
    } finally {
      mine.leave();
    }
  }

  /** A further response of the group that was asked last. */
  *next(waitNs: number): Task<Ending | undefined> {
    const mine = this.#transaction;
    const endNs = this.#engine.nowNs + waitNs;
    while (mine !== null && mine === this.#transaction) {
      const response = mine.answers?.shift();
      const leftNs = endNs - this.#engine.nowNs;
      if (response !== undefined || !mine.open || leftNs <= 0) return response;
      yield* this.#changed.wait(leftNs);
    }
    return undefined;
  }

  #begin(to: EntityId, m: Message, options: TransactOptions, asking: boolean): Transaction {
    this.#leave();
    const again = options.again === true;
    if (!again) this.#number = (this.#number + this.#step) >>> 0;
    this.#step = options.runs === true ? skippedTransactions : 1;
    // Whoever has it says so.
    const streamFlags = again ? groupFlags.acknowledge : 0;
    const { entity } = this;
    const mine = new Transaction(
      { parts: this.#parts, timer: this.#timer, wake: this.#wake, isFirstOpen: () => true },
      { client: entity, number: this.#number, to, message: m, options, asking, streamFlags },
    );
    this.#transaction = mine;
    this.#wentTo = null;
    if (this.#changed.length > 0) this.#wake(); // whoever waits for what came before
    return mine;
  }

  /** What came before is over. */
  #leave(): void {
    this.#transaction?.leave();
    this.#run?.leave();
    this.#run = null;
  }

  // ---- what happens ----

  response(p: Packet, from: Place): void {
    if (this.#transaction?.settled !== true) this.#parts.routes.answered(p.server, from);
    if (this.#run?.response(p, from) === true) return;
    if (this.#transaction === null) this.#parts.counters.stale++;
    else this.#transaction.response(p, from);
  }

  /** False: it has come here in the middle of that transaction, and will ask for it. */
  respondedHere(from: EntityId, transaction: number, m: Message): boolean {
    if (transaction !== this.#number) this.#parts.counters.stale++;
    else this.#transaction?.respondedHere(from, m);
    return transaction !== this.#number || this.#transaction !== null;
  }

  notified(notice: ClientNotice, from: Place): void {
    if (this.#run?.notified(notice, from) === true) return;
    if (this.#transaction === null) this.#parts.counters.stale++;
    else this.#transaction.notified(notice, from);
  }

  /** A transaction of it is under way. */
  get waits(): boolean {
    return this.#underWay.length > 0;
  }

  /** Its thread is to wait no more: what is under way ends as if its own limit had come. False if nothing is. */
  interrupt(): boolean {
    const underWay = this.#underWay;
    for (const t of underWay) t.end(ReplyCode.userTimeout);
    return underWay.length > 0;
  }

  get #underWay(): readonly Transaction[] {
    const all = [this.#transaction, ...(this.#run?.transactions ?? [])];
    return all.filter((t) => t?.decided === false) as Transaction[]; // boundary: null has no such thing
  }

  /** It leaves for another host: what is under way goes on there. */
  depart(): MovedTransaction {
    const at = this.#transaction === null ? this.#wentTo : this.#transaction.depart();
    this.stop();
    return { number: this.#number, at };
  }

  /** It is no more an entity of this host. */
  stop(): void {
    this.#transaction?.end(ReplyCode.entityMigrated);
    for (const t of this.#run?.transactions ?? []) t.end(ReplyCode.entityMigrated);
    this.#leave();
    this.#transaction = null;
    this.#timer.stop();
    this.#wake();
  }
}

/** Another transaction of the client has taken its place. */
const superseded = (to: EntityId): Ending => ({
  from: to,
  message: message({ code: ReplyCode.badTransactionId }),
  place: undefined,
});
