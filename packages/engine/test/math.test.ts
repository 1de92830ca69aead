import { describe, expect, it } from 'vitest';
import { exp, ln, pow } from '../src/index.ts';
import { Seeded } from './seeded.ts';

const bits = new DataView(new ArrayBuffer(8));
const asInteger = (x: number): bigint => {
  bits.setFloat64(0, x);
  const raw = bits.getBigInt64(0);
  return raw < 0n ? -(raw & 0x7fff_ffff_ffff_ffffn) : raw;
};

/** Representable numbers from one to the other. */
function ulpsBetween(a: number, b: number): number {
  if (Object.is(a, b)) return 0;
  if (Number.isNaN(a) || Number.isNaN(b)) return Infinity;
  const d = asInteger(a) - asInteger(b);
  return Number(d < 0n ? -d : d);
}

/** The largest distance over many samples. */
function worst(samples: number, sample: (random: Seeded) => [number, number]): number {
  const random = new Seeded(1);
  let most = 0;
  for (let i = 0; i < samples; i++) most = Math.max(most, ulpsBetween(...sample(random)));
  return most;
}

const special = [
  0,
  -0,
  1,
  -1,
  2,
  -2,
  0.5,
  -0.5,
  3,
  -3,
  1e308,
  5e-324,
  1e-310,
  Infinity,
  -Infinity,
  Number.NaN,
];

describe('exact mathematics', () => {
  it('ln is within 2 units of the last place of Math.log, near 1 and far from it', () => {
    const far = worst(50_000, (random) => {
      const x = Math.exp((random.unit() - 0.5) * 1480);
      return [ln(x), Math.log(x)];
    });
    const near = worst(50_000, (random) => {
      const x = 0.5 + random.unit();
      return [ln(x), Math.log(x)];
    });
    expect(far).toBeLessThanOrEqual(2);
    expect(near).toBeLessThanOrEqual(2);
    for (const x of special) expect(ulpsBetween(ln(x), Math.log(x))).toBeLessThanOrEqual(1);
  });

  it('exp is within 2 units of the last place of Math.exp, over all its range', () => {
    for (const span of [2, 100, 1490]) {
      const most = worst(30_000, (random) => {
        const x = (random.unit() - 0.5) * span;
        return [exp(x), Math.exp(x)];
      });
      expect(most).toBeLessThanOrEqual(2);
    }
    for (const x of [...special, 709.782712893384, 709.7827128933841, -745.13, -745.14]) {
      expect(ulpsBetween(exp(x), Math.exp(x))).toBeLessThanOrEqual(1);
    }
  });

  it('pow is within 2 units of the last place of Math.pow, for all sizes of base and exponent', () => {
    for (const [base, exponent] of [
      [1, 1400],
      [100, 14],
      [1400, 1],
    ] as const) {
      const most = worst(30_000, (random) => {
        const x = Math.exp((random.unit() - 0.5) * base);
        const y = (random.unit() - 0.5) * exponent;
        return [pow(x, y), x ** y];
      });
      expect(most).toBeLessThanOrEqual(2);
    }
  });

  it('pow agrees with the language in every special case', () => {
    const cases = [...special, 1023, -1074, 2.5, 2 ** 53, 2 ** 60];
    const wrong = cases.flatMap((x) =>
      cases.filter((y) => !(ulpsBetween(pow(x, y), x ** y) <= 1)).map((y) => `${x} to ${y}`),
    );
    expect(wrong).toEqual([]);
  });

  it('pow of whole numbers is exact where the result is a whole number below 2^53', () => {
    const wrong: string[] = [];
    for (let x = 2; x < 100; x++) {
      for (let y = 0; BigInt(x) ** BigInt(y) <= 2n ** 53n; y++) {
        if (pow(x, y) !== Number(BigInt(x) ** BigInt(y))) wrong.push(`${x} to ${y}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('has the same bits everywhere', () => {
    const sum = (f: (x: number) => number): string => {
      let folded = 0n;
      for (let i = 1; i <= 1000; i++)
        folded = (folded * 31n + asInteger(f(i * 0.37))) & 0xffff_ffff_ffff_ffffn;
      return folded.toString(16);
    };
    expect([sum(ln), sum(exp), sum((x) => pow(x, 1 - x / 100))]).toEqual([
      '41cfa19bfe2e0c77',
      'f68d2033382e6e24',
      '95a15ed783ef3055',
    ]);
  });
});
