import { Engine } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { BlockLocks } from '../src/block-locks.ts';
import type { BlockLockMode } from '../src/operations.ts';

const range = (block: number, blocks: number) => ({ block, blocks });

describe('locks of blocks', () => {
  it('are shared by several or held by one, range by range', () => {
    const locks = new BlockLocks();
    expect(locks.lock('f', 1, range(0, 10), 'shared')).toBe(true);
    expect(locks.lock('f', 2, range(5, 10), 'shared')).toBe(true);
    expect(locks.lock('f', 3, range(9, 1), 'exclusive')).toBe(false);
    expect(locks.lock('f', 3, range(15, 0), 'exclusive')).toBe(true);
    expect(locks.lock('f', 1, range(1_000_000, 1), 'shared')).toBe(false);
    expect(locks.lock('g', 4, range(0, 0), 'exclusive')).toBe(true);
  });

  it('are given up in part, and all of them with their instance', () => {
    const locks = new BlockLocks();
    locks.lock('f', 1, range(0, 30), 'exclusive');
    locks.lock('f', 1, range(10, 10), 'none');
    expect(locks.lock('f', 2, range(10, 10), 'exclusive')).toBe(true);
    expect(locks.lock('f', 2, range(20, 1), 'shared')).toBe(false);
    locks.drop('f', 1);
    expect(locks.lock('f', 2, range(0, 0), 'exclusive')).toBe(true);
    locks.drop('f', 2);
    expect(locks.size).toBe(0);
  });

  it('agree with one mark for each block and instance, whatever is asked', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Engine({ seed }).random('locks');
      const locks = new BlockLocks();
      const model = Array.from({ length: 16 }, () => new Map<number, BlockLockMode>());
      for (let step = 0; step < 60; step++) {
        const [instance, from, count] = [random.below(3), random.below(12), 1 + random.below(4)];
        const mode = random.pick(['none', 'shared', 'exclusive'] as const);
        const blocks = model.slice(from, from + count);
        const refused =
          mode !== 'none' &&
          blocks.some((b) =>
            [...b].some(([i, held]) => i !== instance && (mode === 'exclusive' || held === 'exclusive')),
          );
        expect(locks.lock('f', instance, range(from, count), mode), `seed ${seed} step ${step}`).toBe(
          !refused,
        );
        if (refused) continue;
        for (const b of blocks)
          if (mode === 'none') b.delete(instance);
          else b.set(instance, mode);
      }
    }
  });
});
