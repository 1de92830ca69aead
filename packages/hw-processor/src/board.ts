/** The board for slot `processors`: as many processors as the machine's type has. */
import {
  assert,
  Busy,
  busyCategories,
  type Component,
  defineComponent,
  type Machine,
  type Processors,
} from '@backplane/slots';
import { Processor } from './processor.ts';
import { version } from './version.ts';

export const processors: Component<'processors'> = /* @__PURE__ */ defineComponent({
  name: '@backplane/hw-processor',
  version,
  slot: 'processors',
  contract: 1,
  requires: [],
  create: (_granted, _options, machine) => new ProcessorSet(machine),
  reset: (board) => (board as ProcessorSet).reset(),
});

class ProcessorSet implements Processors {
  readonly count: number;
  readonly #busyNs = new Float64Array(busyCategories.length);
  readonly #processors: readonly Processor[];

  constructor(machine: Machine) {
    this.count = machine.type.processors;
    this.#processors = Array.from(
      { length: this.count },
      (_, i) => new Processor(machine.scope, `processor${i}`, this.#busyNs),
    );
    machine.metrics.register(`processor.${machine.role}.busySeconds`, () => this.busyNs() / 1e9);
    for (const category of busyCategories)
      machine.metrics.register(
        `processor.${machine.role}.${category}Seconds`,
        () => this.busyNs(Busy[category]) / 1e9,
      );
  }

  interrupt(ns: number, category: number, done: () => void): void {
    this.#at(0).interrupt(ns, category, done);
  }

  run(processor: number, ns: number, category: number, done: () => void): void {
    this.#at(processor).run(ns, category, done);
  }

  preempt(processor: number): number {
    return this.#at(processor).preempt();
  }

  idle(processor: number): boolean {
    return this.#at(processor).idle;
  }

  busyNs(category?: number): number {
    let ns = 0;
    if (category !== undefined) ns = this.#busyNs[category] ?? 0;
    else for (const n of this.#busyNs) ns += n;
    for (const p of this.#processors)
      if (category === undefined || p.unaccounted.category === category) ns += p.unaccounted.ns;
    return ns;
  }

  /** Power off: nothing is executing any more. What was executed stays accounted. */
  reset(): void {
    for (const p of this.#processors) p.reset();
  }

  #at(processor: number): Processor {
    const p = this.#processors[processor];
    assert(p !== undefined, 'processors', `there is no processor ${processor} among ${this.count}`);
    return p;
  }
}
