import { describe, expect, it } from 'vitest';
import { coverAll, firstBelow, holds, sharersGroup } from '../src/share.ts';

describe('a range of a shared directory', () => {
  it('is decided by the first component below the prefix', () => {
    expect(['/home', '/home/ann', '/home/ann/x'].map((p) => firstBelow('/home', p))).toEqual([
      '',
      'ann',
      'ann',
    ]);
    expect(firstBelow('/', '/ann/x')).toBe('ann');
  });

  it('begins with its first name, and ends before the first of the next', () => {
    const middle = { from: 'h', below: 'p' };
    expect(['g', 'h', 'hz', 'oz', 'p', 'é'].map((n) => holds(middle, n))).toEqual([
      ...[false, true, true, true],
      ...[false, false],
    ]);
    expect(['a', 'é', '\u{1f600}'].map((n) => holds({ from: 'b', below: '' }, n))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('covers all names together with others that leave no gap, in whatever order they come', () => {
    const whole = ['', 'h', 'p', ''];
    const share = (i: number) => ({ from: whole[i] ?? '', below: whole[i + 1] ?? '' });
    expect(coverAll([share(2), share(0), share(1)])).toBe(true);
    expect(coverAll([{ from: '', below: 'q' }, share(1), share(2)])).toBe(true);
    for (const missing of [0, 1, 2])
      expect(coverAll([0, 1, 2].filter((i) => i !== missing).map(share))).toBe(false);
    expect([coverAll([]), coverAll([{ from: '', below: '' }])]).toEqual([false, true]);
  });

  it('leaves the directory itself, and what is above it, to everybody', () => {
    expect(['', '..'].map((n) => holds({ from: 'h', below: 'p' }, n))).toEqual([true, true]);
  });

  it('has a group of its number from 128 to 255, the same wherever it is worked out', () => {
    for (const prefix of ['/home', '/usr', '/ä', '/x/y/z']) {
      const group = sharersGroup(prefix);
      expect(group).toBeGreaterThanOrEqual(128);
      expect(group).toBeLessThan(256);
      expect(sharersGroup(prefix)).toBe(group);
    }
    expect(sharersGroup('/home')).not.toBe(sharersGroup('/usr'));
  });
});
