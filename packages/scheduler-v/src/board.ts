/**
 * The board for slot `scheduler` as V has it: strict priorities, a ready queue for each processor, and nothing about time. Who
 * slices time is a process outside the kernel, which changes priorities.
 *
 * On one processor the ready process of the best priority runs. On several, each process is tied to the queue of one, and a
 * processor looks only at its own; a procedure that runs from time to time moves processes from long queues to short ones.
 * Looking at every queue at each wake-up was thought too costly (Cheriton 1988).
 *
 *   state     event                                action                                           next
 *   ready     its processor idle, best priority    switch if it had blocked, run                    running
 *   running   executed                             pay the thread; choose when it has gone on       -
 *   running   better one ready, this computes      preempt, queue it at its own place               ready
 *   running   better one ready, this in the kernel nothing: the kernel is not preempted             running
 *   ready     balance, another queue is shorter    tie it to that one                               ready
 *   any       priority changes                     queue it anew; preempt who is worse now          -
 *   ready     priority is `stop`                   it stays until that changes                      ready
 */
import { ms, type Thread, Timer } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type Machine,
  type Processors,
  type Scheduler,
  type Work,
} from '@backplane/slots';
import { z } from 'zod';
import { Burst, Dispatched } from './burst.ts';
import { ReadyQueue } from './ready-queue.ts';
import { version } from './version.ts';

const options = z.strictObject({
  balanceMs: z
    .number()
    .positive()
    .default(100)
    .describe('how often processes are moved between the queues of several processors, in milliseconds'),
});
export interface VSchedulerOptions {
  readonly balanceMs?: number;
}

export const vScheduler: Component<'scheduler', VSchedulerOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/scheduler-v',
  version,
  slot: 'scheduler',
  contract: 1,
  requires: ['processors'],
  options,
  create: ({ processors }, { balanceMs }, machine) => {
    const dispatcher = new Dispatcher(processors, machine, ms(balanceMs));
    machine.scope.executor = dispatcher;
    return dispatcher;
  },
});

/** One processor, its queue, and what it does. */
interface Desk {
  readonly ready: ReadyQueue;
  running: Burst | null;
  /** Who ran here last. */
  last: Dispatched | null;
  /** Armed between the end of a burst and the choice of the next: what its thread charges when it goes on counts, too. */
  readonly choice: Timer;
}

class Dispatcher implements Scheduler {
  readonly #processors: Processors;
  readonly #machine: Machine;
  readonly #threads = new WeakMap<Thread, Dispatched>();
  readonly #desks: readonly Desk[];
  readonly #balanceNs: number;
  readonly #balance: Timer;
  #arrivals = 0;
  #switches = 0;
  #moves = 0;
  #preemptions = 0;

