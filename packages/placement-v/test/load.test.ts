import { entityId } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { isBetter, type Load } from '../src/load.ts';

const load = (runnable: number, freeBytes: number): Load => ({
  manager: entityId('0000000000000001'),
  runnable,
  programs: 0,
  freeBytes,
});

describe('the better host', () => {
  it('is the one with fewer who want a processor, whatever its memory', () => {
    expect(isBetter(load(0, 10), load(1, 1000))).toBe(true);
    expect(isBetter(load(2, 1000), load(1, 10))).toBe(false);
  });

  it('is the one with more memory among equals, and nobody is better than himself', () => {
    expect(isBetter(load(1, 20), load(1, 10))).toBe(true);
    expect(isBetter(load(1, 10), load(1, 10))).toBe(false);
  });
});
