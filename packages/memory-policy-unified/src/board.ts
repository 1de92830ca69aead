/**
 * The board for slot `memoryPolicy` with one pool: the page that nobody has used for the longest time goes, whoever holds it.
 * Nobody has a share, a minimum or an advantage; V has it so, where physical memory is one cache of pages of open objects
 * (Cheriton 1988), and where virtual memory and files have one holder there is nothing left to decide.
 */
import type { Task } from '@backplane/engine';
import {
  type Component,
  defineComponent,
  type FrameHolder,
  type Memory,
  type MemoryPolicy,
  type PageFrame,
  type Undo,
} from '@backplane/slots';
import { version } from './version.ts';

export const unifiedMemory: Component<'memoryPolicy'> = /* @__PURE__ */ defineComponent({
  name: '@backplane/memory-policy-unified',
  version,
  slot: 'memoryPolicy',
  contract: 1,
  requires: ['memory'],
  create: ({ memory }, _options, machine) => {
    const pool = new OnePool(memory);
    machine.metrics.register('memory.framesTraded', () => pool.traded);
    return pool;
  },
});

const nobody: ReadonlySet<FrameHolder> = /* @__PURE__ */ new Set();

interface Registered {
  readonly holder: FrameHolder;
}

class OnePool implements MemoryPolicy {
  readonly #memory: Memory;
  /** The same holder may be registered twice: each is taken back by itself. */
  readonly #holders = new Set<Registered>();
  /** Frames that one holder gave up for another. */
  traded = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  register(holder: FrameHolder): Undo {
    const registered = { holder };
    this.#holders.add(registered);
    return () => void this.#holders.delete(registered);
  }

  tryClaim(by: FrameHolder): PageFrame | undefined {
    return this.#memory.allocate(by.name);
  }

  *claim(by: FrameHolder): Task<PageFrame | undefined> {
    /** Holders whose oldest page turned out to be one that cannot go. */
    const unable = new Set<FrameHolder>();
    for (;;) {
      const free = this.#memory.allocate(by.name);
      if (free !== undefined) return free;
      const giver = this.#oldest(by, unable);
      if (giver === undefined || giver === by) return undefined;
      if (yield* giver.giveUp()) this.traded++;
      else unable.add(giver);
    }
  }

  recycles(by: FrameHolder): boolean {
    if (this.#memory.freeCount > 0) return false;
    const giver = this.#oldest(by, nobody);
    return giver === undefined || giver === by;
  }

  /** Whose oldest page is the oldest; among equals who asks, so that nothing is traded for nothing. */
  #oldest(by: FrameHolder, unable: ReadonlySet<FrameHolder>): FrameHolder | undefined {
    let oldest: FrameHolder | undefined;
    let oldestNs = Number.POSITIVE_INFINITY;
    for (const holder of [by, ...[...this.#holders].map((r) => r.holder)]) {
      const usedNs = unable.has(holder) ? 'never' : holder.oldestUseNs();
      if (usedNs === 'never' || usedNs >= oldestNs) continue;
      oldest = holder;
      oldestNs = usedNs;
    }
    return oldest;
  }
}
