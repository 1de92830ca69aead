import { describe, expect, it } from 'vitest';
import { callbacks, mm1, recordBytes, SharedRecords, w1, w2, Xorshift } from '../src/index.ts';

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

describe('the model of shared records', () => {
  const stamp = (n: number): Uint8Array => {
    const bytes = new Uint8Array(recordBytes);
    for (let at = 0; at < recordBytes; at += 4) new DataView(bytes.buffer).setUint32(at, n);
    return bytes;
  };

  it('takes the newest bytes, and those of a write that overlaps the read', () => {
    const records = new SharedRecords();
    const first = records.begin('f', 0, 10);
    first.endNs = 20;
    const second = records.begin('f', 0, 30);
    records.check('c', 'f', 0, stamp(first.stamp), 25, 35);
    records.check('c', 'f', 0, stamp(second.stamp), 32, 40);
    records.check('c', 'f', 1, stamp(0), 32, 40);
    expect([records.readsChecked, records.violations.length]).toEqual([3, 0]);
  });

  it('finds bytes that were overwritten before the read began, mixtures, and bytes that nobody wrote', () => {
    const records = new SharedRecords();
    records.begin('f', 0, 10).endNs = 20;
    records.begin('f', 0, 30).endNs = 40;
    const torn = stamp(2);
    torn[100] = 7;
    records.check('c', 'f', 0, stamp(1), 50, 60);
    records.check('c', 'f', 0, stamp(0), 50, 60);
    records.check('c', 'f', 0, torn, 50, 60);
    records.check('c', 'f', 0, stamp(99), 50, 60);
    expect(records.violations.map((v) => v.newest)).toEqual([2, 2, 2, 2]);
  });
});
