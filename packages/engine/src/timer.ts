/**
 * A timer: a callback at an instant. What needs no stack (an interrupt, the arrival of a frame, the end of a disk
 * transfer, a time-out) is a timer, not a thread: it is cheaper, and it may fire at any time of its machine's life.
 *
 * Rules of use: make it once and set it again and again; `set` replaces the instant that was set before. The callback
 * runs outside of any thread, so it must not block: it may send, signal, release, open, wake, spawn, set timers. In a
 * crashed scope `set` does nothing.
 */
import { Entry, TIMER } from './entry.ts';
import { timerFailed } from './errors.ts';
import type { Scope } from './scope.ts';
import { instantAfter } from './time.ts';

export class Timer extends Entry {
  private readonly callback: () => void;
  /** In its scope's chain: from the first `set` until it has fired without being set again. */
  private chained = false;

  constructor(scope: Scope, name: string, fire: () => void) {
    super(TIMER, scope, name);
    this.callback = fire;
  }

  get armed(): boolean {
    return this.slot >= 0;
  }

  /**
   * Fires `delayNs` nanoseconds from now, once.
   *
   * @throws EngineError BAD_TIME
   */
  set(delayNs: number): void {
    const { agenda, slot } = this;
    const atNs = instantAfter(agenda.nowNs, delayNs);
    if (slot >= 0) agenda.queue.cancel(this);
    else if (!this.chained && !this.chain()) return;
    agenda.queue.push(atNs, this);
  }

  /**
   * Fires at an instant that has not passed.
   *
   * @throws EngineError BAD_TIME
   */
  setAt(timeNs: number): void {
    this.set(timeNs - this.agenda.nowNs);
  }

  cancel(): void {
    if (this.slot >= 0) this.agenda.queue.cancel(this);
    if (this.chained) this.unchain();
  }

  /** @internal */
  fire(): void {
    const { callback } = this;
    try {
      callback();
    } catch (e) {
      throw timerFailed(`timer ${this.name} of ${this.scope.path}`, e);
    }
    if (this.slot < 0 && this.chained) this.unchain();
  }

  /** @internal */
  die(): void {
    this.cancel();
  }

  private chain(): boolean {
    if (this.scope.dead) return false;
    this.chained = true;
    this.scope.own(this);
    return true;
  }

  private unchain(): void {
    this.chained = false;
    this.scope.drop(this);
  }
}
