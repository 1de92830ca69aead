/** Processors without interrupts: timers, one for each. */
import { Timer } from '@backplane/engine';
import type { Machine } from '../machine.ts';
import type { Processors } from '../processors.ts';

export class BareProcessors implements Processors {
  readonly count: number;
  readonly #machine: Machine;
  readonly #work: ({ readonly endNs: number; readonly timer: Timer } | null)[];

  constructor(machine: Machine) {
    this.#machine = machine;
    this.count = machine.type.processors;
    this.#work = Array.from({ length: this.count }, () => null);
  }

  interrupt(_ns: number, _category: number, done: () => void): void {
    done();
  }

  run(processor: number, ns: number, _category: number, done: () => void): void {
    const timer = new Timer(this.#machine.scope, 'work', () => {
      this.#work[processor] = null;
      done();
    });
    timer.set(ns);
    this.#work[processor] = { endNs: this.#machine.engine.nowNs + ns, timer };
  }

  preempt(processor: number): number {
    const work = this.#work[processor];
    if (work === undefined || work === null) return 0;
    work.timer.cancel();
    this.#work[processor] = null;
    return work.endNs - this.#machine.engine.nowNs;
  }

  idle(processor: number): boolean {
    return this.#work[processor] === null;
  }

  busyNs(): number {
    return 0;
  }
}
