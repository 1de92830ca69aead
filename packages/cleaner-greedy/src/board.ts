/**
 * The board for slot `cleaner` that takes the emptiest segments first: whatever is moved now, it is the least. Live blocks
 * keep their order in the log. The first policy of Rosenblum and Ousterhout (1991, section 3.5), and the one that theirs beats.
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
});
export interface GreedyOptions {
  readonly liveShareMax?: number;
}

export const greedyCleaner: Component<'cleaner', GreedyOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/cleaner-greedy',
  version,
  slot: 'cleaner',
  contract: 1,
  requires: [],
  options,
  create: (_granted, { liveShareMax }) => new Greedy(liveShareMax),
});

class Greedy implements CleaningPolicy {
  readonly #liveShareMax: number;

  constructor(liveShareMax: number) {
    this.#liveShareMax = liveShareMax;
  }

  choose(candidates: readonly SegmentState[]): readonly SegmentState[] {
    return candidates
      .filter((s) => s.liveBytes < s.bytes && s.liveBytes <= this.#liveShareMax * s.bytes)
      .sort((a, b) => a.liveBytes - b.liveBytes || a.segment - b.segment);
  }

  arrange<B extends LiveBlock>(blocks: readonly B[]): readonly B[] {
    return blocks;
  }
}
