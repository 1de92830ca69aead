/**
 * The random numbers that the benchmark workloads are defined with, on every simulator: xorshift on 32-bit words
 * (Marsaglia 2003), one generator for each participant, seeded by its number.
 */
import { ln } from '@backplane/engine';

export class Xorshift {
  #word: number;

  constructor(participant: number) {
    this.#word = (Math.imul(participant, 2654435761) + 12345) | 1;
  }

  /** 32 bits. */
  next(): number {
    let x = this.#word;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#word = x;
    return x >>> 0;
  }

  exponential(mean: number): number {
    return -ln((this.next() + 0.5) / 4294967296) * mean;
  }
}
