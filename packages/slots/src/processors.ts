/**
 * Slots `processors` (hardware) and `scheduler` (policy): who computes when.
 *
 * Kernel code does not call either. It charges time to its thread (`charge` of the engine) and settles before
 * anything that another thread or machine could observe; the engine hands the debt to the scope's executor, which
 * is the scheduler board of that kernel.
 */
import type { Executor, Thread } from '@backplane/engine';

export interface Processors {
  readonly count: number;
  /**
   * Executes `ns` at interrupt level and then calls `done`. Preempts what runs on the processor that takes device
   * interrupts (number 0); interrupts queue behind one another in order of arrival. With nothing to execute and
   * no interrupt under way, `done` is called at once.
   */
  interrupt(ns: number, category: number, done: () => void): void;
  /** Starts work on an idle processor; `done` is called when all of it has been executed, however often interrupted. */
  run(processor: number, ns: number, category: number, done: () => void): void;
  /** Takes the processor away from its work, whose `done` is then never called. Returns the nanoseconds not yet executed. */
  preempt(processor: number): number;
  idle(processor: number): boolean;
  /** Busy nanoseconds of all processors since power-on, by category. */
  busyNs(category?: number): number;
}

/** Processor time that a thread owes: `paid` is to be called when it has been executed. */
export interface Work {
  readonly ns: number;
  readonly category: number;
  readonly paid: () => void;
}

/** What the policy knows of one thread or process; smaller is better. Sprite's billing rates are -2 .. 2. */
export interface Scheduler extends Executor {
  /** Sets the priority of a thread, in the personality's own scale. Unset threads have 0. */
  setPriority(thread: Thread, priority: number): void;
  /** Takes the thread's work away, for the scheduler of the machine where it goes: what is left of it; null when it owes nothing. */
  withdraw?(thread: Thread): Work | null;
  /** Threads that want a processor or have one now. */
  readonly runnable: number;
}
