import { describe, expect, it } from 'vitest';
import { runs } from './seeds.ts';
import { trial } from './world.ts';

const small = { segmentBytes: 32_768 };

describe('any sequence of operations, against the model, with reboots', () => {
  it('on a disk with room', () => {
    trial.sequences(runs(4), 300, small, { bytesMax: 80_000 });
  });

  it('with a cache of eight blocks, so that everything goes into the log and comes back', () => {
    trial.sequences(runs(4), 200, { ...small, cachePlaces: 8 }, { bytesMax: 80_000 });
  });

  it('with names in the log before each operation returns', () => {
    trial.sequences(runs(3), 200, { ...small, metadata: 'synchronous' }, { bytesMax: 80_000 });
  });

  it('on a slow disk that reorders, while blocks grow old and leave', () => {
    trial.sequences(
      runs(4),
      200,
      { ...small, latencyNs: 5_000_000, cachePlaces: 40, cacheWriteNs: 2_000_000, writeDelaySeconds: 0.05 },
      { bytesMax: 80_000 },
    );
  });

  it('on a disk that gets full, where cleaning never ends', () => {
    const full = { segmentBytes: 16_384, sectors: 900 };
    const { spills } = trial.sequences(runs(6), 300, full, { bytesMax: 120_000, maySpill: true });
    expect(spills).toBeGreaterThan(5);
  });

  it('where the cleaner compresses what it moves', () => {
    const full = { segmentBytes: 16_384, sectors: 1000, compressAfterSeconds: 1e-6 };
    trial.sequences(runs(3), 300, full, { bytesMax: 120_000, maySpill: true });
  });

  it('with blocks of 16 KB, and with blocks of 64 KB that are larger than the cache', () => {
    const large = { segmentBytes: 131_072, sectors: 16_384, fileBlockBytes: 16_384 } as const;
    trial.sequences(runs(2), 200, large, { bytesMax: 200_000 });
    const larger = {
      segmentBytes: 262_144,
      sectors: 32_768,
      fileBlockBytes: 65_536,
      cachePlaces: 8,
    } as const;
    trial.sequences(runs(2), 200, larger, { bytesMax: 200_000 });
  });

  it('with files that need index blocks of two levels', () => {
    trial.sequences(runs(1), 120, { segmentBytes: 131_072, sectors: 40_000 }, { bytesMax: 5_000_000 });
  });

  it('on a medium that is written once', () => {
    const once = { segmentBytes: 65_536, sectors: 65_536, medium: 'write-once' } as const;
    trial.sequences(runs(2), 200, once, { bytesMax: 80_000 });
  });
});
