/** A memory for tests of one board: page frames that are counted and hold nothing; a holder of some of them, and its claims. */
import { Engine, type Task } from '@backplane/engine';
import type { FrameHolder, Memory, MemoryPolicy, PageFrame } from '../memory.ts';

export class Frames implements Memory {
  readonly frameBytes: number;
  readonly frameCount: number;
  readonly #free: number[];
  readonly #owners = new Map<PageFrame, string>();

  constructor(frameCount: number, frameBytes = 4096) {
    this.frameBytes = frameBytes;
    this.frameCount = frameCount;
    this.#free = Array.from({ length: frameCount }, (_, i) => i);
  }

  get freeCount(): number {
    return this.#free.length;
  }

  allocate(owner: string): PageFrame | undefined {
    const number = this.#free.pop();
    if (number === undefined) return undefined;
    const frame = { number, bytes: new Uint8Array(0) };
    this.#owners.set(frame, owner);
    return frame;
  }

  release(frame: PageFrame): void {
    if (!this.#owners.delete(frame)) throw new Error('released twice');
    this.#free.push(frame.number);
  }

  occupiedBy(owner: string): number {
    return [...this.#owners.values()].filter((o) => o === owner).length;
  }
}

/** A holder with pages of given ages, oldest first. */
export function holder(
  name: string,
  memory: Memory,
  usesNs: readonly number[],
): FrameHolder & { readonly given: number } {
  const pages = usesNs.map((usedNs) => ({ usedNs, frame: memory.allocate(name) }));
  let given = 0;
  return {
    name,
    get given() {
      return given;
    },
    frames: () => pages.length,
    oldestUseNs: () => pages[0]?.usedNs ?? 'never',
    *giveUp() {
      const page = pages.shift();
      if (page?.frame === undefined) return false;
      memory.release(page.frame);
      given++;
      return true;
    },
  };
}

/** Claims one frame; true if it got one. */
export function claims(policy: MemoryPolicy, by: FrameHolder): boolean {
  const engine = new Engine({ seed: 1 });
  let got = false;
  engine.root.spawn(
    'claim',
    (function* (): Task<void> {
      got = (yield* policy.claim(by)) !== undefined;
    })(),
  );
  engine.run();
  return got;
}
