import {
  experiment,
  parseFault,
  parseSetting,
  type RunSettings,
  readTree,
  runExperiment,
  verifyExperiment,
} from '@backplane/lab';
import { describe, expect, it } from 'vitest';

interface Result {
  readonly phases: readonly { readonly name: string; readonly seconds: number }[];
  readonly seconds: number;
  readonly files: number;
  readonly compiled: number;
  readonly skipped: string | null;
  readonly treeDigest: string;
}

const andrew = (settings: RunSettings = {}): Result =>
  runExperiment(experiment('andrew'), settings).result as Result;
/** A tree without C, small enough for many runs. */
const small = readTree(new URL('.', import.meta.url).pathname);

describe('the Andrew benchmark', () => {
  const shipped = andrew();

  it('has five phases, which copy and compile the 70 files of the shipped tree', () => {
    expect(shipped.phases.map((p) => p.name)).toEqual(['makedir', 'copy', 'scandir', 'readall', 'make']);
    expect([shipped.files, shipped.compiled, shipped.skipped]).toEqual([70, 24, null]);
    for (const p of shipped.phases) expect(p.seconds).toBeGreaterThan(0);
  });

  it('takes minutes on the machines of 1988, most of them to compile', () => {
    expect(shipped.seconds).toBeGreaterThan(240);
    expect(shipped.seconds).toBeLessThan(420);
    expect((shipped.phases[4]?.seconds ?? 0) / shipped.seconds).toBeGreaterThan(0.8);
  });

  it('reads and writes as many bytes as the published one, on a second run', () => {
    /** Of files through the client's cache; what the kernel reads of programs is read at an offset. */
    const bytes = (start: 'warm' | 'cold'): { read: number; written: number } => {
      let pagedIn = 0;
      const { metrics } = runExperiment(experiment('andrew'), {
        parameters: { start },
        machineTypes: { '': 'zero-cost' },
        watchCalls: {
          called: (_who, call, given) => {
            if (call === 'readAt') pagedIn += Number(given[2]);
          },
          returned: () => {},
        },
      });
      return {
        read: (metrics['cache.sprite.bytesReadCached'] ?? 0) - pagedIn,
        written: metrics['cache.sprite.bytesWrittenCached'] ?? 0,
      };
    };
    const [twice, once] = [bytes('warm'), bytes('cold')];
    // 54.9 and 34.4 KB/s over 249 s (Nelson, Welch and Ousterhout 1988).
    const second = { read: twice.read - once.read, written: twice.written - once.written };
    expect(second.read / (54.9 * 1024 * 249)).toBeCloseTo(1, 1); // within 5 %
    expect(second.written / (34.4 * 1024 * 249)).toBeCloseTo(1, 1);
  });

  it('says so and skips where a tree has no C', () => {
    expect(andrew({ tree: small }).skipped).toBe('the tree has no C sources');
  });

  it('leaves the same tree whatever the network does, and however long that takes', () => {
    const quiet = andrew({ tree: small });
    const faults = ['loss=5%', 'duplicate=5%', 'reorder=5%', 'corrupt=2%'].map((f) => parseFault(f));
    const lossy = andrew({ tree: small, faults });
    expect(lossy.treeDigest).toBe(quiet.treeDigest);
    expect(lossy.seconds).toBeGreaterThan(quiet.seconds);
  });

  it('leaves the same tree on every machine and with every memory policy', () => {
    const digests = [
      {},
      { machineTypes: { '': 'sparcstation1' } },
      { settings: [parseSetting('memoryPolicy=fixed')] },
    ].map((s) => andrew({ tree: small, ...s }).treeDigest);
    expect(new Set(digests).size).toBe(1);
  });

  it('runs on several clients at once, each slower than alone', () => {
    const alone = andrew({ tree: small });
    const together = andrew({ tree: small, clients: 4 });
    expect(together.seconds).toBeGreaterThan(alone.seconds);
  });

  it('is a function of its inputs and seed', () => {
    const v = verifyExperiment(experiment('andrew'), { tree: small });
    expect([v.equal, v.events[0] > 100]).toEqual([true, true]);
  });
});