  constructor(processors: Processors, machine: Machine, balanceNs: number) {
    this.#processors = processors;
    this.#machine = machine;
    this.#balanceNs = balanceNs;
    this.#balance = new Timer(machine.scope, 'scheduler.balance', () => this.#move());
    this.#desks = Array.from({ length: processors.count }, (_, processor) => ({
      ready: new ReadyQueue(),
      running: null,
      last: null,
      choice: new Timer(machine.scope, 'scheduler', () => this.#choose(processor)),
    }));
    machine.metrics.register('scheduler.contextSwitches', () => this.#switches);
    machine.metrics.register('scheduler.preemptions', () => this.#preemptions);
    machine.metrics.register('scheduler.moves', () => this.#moves);
  }

  get runnable(): number {
    return this.#loads().reduce((sum, n) => sum + n, 0);
  }

  /** @param priority the smaller goes first; see `priorityOf` */
  setPriority(thread: Thread, priority: number): void {
    const d = this.#dispatched(thread);
    d.priority = Math.trunc(priority);
    const { burst } = d;
    if (burst === null) return;
    const desk = this.#desk(d.processor);
    if (desk.running === burst) this.#yieldToBetter(d.processor);
    else if (desk.ready.remove(burst)) this.#queue(burst);
  }

  withdraw(thread: Thread): Work | null {
    const d = this.#threads.get(thread);
    const burst = d?.burst ?? null;
    if (d === undefined || burst === null) return null;
    const desk = this.#desk(d.processor);
    d.burst = null;
    if (desk.running === burst) {
      burst.leftNs = this.#processors.preempt(d.processor);
      desk.running = null;
      this.#choose(d.processor);
    } else desk.ready.remove(burst);
    return { ns: burst.leftNs, category: burst.category, paid: burst.paid };
  }

  execute(thread: Thread, ns: number, category: number, paid: () => void): void {
    const d = this.#dispatched(thread);
    let burstNs = ns;
    if (d.blocks !== thread.blocks) {
      d.blocks = thread.blocks;
      this.#switches++;
      burstNs += this.#machine.type.costs.contextSwitchNs;
      this.#forgetLast(d);
    }
    d.burst = new Burst(d, burstNs, category, paid, this.#arrivals++);
    this.#queue(d.burst);
  }

  /** Into its processor's queue, and on from there if it may run at once. */
  #queue(burst: Burst): void {
    const { processor } = burst.owner;
    const desk = this.#desk(processor);
    desk.ready.add(burst);
    if (desk.choice.armed) return;
    if (desk.running === null) this.#choose(processor);
    else this.#yieldToBetter(processor);
    if (desk.ready.length > 0) this.#armBalance();
  }

  #choose(processor: number): void {
    const desk = this.#desk(processor);
    const next = desk.ready.take((b) => b.owner === desk.last);
    if (next === undefined) return;
    desk.running = next;
    desk.last = next.owner;
    this.#processors.run(processor, next.leftNs, next.category, () => this.#executed(processor, next));
  }

  #executed(processor: number, burst: Burst): void {
    const desk = this.#desk(processor);
    desk.running = null;
    burst.owner.burst = null;
    // First: what the thread charges when it goes on is compared with the others.
    if (desk.ready.length > 0) desk.choice.set(0);
    burst.paid();
  }

  #yieldToBetter(processor: number): void {
    const desk = this.#desk(processor);
    const { running } = desk;
    if (running === null || !running.preemptible) return;
    if (!running.stopped && !desk.ready.hasBetterThan(running.priority)) return;
    this.#preemptions++;
    running.leftNs = this.#processors.preempt(processor);
    desk.running = null;
    desk.ready.add(running);
    this.#choose(processor);
  }

  // ---- several processors ----

  #armBalance(): void {
    if (this.#desks.length > 1 && !this.#balance.armed) this.#balance.set(this.#balanceNs);
  }

  /** Moves processes until no queue is longer by two than another. */
  #move(): void {
    for (;;) {
      const loads = this.#loads();
      const from = loads.indexOf(Math.max(...loads));
      const to = loads.indexOf(Math.min(...loads));
      const moved = (loads[from] ?? 0) - (loads[to] ?? 0) > 1 ? this.#desk(from).ready.takeLast() : undefined;
      if (moved === undefined) break;
      this.#moves++;
      moved.owner.processor = to;
      this.#queue(moved);
    }
    if (this.#desks.some((d) => d.ready.willing > 0)) this.#armBalance();
  }

  /** How many want each processor or have it. */
  #loads(): number[] {
    return this.#desks.map(({ ready, running }) => ready.willing + (running === null ? 0 : 1));
  }

  /** A thread that comes for the first time goes where least is to do. */
  #dispatched(thread: Thread): Dispatched {
    let d = this.#threads.get(thread);
    if (d === undefined) {
      const loads = this.#loads();
      d = new Dispatched(thread, loads.indexOf(Math.min(...loads)));
      this.#threads.set(thread, d);
    }
    return d;
  }

  #forgetLast(d: Dispatched): void {
    const desk = this.#desk(d.processor);
    if (desk.last === d) desk.last = null;
  }

  #desk(processor: number): Desk {
    return this.#desks[processor] as Desk; // boundary: processors are numbered below count
  }
}
