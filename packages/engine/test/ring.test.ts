import { expect, it } from 'vitest';
import { Ring } from '../src/ring.ts';
import { forSeeds } from './seeded.ts';

it('a ring gives back what went in, in order, whatever the mix of pushes and shifts', () => {
  forSeeds(50, (random) => {
    const ring = new Ring<number>();
    const model: number[] = [];
    const seen: unknown[] = [];
    const expected: unknown[] = [];
    for (let i = 0; i < 400; i++) {
      if (random.unit() < 0.55) {
        ring.push(i);
        model.push(i);
      } else {
        seen.push(ring.shift(), ring.length);
        expected.push(model.shift(), model.length);
      }
    }
    expect(seen).toEqual(expected);
  });
});
