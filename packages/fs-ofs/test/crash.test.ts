import { describe, expect, it } from 'vitest';
import { runs } from './seeds.ts';
import { trial } from './world.ts';

describe('a power failure at any instant', () => {
  it('leaves a disk that the repair mends, with everything that was synced and not touched since', () => {
    const { held, repairs } = trial.crashes(runs(8), {}, { bytesMax: 80_000, maySpill: true });
    expect(held).toBeGreaterThan(4);
    expect(repairs).toBeGreaterThan(0);
  });

  it('does so with metadata written through', () => {
    const { held } = trial.crashes(
      runs(6),
      { metadata: 'synchronous' },
      { bytesMax: 80_000, maySpill: true },
    );
    expect(held).toBeGreaterThan(4);
  });

  it('does so with a cache so small that blocks leave in any order', () => {
    const { held } = trial.crashes(runs(6), { cachePlaces: 8 }, { bytesMax: 80_000, maySpill: true });
    expect(held).toBeGreaterThan(4);
  });

  it('does so on a disk that is full, where what was given back is wanted at once', () => {
    const { held } = trial.crashes(
      runs(8),
      { sectors: 340, cachePlaces: 30 },
      { bytesMax: 120_000, maySpill: true },
    );
    expect(held).toBeGreaterThan(4);
  });

  it('does so with large files and their index blocks', () => {
    const { held } = trial.crashes(runs(2), { sectors: 20_000 }, { bytesMax: 5_000_000 });
    expect(held).toBeGreaterThan(1);
  });
});
