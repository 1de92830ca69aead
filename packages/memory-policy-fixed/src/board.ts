/**
 * The board for slot `memoryPolicy` that most systems of the time had: the file cache gets a fixed share of memory, and
 * everybody else the rest. Nobody gives anything up; who has his share recycles his own.
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
import { z } from 'zod';
import { version } from './version.ts';

const options = z.strictObject({
  filesShare: z
    .number()
    .min(0.01)
    .max(0.99)
    .default(0.1)
    .describe('share of the page frames that the file cache has; 4.2BSD had a tenth'),
});
export interface FixedMemoryOptions {
  readonly filesShare?: number;
}

export const fixedMemory: Component<'memoryPolicy', FixedMemoryOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/memory-policy-fixed',
  version,
  slot: 'memoryPolicy',
  contract: 1,
  requires: ['memory'],
  options,
  create: ({ memory }, { filesShare }) =>
    new FixedShares(memory, Math.max(1, Math.floor(filesShare * memory.frameCount))),
});

/** The name under which the file cache registers. */
const files = 'files';

class FixedShares implements MemoryPolicy {
  readonly #memory: Memory;
  readonly #filesFrames: number;

  constructor(memory: Memory, filesFrames: number) {
    this.#memory = memory;
    this.#filesFrames = filesFrames;
  }

  register(): Undo {
    return () => {};
  }

  tryClaim(by: FrameHolder): PageFrame | undefined {
    return this.#mayHave(by) ? this.#memory.allocate(by.name) : undefined;
  }

  *claim(by: FrameHolder): Task<PageFrame | undefined> {
    return this.tryClaim(by);
  }

  recycles(by: FrameHolder): boolean {
    return this.#memory.freeCount === 0 || !this.#mayHave(by);
  }

  /** One more frame. */
  #mayHave(by: FrameHolder): boolean {
    const held = this.#memory.occupiedBy(files);
    return by.name === files ? held < this.#filesFrames : this.#memory.freeCount > this.#filesFrames - held;
  }
}
