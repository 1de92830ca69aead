/**
 * The board for slot `scheduler`: Sprite's time sharing on the machine's processors.
 *
 * Work arrives as bursts: what a thread has charged and now settles. A burst runs at once on an idle processor;
 * else it waits in one ready queue, ordered by weighted recent usage, first come first served among equals. A burst
 * that has had its quantum gives way if somebody waits. Kernel work takes the processor from a program's own computing
 * at once, as a thread that wakes inside the kernel does.
 *
 * A thread that has paid goes on at the same instant, and may charge again at once: a program computes on after a system
 * call. So that it is chosen among the others by its usage, and does not lose the processor with each call, the choice
 * waits until it has had its turn.
 *
 *   state     event                          action                                      next
 *   waiting   processor idle, best usage     switch if it had blocked, run a quantum     running
 *   running   executed, nobody waits         account, pay the thread                     -
 *   running   executed, others wait          account, pay, choose when it has gone on    -
 *   running   quantum over, others wait      account, queue behind its usage             waiting
 *   running   kernel work, this is a user's  preempt, account, queue                     waiting
 */
import type { Thread } from '@backplane/engine';
import { ms, Timer } from '@backplane/engine';
import {
  Busy,
  type Component,
  defineComponent,
  type Machine,
  type Processors,
  type Scheduler,
} from '@backplane/slots';
import { z } from 'zod';
import { Usage } from './usage.ts';
import { version } from './version.ts';

const options = z.strictObject({
  quantumMs: z
    .number()
    .positive()
    .default(100)
    .describe('how long a burst runs before it gives way to others, in milliseconds'),
});
export interface SpriteSchedulerOptions {
  readonly quantumMs?: number;
}

export const spriteScheduler: Component<'scheduler', SpriteSchedulerOptions> =
  /* @__PURE__ */ defineComponent({
    name: '@backplane/scheduler-sprite',
    version,
    slot: 'scheduler',
    contract: 1,
    requires: ['processors'],
    options,
    create: ({ processors }, { quantumMs }, machine) => {
      const scheduler = new TimeSharing(processors, machine, ms(quantumMs));
      machine.scope.executor = scheduler;
      return scheduler;
    },
  });

/** One thread's debt, on its way through the processors. */
class Burst {
  readonly usage: Usage;
  readonly category: number;
  readonly paid: () => void;
  leftNs: number;
  /** What it runs for this time, and since when. */
  sliceNs = 0;
  readonly order: number;

  constructor(usage: Usage, ns: number, category: number, paid: () => void, order: number) {
    this.usage = usage;
    this.leftNs = ns;
    this.category = category;
    this.paid = paid;
    this.order = order;
  }
}

class TimeSharing implements Scheduler {
  readonly #processors: Processors;
  readonly #machine: Machine;
  readonly #quantumNs: number;
  readonly #usage = new WeakMap<Thread, Usage>();
  readonly #ready: Burst[] = [];
  /** By processor. */
  readonly #running: (Burst | null)[];
  /** By processor: armed between the end of a burst and the choice of the next. */
  readonly #choice: readonly Timer[];
  #arrivals = 0;
  #switches = 0;

  constructor(processors: Processors, machine: Machine, quantumNs: number) {
    this.#processors = processors;
    this.#machine = machine;
    this.#quantumNs = quantumNs;
    this.#running = Array.from({ length: processors.count }, () => null);
    this.#choice = this.#running.map(
      (_, processor) => new Timer(machine.scope, 'scheduler', () => this.#choose(processor)),
    );
    machine.metrics.register('scheduler.contextSwitches', () => this.#switches);
  }

  get runnable(): number {
    return this.#ready.length + this.#running.filter((b) => b !== null).length;
  }

  setPriority(thread: Thread, priority: number): void {
    this.#usageOf(thread).priority = Math.max(-2, Math.min(2, Math.trunc(priority)));
  }

  execute(thread: Thread, ns: number, category: number, paid: () => void): void {
    const usage = this.#usageOf(thread);
    let burstNs = ns;
    if (usage.blocks !== thread.blocks) {
      usage.blocks = thread.blocks;
      this.#switches++;
      burstNs += this.#machine.type.costs.contextSwitchNs;
    }
    const burst = new Burst(usage, burstNs, category, paid, this.#arrivals++);
    const processor = this.#processorFor(burst);
    if (processor < 0) this.#ready.push(burst);
    else this.#dispatch(processor, burst);
  }

  /** An idle processor, or one that computes for a program while this is kernel work. */
  #processorFor(burst: Burst): number {
    for (let i = 0; i < this.#running.length; i++)
      if (this.#running[i] === null && this.#choice[i]?.armed !== true) return i;
    if (burst.category === Busy.user) return -1;
    for (let i = 0; i < this.#running.length; i++) {
      const running = this.#running[i];
      if (running?.category !== Busy.user) continue;
      this.#account(running, running.sliceNs - this.#processors.preempt(i));
      this.#ready.push(running);
      return i;
    }
    return -1;
  }

  #dispatch(processor: number, burst: Burst): void {
    this.#running[processor] = burst;
    burst.sliceNs = Math.min(burst.leftNs, this.#quantumNs);
    this.#processors.run(processor, burst.sliceNs, burst.category, () => this.#executed(processor, burst));
  }

  #executed(processor: number, burst: Burst): void {
    this.#account(burst, burst.sliceNs);
    this.#running[processor] = null;
    if (burst.leftNs > 0) {
      this.#ready.push(burst);
      this.#choose(processor);
    } else {
      // First: what the thread charges when it goes on has to find the processor taken.
      if (this.#ready.length > 0) this.#choice[processor]?.set(0);
      burst.paid();
    }
  }

  #choose(processor: number): void {
    const next = this.#takeBest();
    if (next !== undefined) this.#dispatch(processor, next);
  }

  #account(burst: Burst, ns: number): void {
    burst.leftNs -= ns;
    burst.usage.add(ns, this.#machine.engine.nowNs);
  }

  /** Kernel work first, then least weighted usage, then who came first. The queue is as short as the machine has threads. */
  #takeBest(): Burst | undefined {
    let best = -1;
    let bestKey = Number.POSITIVE_INFINITY;
    let bestOrder = 0;
    for (const [i, burst] of this.#ready.entries()) {
      const key = burst.category === Busy.user ? 1 + burst.usage.weighted(this.#machine.engine.nowNs) : 0;
      if (key < bestKey || (key === bestKey && burst.order < bestOrder)) {
        best = i;
        bestKey = key;
        bestOrder = burst.order;
      }
    }
    return best < 0 ? undefined : this.#ready.splice(best, 1)[0];
  }

  #usageOf(thread: Thread): Usage {
    let usage = this.#usage.get(thread);
    if (usage === undefined) {
      usage = new Usage();
      this.#usage.set(thread, usage);
    }
    return usage;
  }
}
