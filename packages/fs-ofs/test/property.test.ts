import { describe, expect, it } from 'vitest';
import { runs } from './seeds.ts';
import { trial } from './world.ts';

describe('any sequence of operations, against the model, with reboots', () => {
  it('on a disk with room', () => {
    trial.sequences(runs(4), 300, {}, { bytesMax: 80_000 });
  });

  it('with a cache of eight blocks, so that everything goes to the disk and comes back', () => {
    trial.sequences(runs(3), 200, { cachePlaces: 8 }, { bytesMax: 80_000 });
  });

  it('with metadata written through', () => {
    trial.sequences(runs(3), 200, { metadata: 'synchronous' }, { bytesMax: 80_000 });
  });

  it('on a slow disk that reorders, while blocks grow old and leave', () => {
    trial.sequences(
      runs(4),
      200,
      { latencyNs: 5_000_000, cachePlaces: 40, cacheWriteNs: 2_000_000, writeDelaySeconds: 0.05 },
      { bytesMax: 80_000 },
    );
  });

  it('on a disk that gets full', () => {
    const { spills } = trial.sequences(runs(5), 300, { sectors: 340 }, { bytesMax: 120_000, maySpill: true });
    expect(spills).toBeGreaterThan(10);
  });

  it('on a full disk with a small cache and metadata written through', () => {
    const { spills } = trial.sequences(
      runs(3),
      240,
      { sectors: 300, cachePlaces: 8, metadata: 'synchronous', interleaveBlocks: 1 },
      { bytesMax: 120_000, maySpill: true },
    );
    expect(spills).toBeGreaterThan(5);
  });

  it('with files that need the double index block', () => {
    trial.sequences(runs(1), 120, { sectors: 20_000 }, { bytesMax: 5_000_000 });
  });

  it('on sectors of 1 KB', () => {
    trial.sequences(runs(2), 150, { sectorBytes: 1024, sectors: 4096 }, { bytesMax: 80_000 });
  });
});
