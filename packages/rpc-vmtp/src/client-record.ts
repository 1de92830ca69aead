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
import { type EntityId, type Message, message, ReplyCode } from '@backplane/slots';
import type { Place } from './carrier.ts';
import type { ClientParts, Ending, TransactOptions } from './client-parts.ts';
import type { ClientNotice } from './management.ts';
import type { Packet } from './packet.ts';
import { skippedTransactions } from './runs.ts';
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

  constructor(entity: EntityId, parts: ClientParts) {
    this.entity = entity;
    this.#parts = parts;
    this.#engine = parts.machine.engine;
    this.#number = Math.floor(this.#engine.nowNs / transactionNs) >>> 0;
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
    const mine = this.#begin(to, m, options, false);
    const endNs = this.#engine.nowNs + (options.timeoutNs ?? Number.POSITIVE_INFINITY);
    try {
      while (!mine.decided) {
        yield* mine.locate(options);
        if (!mine.decided) yield* mine.transmit(options.pathNs ?? 0);
        while (!mine.decided && !mine.lost) {
          const leftNs = endNs - this.#engine.nowNs;
          if (leftNs <= 0) mine.end(ReplyCode.userTimeout);
          else yield* this.#changed.wait(leftNs);
        }
      }
      return (
        mine.ending ?? { from: to, message: message({ code: ReplyCode.badTransactionId }), place: undefined }
      );
    } finally {
      mine.leave();
    }
  }

  /** A question to a group, not to its members here: the first responses of so many, within the window. */
  *ask(to: EntityId, m: Message, windowNs: number, enough: number): Task<readonly Ending[]> {
    const mine = this.#begin(to, m, { runs: true, settled: true }, true);
    const endNs = this.#engine.nowNs + windowNs;
    const place = this.#parts.carrier.groupPlace(to);
    try {
      yield* mine.locate({ place, multicast: true });
      yield* mine.transmit(0);
      mine.repeatWithin(windowNs);
      while (!mine.left && mine.responses.length < enough && this.#engine.nowNs < endNs)
        yield* this.#changed.wait(endNs - this.#engine.nowNs);
      return mine.responses.slice(0, enough);
    } finally {
      mine.leave();
    }
  }

  /** A further response of the group that was asked last. */
  *next(waitNs: number): Task<Ending | undefined> {
    const mine = this.#transaction;
    const endNs = this.#engine.nowNs + waitNs;
    while (mine !== null && mine === this.#transaction) {
      const response = mine.responses.shift();
      const leftNs = endNs - this.#engine.nowNs;
      if (response !== undefined || !mine.open || leftNs <= 0) return response;
      yield* this.#changed.wait(leftNs);
    }
    return undefined;
  }

  #begin(to: EntityId, m: Message, options: TransactOptions, asking: boolean): Transaction {
    this.#transaction?.leave();
    this.#number = (this.#number + this.#step) >>> 0;
    this.#step = options.runs === true ? skippedTransactions : 1;
    const { entity } = this;
    const mine = new Transaction(
      { parts: this.#parts, timer: this.#timer, wake: this.#wake },
      { client: entity, number: this.#number, to, message: m, options, asking },
    );
    this.#transaction = mine;
    if (this.#changed.length > 0) this.#wake(); // whoever waits for what came before
    return mine;
  }

  // ---- what happens ----

  response(p: Packet, from: Place): void {
    if (this.#transaction === null) this.#parts.counters.stale++;
    else this.#transaction.response(p, from);
  }

  respondedHere(from: EntityId, transaction: number, m: Message): void {
    if (transaction !== this.#number || this.#transaction === null) this.#parts.counters.stale++;
    else this.#transaction.respondedHere(from, m);
  }

  notified(notice: ClientNotice, from: Place): void {
    if (this.#transaction === null) this.#parts.counters.stale++;
    else this.#transaction.notified(notice, from);
  }

  /** It is no more an entity of this host. */
  stop(): void {
    this.#transaction?.end(ReplyCode.entityMigrated);
    this.#transaction?.leave();
    this.#transaction = null;
    this.#timer.dispose();
    this.#wake();
  }
}
