/**
 * One processor: executes one piece of work, and device interrupts before it.
 *
 *   state        event                action                                        next
 *   idle         run                  start the clock                               working
 *   working      clock                account, `done`                               idle
 *   working      preempt              account what was executed, forget the rest    idle
 *   working      interrupt            account what was executed, keep the rest      interrupted
 *   idle         interrupt            serve it                                      interrupted
 *   interrupted  interrupt            queue it                                      interrupted
 *   interrupted  run                  keep the work for later                       interrupted
 *   interrupted  clock, more queued   account, its `done`, serve the next           interrupted
 *   interrupted  clock, none queued   account, its `done`, go on with the work      working or idle
 *
 * An interrupt's `done` may raise further interrupts; they queue behind those that wait already.
 */
import { type Scope, Timer } from '@backplane/engine';
import { assert } from '@backplane/slots';

const nothing = (): void => {};

export class Processor {
  readonly #clock: Timer;
  readonly #busyNs: Float64Array;
  readonly #now: () => number;
  /** Work: what is left of it, since when it is executing, and who waits for its end. */
  #workNs = 0;
  #workCategory = 0;
  #workDone: (() => void) | null = null;
  #executing = false;
  #sinceNs = 0;
  /** Interrupts, oldest first; the one at `#head` is being served. */
  #interrupts: { readonly ns: number; readonly category: number; readonly done: () => void }[] = [];
  #head = 0;

  constructor(scope: Scope, name: string, busyNs: Float64Array) {
    this.#clock = new Timer(scope, name, () => this.#tick());
    this.#busyNs = busyNs;
    this.#now = () => scope.engine.nowNs;
  }

  get idle(): boolean {
    return this.#workDone === null;
  }

  run(ns: number, category: number, done: () => void): void {
    assert(this.#workDone === null, 'processor', 'work is started while other work has the processor');
    this.#workNs = ns;
    this.#workCategory = category;
    this.#workDone = done;
    if (!this.#interrupted) this.#execute();
  }

  preempt(): number {
    assert(this.#workDone !== null, 'processor', 'an idle processor is preempted');
    this.#pause();
    const left = this.#workNs;
    this.#workDone = null;
    return left;
  }

  interrupt(ns: number, category: number, done: () => void): void {
    if (ns === 0 && !this.#interrupted) {
      done();
      return;
    }
    this.#pause();
    this.#interrupts.push({ ns, category, done });
    if (this.#interrupts.length - this.#head === 1) this.#clock.set(ns);
  }

  /** Power off: forgets all of it. */
  reset(): void {
    this.#clock.cancel();
    this.#workDone = null;
    this.#executing = false;
    this.#interrupts = [];
    this.#head = 0;
  }

  /** Executed so far of what is under way, not yet accounted. */
  get unaccounted(): { readonly ns: number; readonly category: number } {
    return { ns: this.#executing ? this.#now() - this.#sinceNs : 0, category: this.#workCategory };
  }

  get #interrupted(): boolean {
    return this.#head < this.#interrupts.length;
  }

  #execute(): void {
    this.#executing = true;
    this.#sinceNs = this.#now();
    this.#clock.set(this.#workNs);
  }

  /** Stops executing the work, if it is, and accounts for what was done. */
  #pause(): void {
    if (!this.#executing) return;
    const executed = this.#now() - this.#sinceNs;
    this.#workNs -= executed;
    this.#account(executed, this.#workCategory);
    this.#executing = false;
    this.#clock.cancel();
  }

  #tick(): void {
    const served = this.#interrupts[this.#head];
    if (served === undefined) {
      const done = this.#workDone ?? nothing;
      this.#account(this.#workNs, this.#workCategory);
      this.#workDone = null;
      this.#executing = false;
      done();
      return;
    }
    this.#account(served.ns, served.category);
    served.done();
    if (this.#interrupts.length === 0) return; // the machine lost its power in the meantime
    this.#head++;
    const next = this.#interrupts[this.#head];
    if (next !== undefined) this.#clock.set(next.ns);
    else {
      this.#interrupts.length = 0;
      this.#head = 0;
      if (this.#workDone !== null) this.#execute();
    }
  }

  #account(ns: number, category: number): void {
    this.#busyNs[category] = (this.#busyNs[category] ?? 0) + ns;
  }
}
