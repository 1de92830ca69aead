/**
 * The board for slot `memoryPolicy`: Sprite's negotiation (Nelson 1988, chapter 6; Nelson and Ousterhout 1988).
 *
 * Whoever needs a page frame takes a free one. When there is none, the holders' oldest pages are compared, and the holder
 * of the older one gives it up; if that is who asks, it recycles its own. Virtual memory is favoured in two ways: it never
 * goes below its minimum, and its pages count as used later than they were, by a penalty that grows with the file cache.
 */
import { seconds, type Task } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type FrameHolder,
  type Memory,
  type MemoryPolicy,
  type PageFrame,
  type Undo,
} from '@backplane/slots';
import { z } from 'zod';
import { version } from './version.ts';

const options = z.strictObject({
  penaltySeconds: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'seconds by which virtual memory’s pages count as younger, for each tenth of memory that files have',
    ),
  minimumShare: z
    .number()
    .min(0)
    .max(1)
    .default(1 / 16)
    .describe('share of the page frames below which virtual memory gives none up'),
});
export interface NegotiatedMemoryOptions {
  readonly penaltySeconds?: number;
  readonly minimumShare?: number;
}

export const negotiatedMemory: Component<'memoryPolicy', NegotiatedMemoryOptions> =
  /* @__PURE__ */ defineComponent({
    name: '@backplane/memory-policy-negotiated',
    version,
    slot: 'memoryPolicy',
    contract: 1,
    requires: ['memory'],
    options,
    create: ({ memory }, { penaltySeconds, minimumShare }, machine) => {
      const policy = new Negotiation(
        memory,
        seconds(penaltySeconds),
        Math.floor(minimumShare * memory.frameCount),
      );
      machine.metrics.register('memory.framesTraded', () => policy.traded);
      return policy;
    },
  });

/** The name under which virtual memory registers. */
const favoured = 'vm';
const groups = 10;

class Negotiation implements MemoryPolicy {
  readonly #memory: Memory;
  readonly #penaltyNs: number;
  readonly #minimumFrames: number;
  readonly #holders: FrameHolder[] = [];
  /** Frames that one holder gave up for another. */
  traded = 0;

  constructor(memory: Memory, penaltyNs: number, minimumFrames: number) {
    this.#memory = memory;
    this.#penaltyNs = penaltyNs;
    this.#minimumFrames = minimumFrames;
  }

  register(holder: FrameHolder): Undo {
    this.#holders.push(holder);
    let registered = true;
    return () => {
      // The same holder may be registered twice: each is taken back by itself.
      if (registered) this.#holders.splice(this.#holders.indexOf(holder), 1);
      registered = false;
    };
  }

  tryClaim(by: FrameHolder): PageFrame | undefined {
    return this.#memory.allocate(by.name);
  }

  *claim(by: FrameHolder): Task<PageFrame | undefined> {
    for (;;) {
      const free = this.#memory.allocate(by.name);
      if (free !== undefined) return free;
      const giver = this.#oldest(by);
      if (giver === undefined || giver === by) return undefined;
      if (!(yield* giver.giveUp())) return this.#memory.allocate(by.name);
      this.traded++;
    }
  }

  recycles(by: FrameHolder): boolean {
    if (this.#memory.freeCount > 0) return false;
    const giver = this.#oldest(by);
    return giver === undefined || giver === by;
  }

  /** Whose oldest page is the oldest; among equals who asks, so that nothing is traded for nothing. */
  #oldest(by: FrameHolder): FrameHolder | undefined {
    let oldestNs = this.#useNs(by, by);
    let oldest = oldestNs === Number.POSITIVE_INFINITY ? undefined : by;
    for (const holder of this.#holders) {
      const usedNs = holder === by ? Number.POSITIVE_INFINITY : this.#useNs(holder, by);
      if (usedNs >= oldestNs) continue;
      oldest = holder;
      oldestNs = usedNs;
    }
    return oldest;
  }

  /** When the holder's oldest page counts as used. */
  #useNs(holder: FrameHolder, by: FrameHolder): number {
    const use = holder.oldestUseNs();
    if (use === 'never') return Number.POSITIVE_INFINITY;
    if (holder.name !== favoured) return use;
    if (holder !== by && holder.frames() <= this.#minimumFrames) return Number.POSITIVE_INFINITY;
    return use + this.#penaltyNs * this.#fileGroups();
  }

  /** Tenths of memory that others than virtual memory have. */
  #fileGroups(): number {
    let frames = 0;
    for (const h of this.#holders) if (h.name !== favoured) frames += h.frames();
    return Math.floor((frames * groups) / Math.max(1, this.#memory.frameCount));
  }
}
