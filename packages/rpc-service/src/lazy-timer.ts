/**
 * A time-out that is mostly called off. Setting it to a later instant, or calling it off, only notes so; the engine's timer
 * goes on to the instant that it was set for and is set again then, if it has to be. So a client that sends many messages
 * causes one event for each time-out period, not one for each message.
 */
import { type Engine, type Scope, Timer } from '@backplane/engine';

const never = Number.POSITIVE_INFINITY;

export class LazyTimer {
  readonly #timer: Timer;
  readonly #engine: Engine;
  #dueNs = never;
  #armedNs = never;

  constructor(scope: Scope, name: string, expired: () => void) {
    this.#engine = scope.engine;
    this.#timer = new Timer(scope, name, () => this.#fired(expired));
  }

  /** Expires after that time, once; replaces what was set before. */
  set(delayNs: number): void {
    this.#dueNs = this.#engine.nowNs + delayNs;
    if (this.#dueNs < this.#armedNs) this.#arm();
  }

  cancel(): void {
    this.#dueNs = never;
  }

  /** The same, for who will not need it soon: it is no more in the queue of the engine. */
  stop(): void {
    this.#dueNs = never;
    this.#armedNs = never;
    this.#timer.cancel();
  }

  #arm(): void {
    this.#armedNs = this.#dueNs;
    this.#timer.setAt(this.#dueNs);
  }

  #fired(expired: () => void): void {
    this.#armedNs = never;
    if (this.#dueNs === never) return;
    if (this.#dueNs > this.#engine.nowNs) this.#arm();
    else {
      this.#dueNs = never;
      expired();
    }
  }
}
