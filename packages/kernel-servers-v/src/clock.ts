/**
 * A host's clock: its own crystal, which is a little fast or slow, and what was corrected since. A correction is spread over
 * time, so that the clock never goes back.
 */
import { CLUSTER_EPOCH_SECONDS, type Engine } from '@backplane/engine';

/** A correction of one second takes this many. */
const slewPerSecond = 20;

export class Clock {
  readonly #engine: Engine;
  readonly #rate: number;
  #offsetNs: number;
  /** Under way: so much from then on, evenly, until it is done. */
  #slewNs = 0;
  #slewFromNs = 0;

  /** @param driftPpm how much it gains, in millionths */
  constructor(engine: Engine, skewNs: number, driftPpm: number) {
    this.#engine = engine;
    this.#rate = 1 + driftPpm / 1e6;
    this.#offsetNs = CLUSTER_EPOCH_SECONDS * 1e9 + skewNs;
  }

  /** Since 1970. */
  get nowNs(): number {
    return Math.round(this.#engine.nowNs * this.#rate) + this.#offsetNs + this.#slewed();
  }

  set nowNs(now: number) {
    this.#slewNs = 0;
    this.#offsetNs += now - this.nowNs;
  }

  /** Begins a correction; what is left of the one before is dropped. */
  slew(ns: number): void {
    this.#offsetNs += this.#slewed();
    this.#slewNs = ns;
    this.#slewFromNs = this.#engine.nowNs;
  }

  #slewed(): number {
    const done = Math.round((this.#engine.nowNs - this.#slewFromNs) / slewPerSecond);
    return this.#slewNs < 0 ? Math.max(this.#slewNs, -done) : Math.min(this.#slewNs, done);
  }
}
