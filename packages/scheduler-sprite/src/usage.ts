/**
 * Who has computed how much of late: Sprite's measure of who runs next (Ousterhout et al. 1988; `src/kernel/sched`).
 *
 * Usage grows with each nanosecond executed and is multiplied by 14/16 once a second, so that it halves in about five.
 * The priority scales it: a billing rate of +1 counts half, -1 twice; at +2 nothing is counted.
 */
const decayPerSecond = 14 / 16;
const noUsage = 2;
const billing = [4, 2, 1, 0.5];

export class Usage {
  /** -2 .. 2. */
  priority = 0;
  /** Suspensions up to the last dispatch: a further one costs a context switch. */
  blocks = 0;
  #usedNs = 0;
  #second = 0;

  add(ns: number, nowNs: number): void {
    this.#decay(nowNs);
    if (this.priority < noUsage) this.#usedNs += ns;
  }

  /** Smaller runs first. */
  weighted(nowNs: number): number {
    this.#decay(nowNs);
    return this.priority >= noUsage ? -1 : this.#usedNs * (billing[this.priority + 2] ?? 1);
  }

  #decay(nowNs: number): void {
    const second = Math.floor(nowNs / 1e9);
    // After a minute nothing worth counting is left, however long the thread slept.
    if (second - this.#second > 60) this.#usedNs = 0;
    else for (; this.#second < second; this.#second++) this.#usedNs *= decayPerSecond;
    this.#second = second;
  }
}
