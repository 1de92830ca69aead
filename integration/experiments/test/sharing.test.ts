/**
 * Write sharing under loss, duplication and delay: nobody reads a stale byte. `npm test` runs a sample of seeds; with
 * BACKPLANE_FULL all 1,000.
 */
import { experiment, parseFault, parseSetting, runExperiment } from '@backplane/lab';
import { describe, expect, it } from 'vitest';

interface Result {
  readonly reads: number;
  readonly stale: number;
  readonly first: unknown;
}

const seeds = process.env['BACKPLANE_FULL'] === undefined ? 30 : 1000;
const faults = ['loss=3%', 'duplicate=3%', 'reorder=3%'].map((f) => parseFault(f));

function share(fileCache: string, seed: number): Result {
  const settings = [parseSetting(`fileCache=${fileCache}`)];
  const machineTypes = seed % 2 === 0 ? { '': 'zero-cost' } : {};
  return runExperiment(experiment('sharing'), {
    seed,
    settings,
    faults,
    machineTypes,
    parameters: { rounds: '25' },
  }).result as Result;
}

describe.each(['sprite', 'none'])('sharing with the file protocol %s', (fileCache) => {
  it(`finds no stale byte in ${seeds} seeds`, { timeout: 1_800_000 }, () => {
    const wrong: string[] = [];
    let reads = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const r = share(fileCache, seed);
      reads += r.reads;
      if (r.stale > 0)
        wrong.push(
          `backplane run sharing --seed ${seed} --set fileCache=${fileCache}: ${JSON.stringify(r.first)}`,
        );
    }
    expect(wrong).toEqual([]);
    expect(reads).toBeGreaterThan(50 * seeds);
  });
});

describe('sharing with the file protocol nfs', () => {
  it('finds stale bytes, since attributes are trusted for seconds: the check can fail', () => {
    let stale = 0;
    for (let seed = 1; seed <= 5; seed++) stale += share('nfs', seed).stale;
    expect(stale).toBeGreaterThan(0);
  });
});
