import { describe, expect, it } from 'vitest';
import { meanAhead } from '../src/mean.ts';

describe('the mean of all clocks', () => {
  it('counts our own', () => {
    expect(meanAhead([300])).toBe(150);
    expect(meanAhead([100, -100])).toBe(0);
    expect(meanAhead([])).toBe(0);
  });

  it('brings clocks that go to it together, whoever goes first', () => {
    let clocks = [0, 900, -400, 250];
    for (let round = 0; round < 12; round++)
      for (const i of clocks.keys()) {
        const own = clocks[i] ?? 0;
        const correction = meanAhead(clocks.filter((_, j) => j !== i).map((c) => c - own));
        clocks = clocks.map((c, j) => (j === i ? c + correction : c));
      }
    expect(Math.max(...clocks) - Math.min(...clocks)).toBeLessThan(5);
  });
});
