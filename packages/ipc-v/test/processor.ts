/** One processor for tests, in order of arrival; a thread that had blocked costs a context switch when it runs again. */
import { type Executor, type Scope, type Thread, Timer } from '@backplane/engine';

interface Burst {
  readonly ns: number;
  readonly category: number;
  readonly paid: () => void;
}

export class OneProcessor implements Executor {
  readonly #contextSwitchNs: number;
  readonly #blocks = new Map<Thread, number>();
  readonly #queue: Burst[] = [];
  readonly #timer: Timer;
  #running: Burst | null = null;
  switches = 0;
  readonly busyNs: Map<number, number> = new Map();

  constructor(scope: Scope, contextSwitchNs: number) {
    this.#contextSwitchNs = contextSwitchNs;
    this.#timer = new Timer(scope, 'processor', () => this.#executed());
    scope.executor = this;
  }

  execute(thread: Thread, ns: number, category: number, paid: () => void): void {
    const switched = (this.#blocks.get(thread) ?? 0) !== thread.blocks;
    this.#blocks.set(thread, thread.blocks);
    if (switched) this.switches++;
    this.busyNs.set(category, (this.busyNs.get(category) ?? 0) + ns);
    this.#queue.push({ ns: switched ? ns + this.#contextSwitchNs : ns, category, paid });
    if (this.#running === null) this.#next();
  }

  #next(): void {
    this.#running = this.#queue.shift() ?? null;
    if (this.#running !== null) this.#timer.set(this.#running.ns);
  }

  #executed(): void {
    const done = this.#running;
    this.#running = null;
    this.#next();
    done?.paid();
  }
}
