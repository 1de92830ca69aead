/** Operations that change something, as a checkpoint sees them: it lets those under way end and keeps others out for a moment. */
import { Gate, type Task, tasks, WaitQueue } from '@backplane/engine';

export class Changes {
  static {
    tasks(Changes);
  }

  readonly #gate = new Gate(true);
  readonly #ended = new WaitQueue();
  #underWay = 0;

  /** At the beginning of an operation, before it takes any lock. */
  tryBegin(): boolean {
    if (!this.#gate.isOpen) return false;
    this.#underWay++;
    return true;
  }

  *begin(): Task<void> {
    while (!this.tryBegin()) yield* this.#gate.pass();
  }

  end(): void {
    this.#underWay--;
    if (this.#underWay === 0) this.#ended.wakeAll();
  }

  /** Waits until nothing is under way; nothing begins until `open`. */
  *close(): Task<void> {
    this.#gate.close();
    while (this.#underWay > 0) yield* this.#ended.wait();
  }

  open(): void {
    this.#gate.open();
  }
}
