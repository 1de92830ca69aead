/** Seeded numbers for tests: a failing test prints the seed, and the seed replays it. */
export class Seeded {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  }

  /** [0, 1) */
  unit(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) / 4294967296;
  }

  /** 0 .. n - 1 */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

/** Runs a test for seeds 0 .. count - 1. */
export function forSeeds(count: number, test: (random: Seeded, seed: number) => void): void {
  for (let seed = 0; seed < count; seed++) {
    try {
      test(new Seeded(seed), seed);
    } catch (e) {
      throw new Error(`seed ${seed}: ${e instanceof Error ? e.message : e}`, { cause: e });
    }
  }
}
