/**
 * Random numbers: an independent stream for each named purpose and owner.
 *
 * Derivation: the 128-bit state of a xoroshiro128+ generator (Blackman and Vigna 2018; pure-rand's) is the first 16
 * bytes, as four big-endian 32-bit words, of SHA-256 over the UTF-8 text JSON.stringify([seed, purpose, owner]). So a
 * stream depends on nothing but those three: a board that draws more, or one that is swapped, shifts no other stream,
 * and two runs that differ in one board share all other numbers (common random numbers).
 *
 * The low bits of xoroshiro128+ are its weak ones; every method but `uint32` draws from the high bits.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { badArgument } from './errors.ts';
import { ln } from './math.ts';

export interface RandomStream {
  /** 0 .. 2^32 - 1. */
  uint32(): number;
  /** Whole number 0 .. n - 1, each equally likely; n from 1 to 2^53. @throws EngineError BAD_ARGUMENT */
  below(n: number): number;
  /** [0, 1) in steps of 2^-53. */
  unit(): number;
  /** True with probability p. */
  chance(p: number): boolean;
  /** Exponentially distributed with that mean; not rounded. */
  exponential(mean: number): number;
  /** Shuffles in place (Fisher and Yates); returns the same array. */
  shuffle<T>(a: T[]): T[];
  /** An element, each equally likely. @throws EngineError BAD_ARGUMENT when there is none */
  pick<T>(a: readonly T[]): T;
}

const POW32 = 4294967296;
const POW53 = 9007199254740992;

class Stream implements RandomStream {
  private readonly generator: RandomGenerator;

  constructor(state: readonly number[]) {
    this.generator = xoroshiro128plusFromState(state);
  }

  uint32(): number {
    return this.generator.next() >>> 0;
  }

  below(n: number): number {
    if (!(n >= 1 && n <= POW53 && Math.floor(n) === n))
      throw badArgument('below(n)', 'a whole number from 1 to 2^53', n);
    // Equal shares of the range, the rest of it drawn again.
    const wide = n > POW32;
    const share = Math.floor((wide ? POW53 : POW32) / n);
    for (;;) {
      const x = wide ? this.bits53() : this.uint32();
      const i = Math.floor(x / share);
      if (i < n) return i;
    }
  }

  unit(): number {
    return this.bits53() / POW53;
  }

  chance(p: number): boolean {
    return this.unit() < p;
  }

  exponential(mean: number): number {
    return 0 - ln(1 - this.unit()) * mean; // never -0
  }

  shuffle<T>(a: T[]): T[] {
    for (let i = a.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const x = a[i] as T; // boundary: both in range
      a[i] = a[j] as T;
      a[j] = x;
    }
    return a;
  }

  pick<T>(a: readonly T[]): T {
    if (a.length === 0) throw badArgument('pick(list)', 'a list that is not empty', 0);
    return a[this.below(a.length)] as T; // boundary: in range
  }

  private bits53(): number {
    const high = this.uint32() >>> 5;
    return high * 67108864 + (this.uint32() >>> 6);
  }
}

/** The streams of one seed, made when first asked for. */
export class Streams {
  private readonly seed: number;
  private readonly made: Map<string, RandomStream> = new Map();

  constructor(seed: number) {
    this.seed = seed;
  }

  get(purpose: string, owner: string): RandomStream {
    const key = JSON.stringify([this.seed, purpose, owner]);
    let stream = this.made.get(key);
    if (stream === undefined) {
      const digest = sha256(utf8ToBytes(key));
      const words = new DataView(digest.buffer, digest.byteOffset);
      stream = new Stream([0, 4, 8, 12].map((offset) => words.getInt32(offset)));
      this.made.set(key, stream);
    }
    return stream;
  }
}
