import { describe, expect, it } from 'vitest';
import { mm1 } from '../bench/mm1.ts';
import { callbacks, w1 } from '../bench/w1.ts';
import { w2 } from '../bench/w2.ts';

/** Values that other simulators give for the same workloads. */
describe('the workloads of the benchmarks give the values that every engine with first-in-first-out ties gives', () => {
  it.each([
    [100, '65018688 1738587710'],
    [20, '14595781 1358911002'],
  ])('w1, %d sleeps: as threads, five calls deep, and as timers', (sleeps, check) => {
    const size = { processes: 1000, sleeps };
    expect([w1(size), w1(size, 5), callbacks(size)].map((o) => o.check)).toEqual([check, check, check]);
  });

  it('w2: monitors', () => {
    expect(w2({ groups: 100, items: 125 })).toEqual({ units: 50_000, check: '87182' });
  });

  it('mm1: a queue with one server', () => {
    expect(mm1({ customers: 50_000 })).toEqual({ units: 50_000, check: '5.1603' });
  });
});
