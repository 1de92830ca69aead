import type { SegmentState } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GreedyOptions, greedyCleaner } from '../src/index.ts';

const policy = (options: GreedyOptions = {}) =>
  greedyCleaner(options).create({ wrapped: new Map() } as never, testMachine());
const segment = (number: number, liveBytes: number, atNs = 0): SegmentState => ({
  segment: number,
  liveBytes,
  bytes: 1000,
  youngestNs: atNs,
  writtenNs: atNs,
});
const chosen = (segments: readonly SegmentState[], options?: GreedyOptions): readonly number[] =>
  policy(options)
    .choose(segments, 1e15)
    .map((s) => s.segment);

describe('a greedy cleaner', () => {
  it('takes the emptiest first, whatever their age', () => {
    expect(chosen([segment(1, 500, 0), segment(2, 100, 9e14), segment(3, 300, 5e14)])).toEqual([2, 3, 1]);
  });

  it('takes the lower number where two are as empty', () => {
    expect(chosen([segment(9, 100), segment(2, 100), segment(5, 100)])).toEqual([2, 5, 9]);
  });

  it('leaves alone what is fuller than it was told', () => {
    const segments = [segment(1, 500), segment(2, 501), segment(3, 950), segment(4, 951), segment(5, 1000)];
    expect(chosen(segments)).toEqual([1, 2, 3]);
    expect(chosen(segments, { liveShareMax: 0.5 })).toEqual([1]);
    expect(chosen(segments, { liveShareMax: 1 })).toEqual([1, 2, 3, 4]);
  });

  it('leaves blocks in the order of the log', () => {
    const blocks = [5, 3, 4].map((modifyNs) => ({ file: 1, block: modifyNs, bytes: 512, modifyNs }));
    expect(policy().arrange(blocks)).toEqual(blocks);
  });

  it('never leaves a segment out, or behind, that is emptier than one it takes', () => {
    const segments = fc.uniqueArray(
      fc.record({
        segment: fc.nat(200),
        liveBytes: fc.integer({ min: 1, max: 1000 }),
        bytes: fc.constant(1000),
        youngestNs: fc.nat(),
        writtenNs: fc.nat(),
      }),
      { selector: (s) => s.segment },
    );
    fc.assert(
      fc.property(segments, (offered) => {
        const taken = policy().choose(offered, 1e15);
        const key = (s: SegmentState): number => s.liveBytes * 1000 + s.segment;
        for (const [i, s] of taken.entries()) {
          const next = taken[i + 1];
          if (next !== undefined) expect(key(s)).toBeLessThan(key(next));
        }
        const fullest = taken.at(-1)?.liveBytes ?? 0;
        for (const s of offered) if (s.liveBytes < fullest) expect(taken).toContain(s);
      }),
    );
  });
});
