import type { LiveBlock, SegmentState } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CostBenefitOptions, costBenefitCleaner } from '../src/index.ts';

const policy = (options: CostBenefitOptions = {}) =>
  costBenefitCleaner(options).create({ wrapped: new Map() } as never, testMachine());

const second = 1e9;
const minute = 60 * second;
const day = 24 * 60 * minute;
const bytes = 1 << 20;
const nowNs = 100 * day;

/** A segment of which such a share is live, written so long ago; what is in it had been changed before, or then. */
const segment = (number: number, share: number, ageNs: number, changedAgeNs = ageNs): SegmentState => ({
  segment: number,
  liveBytes: Math.round(share * bytes),
  bytes,
  youngestNs: nowNs - changedAgeNs,
  writtenNs: nowNs - ageNs,
});
const chosen = (segments: readonly SegmentState[], options?: CostBenefitOptions): readonly number[] =>
  policy(options)
    .choose(segments, nowNs)
    .map((s) => s.segment);

describe('which segments a cost-benefit cleaner takes', () => {
  it('takes a cold one before a hot one that is emptier', () => {
    // (1 - 0.75) / (1 + 0.75) * 3 h = 1543 s; (1 - 0.25) / (1 + 0.25) * 30 min = 1080 s.
    expect(chosen([segment(1, 0.25, 30 * minute), segment(2, 0.75, 180 * minute)])).toEqual([2, 1]);
    // 1543 s against (1 - 0.25) / (1 + 0.25) * 60 min = 2160 s.
    expect(chosen([segment(1, 0.25, 60 * minute), segment(2, 0.75, 180 * minute)])).toEqual([1, 2]);
  });

  it('counts the age of a segment from its writing, or from the last change of what is in it', () => {
    // Cold blocks that have just been moved together, and one that has died since.
    const segments = [segment(1, 0.9, minute, 50 * day), segment(2, 0.5, 10 * minute)];
    expect(chosen(segments)).toEqual([2, 1]);
    expect(chosen(segments, { age: 'written' })).toEqual([2, 1]);
    expect(chosen(segments, { age: 'changed' })).toEqual([1, 2]);
  });

  it('takes the emptiest first where all are as old', () => {
    expect(chosen([segment(1, 0.5, day), segment(2, 0.1, day), segment(3, 0.3, day)])).toEqual([2, 3, 1]);
  });

  it('takes the oldest first where all are as full', () => {
    expect(chosen([segment(1, 0.5, day), segment(2, 0.5, 3 * day), segment(3, 0.5, 2 * day)])).toEqual([
      2, 3, 1,
    ]);
  });

  it('counts no age below a minute, nor one that lies ahead, and none above two years', () => {
    expect(chosen([segment(2, 0.5, minute), segment(1, 0.5, second), segment(3, 0.5, -day)])).toEqual([
      1, 2, 3,
    ]);
    expect(chosen([segment(2, 0.5, 3 * 365 * day), segment(1, 0.5, 2 * 365 * day)])).toEqual([1, 2]);
    expect(chosen([segment(1, 0.5, 729 * day), segment(2, 0.5, 2 * 365 * day)])).toEqual([2, 1]);
  });

  it('sees that two are worth the same, by fractions that no float has: the lower number goes first', () => {
    // (1 - 1/2) / (1 + 1/2) * 300 s = (1 - 2/3) / (1 + 2/3) * 500 s = 100 s.
    const half = { ...segment(8, 0.5, 300 * second), liveBytes: 3, bytes: 6 };
    const thirds = { ...segment(7, 0.5, 500 * second), liveBytes: 4, bytes: 6 };
    expect(chosen([half, thirds])).toEqual([7, 8]);
    expect(chosen([{ ...half, segment: 6 }, thirds])).toEqual([6, 7]);
  });

  it('leaves alone what is fuller than it was told', () => {
    const segments = [segment(1, 0.5, day), segment(2, 0.51, day), segment(3, 0.96, day), segment(4, 1, day)];
    expect(chosen(segments)).toEqual([1, 2]);
    expect(chosen(segments, { liveShareMax: 0.5 })).toEqual([1]);
    expect(chosen(segments, { liveShareMax: 1 })).toEqual([1, 2, 3]);
  });

  it('orders any segments as exact arithmetic does', () => {
    const segments = fc.uniqueArray(
      fc.record({
        segment: fc.nat(200),
        liveBytes: fc.integer({ min: 1, max: 40 }).map((n) => n * 512),
        bytes: fc.constant(40 * 512),
        youngestNs: fc.nat(3000).map((s) => nowNs - s * 7 * second),
        writtenNs: fc.nat(3000).map((s) => nowNs - s * 7 * second),
      }),
      { selector: (s) => s.segment, maxLength: 30 },
    );
    /** Of (1 - u) * age / (1 + u): numerator and denominator. */
    const worth = (s: SegmentState): readonly [bigint, bigint] => {
      const age = BigInt(Math.max(60, (nowNs - s.writtenNs) / second));
      return [BigInt(s.bytes - s.liveBytes) * age, BigInt(s.bytes + s.liveBytes)];
    };
    fc.assert(
      fc.property(segments, (offered) => {
        const taken = policy({ liveShareMax: 1 }).choose(offered, nowNs);
        expect(taken).toHaveLength(offered.filter((s) => s.liveBytes < s.bytes).length);
        for (const [i, s] of taken.entries()) {
          const next = taken[i + 1];
          if (next === undefined) continue;
          const [[a, b], [c, d]] = [worth(s), worth(next)];
          expect(a * d > c * b || (a * d === c * b && s.segment < next.segment)).toBe(true);
        }
      }),
    );
  });
});

describe('how a cost-benefit cleaner arranges live blocks', () => {
  const block = (file: number, number: number, modifyNs: number): LiveBlock => ({
    file,
    block: number,
    bytes: 4096,
    modifyNs,
  });

  it('puts the oldest first', () => {
    const [a, b, c] = [block(1, 0, 30), block(2, 0, 10), block(3, 0, 20)];
    expect(policy().arrange([a, b, c])).toEqual([b, c, a]);
  });

  it('puts the blocks of one file together, in its order', () => {
    const blocks = [block(2, 1, 9), block(1, 1, 9), block(2, 0, 9), block(1, 0, 9), block(1, -1, 9)];
    expect(
      policy()
        .arrange(blocks)
        .map((b) => `${b.file}.${b.block}`),
    ).toEqual(['1.-1', '1.0', '1.1', '2.0', '2.1']);
  });

  it('keeps the order of the log among what is alike', () => {
    const alike = Array.from({ length: 20 }, () => block(0, -1, 5));
    for (const [i, b] of policy().arrange(alike).entries()) expect(b).toBe(alike[i]);
  });
});
