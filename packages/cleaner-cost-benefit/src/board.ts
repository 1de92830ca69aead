/**
 * The board for slot `cleaner` that weighs what a segment gives against what it costs (Rosenblum and Ousterhout 1991,
 * section 3.6). A segment of which the share u is live is read whole and u of it is written again; what is won stays free for
 * about as long as nothing has happened to the segment:
 *
 *   benefit   free space * age   (1 - u) * age
 *   ------- = ---------------- = -------------
 *    cost          cost              1 + u
 *
 * Cold segments are thus cleaned when they are fuller than hot ones, whose blocks die soon anyhow. Live blocks are sorted by
 * the age of their data, the oldest first, so that cold ones come to lie together; those of one file stay in its order.
 *
 * The paper says that a segment is as old as the youngest block in it. Which age a block has that the cleaner has moved it
 * leaves open, and much depends on it:
 *
 *   since it was written   the segment's age begins with its own writing. What has just been packed together is left alone
 *                          until enough of it has died again
 *   since its data changed a segment of cold blocks is old as soon as it is written, and is cleaned again when a few of them
 *                          have died: mostly it is copied
 *
 * The first cleans for less, and its segments are cleaned as full as those in the paper's figures; Sprite's own code took the
 * second.
 */
import {
  type CleaningPolicy,
  type Component,
  defineComponent,
  type LiveBlock,
  type SegmentState,
} from '@backplane/slots';
import { z } from 'zod';
import { version } from './version.ts';

const options = z.strictObject({
  liveShareMax: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.95)
    .describe('a segment of which a larger share is live is left alone: moving it makes no room'),
  age: z
    .enum(['written', 'changed'])
    .default('written')
    .describe(
      'of a segment: since it was written, or since a program changed what the youngest block in it holds',
    ),
});
export interface CostBenefitOptions {
  readonly liveShareMax?: number;
  readonly age?: 'written' | 'changed';
}

export const costBenefitCleaner: Component<'cleaner', CostBenefitOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/cleaner-cost-benefit',
  version,
  slot: 'cleaner',
  contract: 1,
  requires: [],
  options,
  create: (_granted, { liveShareMax, age }) => new CostBenefit(liveShareMax, age),
});

/** Sprite's bounds of an age: one minute and two years. */
const secondsMin = 60;
const secondsMax = 2 * 365 * 24 * 3600;

class CostBenefit implements CleaningPolicy {
  readonly #liveShareMax: number;
  readonly #bornNs: (s: SegmentState) => number;

  constructor(liveShareMax: number, age: 'written' | 'changed') {
    this.#liveShareMax = liveShareMax;
    this.#bornNs = age === 'written' ? (s) => s.writtenNs : (s) => s.youngestNs;
  }

  choose(candidates: readonly SegmentState[], nowNs: number): readonly SegmentState[] {
    return candidates
      .filter((s) => s.liveBytes < s.bytes && s.liveBytes <= this.#liveShareMax * s.bytes)
      .map((state) => ({ state, worth: worth(state, nowNs - this.#bornNs(state)) }))
      .sort((a, b) => b.worth - a.worth || a.state.segment - b.state.segment)
      .map(({ state }) => state);
  }

  arrange<B extends LiveBlock>(blocks: readonly B[]): readonly B[] {
    return blocks.toSorted((a, b) => a.modifyNs - b.modifyNs || a.file - b.file || a.block - b.block);
  }
}

/** Whole seconds: the products stay below 2^53, so segments of equal worth get equal numbers. */
function worth({ liveBytes, bytes }: SegmentState, ageNs: number): number {
  const age = Math.min(secondsMax, Math.max(secondsMin, Math.floor(ageNs / 1e9)));
  return ((bytes - liveBytes) * age) / (bytes + liveBytes);
}
