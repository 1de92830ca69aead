/**
 * Locks of ranges of blocks, by instance. Any number of instances share a block, or one has it alone; who cannot have it is
 * told so and not kept waiting. They bind those who lock, not those who merely read and write.
 */
import type { BlockLockMode, BlockRange } from './operations.ts';

interface Held {
  readonly instance: number;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly mode: 'shared' | 'exclusive';
}

export class BlockLocks {
  readonly #held = new Map<string, readonly Held[]>();

  /** False: somebody else has a block of it. What the instance had of the range is replaced. */
  lock(key: string, instance: number, { block, blocks }: BlockRange, mode: BlockLockMode): boolean {
    const to = blocks === 0 ? Number.POSITIVE_INFINITY : block + blocks;
    const held = this.#held.get(key) ?? [];
    const conflicts = (h: Held): boolean =>
      h.instance !== instance &&
      h.from < to &&
      h.to > block &&
      (mode === 'exclusive' || h.mode === 'exclusive');
    if (mode !== 'none' && held.some(conflicts)) return false;
    const left = held.flatMap((h) => (h.instance === instance ? outside(h, block, to) : [h]));
    if (mode !== 'none') left.push({ instance, from: block, to, mode });
    this.#set(key, left);
    return true;
  }

  /** The instance is gone, and what it had locked is free. */
  drop(key: string, instance: number): void {
    const held = this.#held.get(key);
    if (held !== undefined)
      this.#set(
        key,
        held.filter((h) => h.instance !== instance),
      );
  }

  /** Objects of which something is locked. */
  get size(): number {
    return this.#held.size;
  }

  #set(key: string, held: readonly Held[]): void {
    if (held.length === 0) this.#held.delete(key);
    else this.#held.set(key, held);
  }
}

/** What is left of a range without the middle. */
const outside = (h: Held, from: number, to: number): readonly Held[] =>
  [
    { ...h, to: Math.min(h.to, from) },
    { ...h, from: Math.max(h.from, to) },
  ].filter((part) => part.from < part.to);
