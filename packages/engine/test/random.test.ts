import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Engine } from '../src/index.ts';

const draw = (n: number, stream: { uint32(): number }): number[] =>
  Array.from({ length: n }, () => stream.uint32());

describe('random streams', () => {
  it('are the same for the same seed, purpose and owner, and others otherwise', () => {
    const first = (seed: number, purpose: string, owner?: string): number[] =>
      draw(4, new Engine({ seed }).random(purpose, owner));
    const streams = [
      first(1, 'disk.phase', 'a'),
      first(2, 'disk.phase', 'a'),
      first(1, 'disk.phase', 'b'),
      first(1, 'disk.seek', 'a'),
      first(1, 'disk.phase'),
      first(1, 'disk.phasea', ''),
      first(1, 'disk.phas', 'ea'),
    ];
    expect(first(1, 'disk.phase', 'a')).toEqual(streams[0]);
    expect(new Set(streams.map(String)).size).toBe(streams.length);
  });

  it('are pinned: a seed replays for ever', () => {
    expect(draw(4, new Engine({ seed: 42 }).random('ethernet.backoff', 'client'))).toEqual([
      849231634, 3986516884, 3819307224, 3176930391,
    ]);
  });

  it('go on when asked for again, and never shift one another', () => {
    const engine = new Engine({ seed: 7 });
    const a = engine.random('a');
    const first = a.uint32();
    draw(1000, engine.random('b'));
    expect(engine.random('a')).toBe(a);
    expect([first, a.uint32(), a.uint32()]).toEqual(draw(3, new Engine({ seed: 7 }).random('a')));
  });

  it('below(n) is a whole number under n, each as likely as the other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 2 ** 40 }), (seed, n) => {
        const x = new Engine({ seed }).random('x').below(n);
        return Number.isInteger(x) && x >= 0 && x < n;
      }),
    );
    const stream = new Engine().random('x');
    for (const n of [2, 3, 10, 256]) {
      const counts = new Array<number>(n).fill(0);
      const draws = 20_000;
      for (let i = 0; i < draws; i++) {
        const x = stream.below(n);
        counts[x] = (counts[x] ?? 0) + 1;
      }
      const chiSquare = counts.reduce((sum, c) => sum + (c - draws / n) ** 2 / (draws / n), 0);
      expect(chiSquare).toBeLessThan(n + 5 * Math.sqrt(2 * n));
    }
    expect(stream.below(1)).toBe(0);
  });

  it('below(3 * 2^30) has no bias, which a remainder of 32 bits would have', () => {
    const stream = new Engine().random('x');
    let low = 0;
    for (let i = 0; i < 30_000; i++) if (stream.below(3 * 2 ** 30) < 2 ** 30) low++;
    expect(Math.abs(low / 30_000 - 1 / 3)).toBeLessThan(0.012); // the remainder would give 1/2
  });

  it('unit() is in [0, 1) with 53 bits; chance and exponential have their means', () => {
    const stream = new Engine().random('x');
    let [sum, odd, hits, exponential] = [0, 0, 0, 0];
    const draws = 20_000;
    for (let i = 0; i < draws; i++) {
      const u = stream.unit();
      if (!(u >= 0 && u < 1) || !Number.isInteger(u * 2 ** 53)) throw new Error(`${u}`);
      sum += u;
      odd += (u * 2 ** 53) % 2;
      if (stream.chance(0.25)) hits++;
      exponential += stream.exponential(40);
    }
    expect(Math.abs(sum / draws - 0.5)).toBeLessThan(0.01);
    expect(Math.abs(odd / draws - 0.5)).toBeLessThan(0.02);
    expect(Math.abs(hits / draws - 0.25)).toBeLessThan(0.015);
    expect(Math.abs(exponential / draws - 40)).toBeLessThan(1.2);
  });

  it('shuffle keeps what is there, in every order; pick takes each', () => {
    const stream = new Engine().random('x');
    const orders = new Set<string>();
    const picked = new Set<string>();
    for (let i = 0; i < 400; i++) {
      const list = ['a', 'b', 'c', 'd'];
      expect(stream.shuffle(list)).toBe(list);
      orders.add(list.join(''));
      picked.add(stream.pick(list));
    }
    expect([orders.size, [...picked].sort().join('')]).toEqual([24, 'abcd']);
  });
});
