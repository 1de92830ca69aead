/**
 * Slots `memory` (hardware) and `memoryPolicy`: page frames, and who gives up the next one.
 *
 * Holders register with the policy, so the policy needs to know neither the virtual memory nor the cache, and there
 * is no cycle. A unified pool is a policy with one holder.
 */
import type { Task } from '@backplane/engine';
import type { Undo } from './vocabulary.ts';

/**
 * One page frame. Its bytes may be shared by reference with frames on the wire and with disk requests: they are
 * replaced as a whole, never changed once they have been handed out.
 */
export interface PageFrame {
  readonly number: number;
  bytes: Uint8Array;
}

export interface Memory {
  readonly frameBytes: number;
  readonly frameCount: number;
  readonly freeCount: number;
  /** A free frame with scrambled content, or undefined when every frame is occupied. */
  allocate(owner: string): PageFrame | undefined;
  release(frame: PageFrame): void;
  occupiedBy(owner: string): number;
}

export interface FrameHolder {
  readonly name: string;
  /** When the holder's oldest page was last used; `never` if it has none that it could give. */
  oldestUseNs(): number | 'never';
  /** Gives one frame back to `memory`; false if it turned out that it cannot. May block on a write-back. */
  giveUp(): Task<boolean>;
  /** Frames that the holder has now. */
  frames(): number;
}

export interface MemoryPolicy {
  register(holder: FrameHolder): Undo;
  /** A frame that is free at once, and that the policy lets this holder have. */
  tryClaim(by: FrameHolder): PageFrame | undefined;
  /**
   * A frame for this holder, taken from whoever should give one up; undefined when the holder must recycle one of its
   * own, because everybody else's pages are younger.
   */
  claim(by: FrameHolder): Task<PageFrame | undefined>;
  /** Would `claim` say now, without asking anybody, that the holder must recycle one of its own? Left out: ask `claim`. */
  recycles?(by: FrameHolder): boolean;
}
