import { describe, expect, it } from 'vitest';
import { wellKnown } from '../src/index.ts';

describe('well-known groups', () => {
  it('have a number each, from 1 to 127: those from 128 on are of shared directories', () => {
    const numbers = Object.values(wellKnown);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const n of numbers) expect(n > 0 && n < 128).toBe(true);
  });
});
