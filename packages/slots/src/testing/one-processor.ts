/** A processor for tests, with the scheduler that sells its time: one burst after the other, interrupts first. */
import { type Executor, type Scope, type Thread, Timer } from '@backplane/engine';
import type { MachineCosts } from '../machine.ts';
import type { Processors } from '../processors.ts';

interface Work {
  ns: number;
  readonly done: () => void;
}

export class OneProcessor implements Processors, Executor {
  readonly count = 1;
  readonly #costs: MachineCosts;
  readonly #clock: Timer;
  readonly #now: () => number;
  readonly #interrupts: Work[] = [];
  readonly #bursts: Work[] = [];
  /** What executes now, and since when. */
  #current: Work | null = null;
  #sinceNs = 0;
  #busyNs = 0;
  readonly #blocks = new WeakMap<Thread, number>();

  constructor(scope: Scope, costs: MachineCosts) {
    this.#costs = costs;
    this.#now = () => scope.engine.nowNs;
    this.#clock = new Timer(scope, 'processor', () => this.#executed());
  }

  interrupt(ns: number, _category: number, done: () => void): void {
    if (ns === 0 && this.#interrupts.length === 0) {
      done();
      return;
    }
    this.#pause();
    this.#interrupts.push({ ns, done });
    this.#go();
  }

  execute(thread: Thread, ns: number, _category: number, paid: () => void): void {
    const switches = (this.#blocks.get(thread) ?? 0) !== thread.blocks;
    this.#blocks.set(thread, thread.blocks);
    this.#bursts.push({ ns: ns + (switches ? this.#costs.contextSwitchNs : 0), done: paid });
    this.#go();
  }

  run(): void {
    throw new Error('this processor is its own scheduler');
  }

  preempt(): number {
    throw new Error('this processor is its own scheduler');
  }

  idle(): boolean {
    return this.#current === null;
  }

  busyNs(): number {
    return this.#busyNs;
  }

  reset(): void {
    this.#clock.cancel();
    this.#interrupts.length = 0;
    this.#bursts.length = 0;
    this.#current = null;
  }

  #pause(): void {
    if (this.#current === null || this.#current === this.#interrupts[0]) return;
    this.#current.ns -= this.#now() - this.#sinceNs;
    this.#busyNs += this.#now() - this.#sinceNs;
    this.#current = null;
    this.#clock.cancel();
  }

  #go(): void {
    if (this.#current !== null) return;
    this.#current = this.#interrupts[0] ?? this.#bursts[0] ?? null;
    if (this.#current === null) return;
    this.#sinceNs = this.#now();
    this.#clock.set(this.#current.ns);
  }

  #executed(): void {
    const work = this.#current;
    if (work === null) return;
    this.#busyNs += this.#now() - this.#sinceNs;
    this.#current = null;
    if (work === this.#interrupts[0]) this.#interrupts.shift();
    else this.#bursts.shift();
    work.done();
    this.#go();
  }
}
