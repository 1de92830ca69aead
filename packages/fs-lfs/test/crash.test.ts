import { describe, expect, it } from 'vitest';
import { runs } from './seeds.ts';
import { trial } from './world.ts';

const small = { segmentBytes: 32_768, sectors: 8192 };
const spilling = { bytesMax: 80_000, maySpill: true };

describe('a power failure at any instant', () => {
  it('leaves a disk that is sound, before recovery and after it, with everything that was synced', () => {
    const { held, repairs } = trial.crashes(runs(8), small, spilling);
    expect(held).toBeGreaterThan(8);
    expect(repairs).toBeGreaterThan(0);
  });

  it('does so with names in the log before each operation returns', () => {
    const { held } = trial.crashes(runs(4), { ...small, metadata: 'synchronous' }, spilling);
    expect(held).toBeGreaterThan(4);
  });

  it('does so with a cache so small that blocks leave in any order', () => {
    const { held } = trial.crashes(runs(6), { ...small, cachePlaces: 8 }, spilling);
    expect(held).toBeGreaterThan(6);
  });

  it('does so on a disk that is full, while segments are cleaned and used again', () => {
    const full = { segmentBytes: 16_384, sectors: 1000, cachePlaces: 30 };
    const { held } = trial.crashes(runs(8), full, { bytesMax: 120_000, maySpill: true });
    expect(held).toBeGreaterThan(4);
  });

  it('does so with blocks of 16 KB, and where the cleaner compresses', () => {
    const large = { segmentBytes: 131_072, sectors: 16_384, fileBlockBytes: 16_384 } as const;
    expect(trial.crashes(runs(3), large, { bytesMax: 200_000, maySpill: true }).held).toBeGreaterThan(2);
    const cold = { segmentBytes: 16_384, sectors: 1000, compressAfterSeconds: 1e-6 };
    expect(trial.crashes(runs(3), cold, { bytesMax: 120_000, maySpill: true }).held).toBeGreaterThan(2);
  });

  it('does so with large files and their index blocks', () => {
    const { held } = trial.crashes(
      runs(2),
      { segmentBytes: 131_072, sectors: 40_000 },
      { bytesMax: 5_000_000 },
    );
    expect(held).toBeGreaterThan(1);
  });

  it('does so on a medium that is written once', () => {
    const once = { segmentBytes: 65_536, sectors: 65_536, medium: 'write-once' } as const;
    expect(trial.crashes(runs(3), once, spilling).held).toBeGreaterThan(2);
  });
});
