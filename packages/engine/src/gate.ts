/**
 * A gate: closed, threads wait before it; open, all pass. For "until the machine has booted", "while the server is
 * being recovered". All that wait when it opens pass, even if it is closed again before their turn.
 */
import { blocker } from './current.ts';
import { type Op, ready } from './task.ts';
import { WaitList } from './wait-list.ts';

export class Gate {
  private passable: boolean;
  private readonly waiting: WaitList = new WaitList();

  /** @param open closed when left out */
  constructor(open: boolean = false) {
    this.passable = open;
  }

  get isOpen(): boolean {
    return this.passable;
  }

  /** Waits while the gate is closed. @throws EngineError OUTSIDE_THREAD */
  pass(): Op<void> {
    const t = blocker();
    return this.passable ? ready(undefined) : this.waiting.wait(t);
  }

  open(): void {
    this.passable = true;
    this.waiting.wakeAll(undefined);
  }

  close(): void {
    this.passable = false;
  }
}
