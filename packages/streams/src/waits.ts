/**
 * Waits that another host may end (Welch 1990, chapter 3: blocking I/O without blocking servers).
 *
 * Nobody blocks inside a server. An operation that has nothing to do leaves a waiter at the object and fails with
 * `wouldBlock`; later the object wakes the waiter, and the whole operation is tried again.
 *
 *   state     event           action                     next
 *   open      wake            remember it                woken
 *   open      wait            suspend                    waiting
 *   woken     wait            return at once             closed
 *   waiting   wake            resume                     closed
 *   waiting   time is over    resume with false          closed
 *
 * So a wake-up that overtakes the answer "would block" is not lost, and one for a wait that is over is ignored.
 */
import { type Task, WaitQueue } from '@backplane/engine';
import type { HostId, Waiter } from '@backplane/slots';

interface Wait {
  woken: boolean;
  readonly queue: WaitQueue;
}

export class Waits {
  readonly #host: HostId;
  readonly #open = new Map<number, Wait>();
  #tickets = 0;

  constructor(host: HostId) {
    this.#host = host;
  }

  open(): Waiter {
    const ticket = ++this.#tickets;
    this.#open.set(ticket, { woken: false, queue: new WaitQueue() });
    return { host: this.#host, ticket };
  }

  /** False when the time is over. */
  *wait(w: Waiter, timeoutNs?: number): Task<boolean> {
    const wait = this.#open.get(w.ticket);
    if (wait === undefined) return true;
    if (!wait.woken) yield* wait.queue.wait(timeoutNs);
    this.#open.delete(w.ticket);
    return wait.woken;
  }

  /** The operation needed no wait, or nobody waits for it any more. */
  close(w: Waiter): void {
    this.#open.delete(w.ticket);
  }

  wake(ticket: number): void {
    const wait = this.#open.get(ticket);
    if (wait === undefined) return;
    wait.woken = true;
    wait.queue.wakeAll();
  }
}
