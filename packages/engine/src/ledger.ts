/**
 * The ledger of a thread: processor time that it has accrued and not yet paid (temporal decoupling, as in SystemC TLM).
 *
 * `charge` is an addition. When the thread suspends, the debt is paid: by the executor of its scope, one call per
 * category in the order of first charge, each begun when the one before it was executed; or, without an executor, by
 * letting the time pass. The thread runs on when its wake-up has come *and* its debt is paid.
 *
 *   paidNs       meaning
 *   <= now       nothing to pay
 *   > now        passes by itself (no executor)
 *   Infinity     an executor works; it will call `paid`
 *
 * A thread gets a ledger at its first charge: where processor time costs nothing, nothing is paid for the accounting.
 */
import { paidTwice } from './errors.ts';
import type { Thread } from './thread.ts';

/** Who sells processor time: a scope's processors. */
export interface Executor {
  /**
   * Executes `ns` nanoseconds of the thread's work, sooner or later, and then calls `paid`, once.
   *
   * @param thread   who pays; it stays suspended until the call of `paid`
   * @param ns       whole nanoseconds, at least 1
   * @param category what for, as given to `charge` (0 = user, or unspecified)
   */
  execute(thread: Thread, ns: number, category: number, paid: () => void): void;
}

export class Ledger {
  /** Accrued and not yet being paid, all categories. */
  owedNs = 0;
  paidNs = 0;
  /** The wake-up came before the debt was paid: the earliest instant at which the thread may run. */
  dueNs = 0;
  /** A sleep that begins when the debt is paid; -1 for none. */
  sleepNs = -1;
  /** The debt by category, in parallel arrays: `entries` of them count. */
  private readonly categories: number[] = [];
  private readonly amountsNs: number[] = [];
  private entries = 0;
  /** The entry being charged, or the next to be executed. */
  private current = 0;
  /** Category being charged; -1 when nothing is owed. */
  private category = -1;
  private executing = false;
  private readonly thread: Thread;
  private readonly paid: () => void = () => this.executed();

  constructor(thread: Thread) {
    this.thread = thread;
  }

  charge(ns: number, category: number): void {
    if (category !== this.category) this.turnTo(category);
    this.amountsNs[this.current] = (this.amountsNs[this.current] ?? 0) + ns;
    this.owedNs += ns;
  }

  private turnTo(category: number): void {
    let i = 0;
    while (i < this.entries && this.categories[i] !== category) i++;
    if (i === this.entries) {
      this.categories[i] = category;
      this.amountsNs[i] = 0;
      this.entries++;
    }
    this.category = category;
    this.current = i;
  }

  /** The thread suspends, and owes: it begins to pay. */
  pay(): void {
    this.category = -1;
    this.current = 0;
    this.owedNs = 0;
    this.paidNs = Infinity;
    this.next();
  }

  /** The next entry goes to whoever sells processor time where the thread is now: it may have moved meanwhile. */
  private next(): void {
    const { thread, entries } = this;
    const seller = thread.scope.seller;
    if (seller !== null && this.current < entries) {
      const i = this.current++;
      this.executing = true;
      seller.execute(thread, this.amountsNs[i] ?? 0, this.categories[i] ?? 0, this.paid);
      return;
    }
    let leftNs = 0;
    while (this.current < entries) leftNs += this.amountsNs[this.current++] ?? 0;
    this.paidNs = thread.agenda.nowNs + leftNs;
    this.entries = 0;
    thread.debtPaid(this);
  }

  private executed(): void {
    if (this.thread.ended) return; // it died meanwhile
    if (!this.executing) throw paidTwice(this.thread.where);
    this.executing = false;
    this.next();
  }
}
