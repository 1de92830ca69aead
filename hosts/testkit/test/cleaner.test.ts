import { costBenefitCleaner } from '@backplane/cleaner-cost-benefit';
import type { CleaningPolicy, LiveBlock, SegmentState } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { conformsToCleaner } from '../src/index.ts';
import { type Change, defective, failedBy } from './defective.ts';

const cleaner = (change: Change<CleaningPolicy>, names = /./): readonly string[] =>
  failedBy(conformsToCleaner({ cleaner: defective(costBenefitCleaner(), change), courses: 20 }), names);

let turn = 0;
const defects: readonly (readonly [string, Change<CleaningPolicy>, RegExp])[] = [
  [
    'chooses a segment twice',
    (p) => ({
      choose: (offered: readonly SegmentState[], nowNs: number) => {
        const chosen = p.choose(offered, nowNs);
        return [...chosen, ...chosen.slice(0, 1)];
      },
    }),
    /^what is chosen was offered/,
  ],
  [
    'chooses what is full',
    () => ({ choose: (offered: readonly SegmentState[]) => offered }),
    /^a segment in which everything is live/,
  ],
  [
    'takes segments as they come',
    () => ({
      choose: (offered: readonly SegmentState[]) => offered.filter((s) => s.liveBytes < s.bytes),
    }),
    /^the choice does not depend/,
  ],
  [
    'takes the higher number first',
    (p) => ({
      choose: (offered: readonly SegmentState[], nowNs: number) => p.choose(offered, nowNs).toReversed(),
    }),
    /^segments that are alike/,
  ],
  [
    'loses a block',
    (p) => ({ arrange: <B extends LiveBlock>(blocks: readonly B[]) => p.arrange(blocks).slice(1) }),
    /^blocks are arranged/,
  ],
  [
    'arranges otherwise each time',
    (p) => ({
      arrange: <B extends LiveBlock>(blocks: readonly B[]) =>
        turn++ % 2 === 0 ? p.arrange(blocks) : p.arrange(blocks).toReversed(),
    }),
    /^a policy remembers nothing/,
  ],
];

describe('the kit of the slot cleaner', () => {
  it('finds nothing wrong with a policy that is passed on unchanged', () => {
    expect(cleaner(() => ({}))).toEqual([]);
  });

  for (const [what, change, names] of defects)
    it(`refuses one that ${what}`, () => {
      expect(cleaner(change, names)).toHaveLength(1);
    });
});
