/**
 * A time-out that is mostly called off. Setting it to a later instant, or calling it off, only notes so; the engine's timer
 * goes on to the instant it was set for and is then set again, if it has to be. So a channel that carries many calls causes
 * one event for each time-out period, not one for each call.
 */
import { type Scope, Timer } from '@backplane/engine';

const never = Number.POSITIVE_INFINITY;

export class LazyTimer {
  readonly #timer: Timer;
  readonly #now: () => number;
  #dueNs = never;
  #armedNs = never;

  constructor(scope: Scope, name: string, expired: () => void) {
    const { engine } = scope;
    this.#now = () => engine.nowNs;
    this.#timer = new Timer(scope, name, () => this.#fired(expired));
  }

  /** Expires after that time, once; replaces what was set before. */
  set(delayNs: number): void {
    this.#dueNs = this.#now() + delayNs;
    if (this.#dueNs < this.#armedNs) this.#arm();
  }

  cancel(): void {
    this.#dueNs = never;
  }

  #arm(): void {
    this.#armedNs = this.#dueNs;
    this.#timer.setAt(this.#dueNs);
  }

  #fired(expired: () => void): void {
    this.#armedNs = never;
    if (this.#dueNs === never) return;
    if (this.#dueNs > this.#now()) this.#arm();
    else {
      this.#dueNs = never;
      expired();
    }
  }
}
