import { describe, expect, it } from 'vitest';
import { callbacks, mm1, w1, w2, Xorshift } from '../src/index.ts';

describe('the random numbers of the benchmark workloads', () => {
  it('are xorshift on 32 bits, seeded by the participant’s number', () => {
    const step = (x: number): number => {
      let y = x ^ (x << 13);
      y ^= y >>> 17;
      return y ^ (y << 5);
    };
    const seed = ((3 * 2654435761 + 12345) % 4294967296) | 1;
    const random = new Xorshift(3);
    expect([random.next(), random.next()]).toEqual([step(seed) >>> 0, step(step(seed)) >>> 0]);
  });

  it('have exponential times of the given mean', () => {
    const random = new Xorshift(1);
    let sum = 0;
    for (let i = 0; i < 20_000; i++) sum += random.exponential(100);
    expect(sum / 20_000).toBeGreaterThan(97);
    expect(sum / 20_000).toBeLessThan(103);
  });
});

describe('the workloads that other simulators run too', () => {
  it('give the published check values', () => {
    expect(w1({ processes: 1000, sleeps: 20 }).check).toBe('14595781 1358911002');
    expect(w1({ processes: 1000, sleeps: 20 }, 5).check).toBe('14595781 1358911002');
    expect(callbacks({ processes: 1000, sleeps: 20 }).check).toBe('14595781 1358911002');
    expect(w2({ groups: 100, items: 125 }).check).toBe('87182');
    expect(mm1({ customers: 50_000 }).check).toBe('5.1603');
  });
});
