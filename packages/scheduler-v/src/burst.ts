/** What a thread has charged and settles: one piece of work on its way through a processor. */
import type { Thread } from '@backplane/engine';
import { Busy } from '@backplane/slots';
import { kernelPriority, stopFrom, unsetPriority } from './levels.ts';

/** What the dispatcher knows of a thread. */
export class Dispatched {
  readonly thread: Thread;
  /** The processor whose queue it is tied to. */
  processor: number;
  priority: number | null = null;
  /** How often it had blocked when it last began to run. */
  blocks = 0;
  /** Its burst, while it has one. A thread pays one debt at a time. */
  burst: Burst | null = null;

  constructor(thread: Thread, processor: number) {
    this.thread = thread;
    this.processor = processor;
  }
}

export class Burst {
  readonly owner: Dispatched;
  readonly category: number;
  readonly paid: () => void;
  /** Of its arrival. */
  readonly order: number;
  leftNs: number;

  constructor(owner: Dispatched, ns: number, category: number, paid: () => void, order: number) {
    this.owner = owner;
    this.leftNs = ns;
    this.category = category;
    this.paid = paid;
    this.order = order;
  }

  get priority(): number {
    return this.owner.priority ?? (this.category === Busy.user ? unsetPriority : kernelPriority);
  }

  get stopped(): boolean {
    return this.priority >= stopFrom;
  }

  /** What runs inside the kernel is never preempted by another process. */
  get preemptible(): boolean {
    return this.category === Busy.user;
  }
}
