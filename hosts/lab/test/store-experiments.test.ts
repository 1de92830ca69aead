import { describe, expect, it } from 'vitest';
import type { CleaningResult } from '../src/experiments/cleaning.ts';
import type { RecoveryResult } from '../src/experiments/recovery.ts';
import {
  experiment,
  parseSetting,
  planRun,
  type RunSettings,
  runAll,
  runExperiment,
  verifyExperiment,
  withinBand,
} from '../src/index.ts';
import { lfsSegments } from '../src/published/lfs-segments.ts';

const short: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['small-files', { files: '40' }],
  ['large-file', { megabytes: '1' }],
  ['segment-size', { writes: '3', megabytes: '10' }],
  ['recovery', { megabytes: '1', kilobytes: '100' }],
  ['cleaning', { segments: '48', 'segment-kilobytes': '64', 'file-kilobytes': '8', turns: '4' }],
];

const measured = (name: string, settings: RunSettings): Readonly<Record<string, number>> => {
  const e = experiment(name);
  return e.measures(runExperiment(e, settings).result);
};

const storage = (text: string): NonNullable<RunSettings['settings']> => [parseSetting(`storage=${text}`)];

describe.each(short)('%s', (name, parameters) => {
  it('is the same twice, and its result is plain data', () => {
    const e = experiment(name);
    expect(verifyExperiment(e, { parameters }).equal).toBe(true);
    const { result } = runExperiment(e, { parameters });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(e.table(result).rows.length).toBeGreaterThan(0);
  });

  it('measures nothing senseless on machines and drives that take no time', () => {
    // Its drive is one of those already, and a small one.
    const settings = name === 'cleaning' ? [] : [parseSetting('disk=drive:profile=instant')];
    const values = Object.entries(
      measured(name, { parameters, machineTypes: { '': 'zero-cost' }, settings }),
    );
    expect(values.length).toBeGreaterThan(0);
    expect(values.filter(([, v]) => !Number.isFinite(v) || v < 0)).toEqual([]);
  });

  it('names the parameter that it does not have', () => {
    expect(() => experiment(name).parameters({ nonsense: '1' })).toThrow('nonsense');
  });
});

describe('small-files', () => {
  const at = (m: Readonly<Record<string, number>>, phase: string, what: string): number =>
    m[`smallFiles.${phase}.${what}`] ?? 0;
  const parameters = { files: '200' };

  it('finds names that are written at once dearer than names that are not, and the disk busier', () => {
    const synchronous = measured('small-files', {
      parameters,
      settings: storage('ofs:metadata=synchronous'),
    });
    const delayed = measured('small-files', { parameters, settings: storage('ofs:metadata=delayed') });
    for (const phase of ['create', 'delete'])
      expect(at(synchronous, phase, 'filesPerSecond')).toBeLessThan(at(delayed, phase, 'filesPerSecond'));
    expect(at(synchronous, 'create', 'diskBusyShare')).toBeGreaterThan(0.7);
  });

  it('reads from the disk, not from what the phase before has left in the cache', () => {
    const m = measured('small-files', { parameters, settings: storage('ofs') });
    expect(at(m, 'read', 'diskBusyShare')).toBeGreaterThan(0.2);
  });

  it('makes, reads and deletes files in a storage that loses them with the power', () => {
    const m = measured('small-files', { parameters, settings: storage('memory') });
    for (const phase of ['create', 'read', 'delete']) {
      expect(at(m, phase, 'filesPerSecond')).toBeGreaterThan(0);
      expect(at(m, phase, 'diskBusyShare')).toBe(0);
    }
  });
});

describe('large-file', () => {
  it('finds a disk that is updated in place as fast to reread as before it was written in random order', () => {
    const m = measured('large-file', { parameters: { megabytes: '2' }, settings: storage('ofs') });
    const rate = (phase: string): number => m[`largeFile.${phase}.kilobytesPerSecond`] ?? 0;
    expect(rate('sequentialReread')).toBeCloseTo(rate('sequentialRead'), -1);
    expect(rate('randomRead')).toBeLessThan(rate('sequentialRead'));
  });
});

describe('segment-size', () => {
  it('finds the published shares of a Wren IV, each within its band', () => {
    const rows = runAll(lfsSegments({ seed: 1 }));
    expect(rows).toHaveLength(9);
    expect(rows.filter((r) => !withinBand(r)).map((r) => r.row)).toEqual([]);
  });

  it('finds a larger share of the bandwidth the larger the segments are, and never all of it', () => {
    const m = measured('segment-size', { parameters: { writes: '60', megabytes: '40' } });
    const shares = [32, 128, 512, 2048].map((n) => m[`segments.of${n}KB.bandwidthShare`] ?? 0);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(0)).toBeGreaterThan(0.4);
    expect(shares.at(-1)).toBeLessThan(1);
  });
});

describe('recovery', () => {
  const { rows } = runExperiment(experiment('recovery'), {
    parameters: { megabytes: '1,2', kilobytes: '4' },
  }).result as RecoveryResult;

  it('finds every file again that was on the disk, in a time that grows with their number', () => {
    expect(rows.map((r) => [r.files, r.recovered])).toEqual([
      [256, 256],
      [512, 512],
    ]);
    expect(rows[1]?.seconds).toBeGreaterThan(rows[0]?.seconds ?? Infinity);
  });

  it('looks at the whole disk where the storage is updated in place', () => {
    const parameters = { megabytes: '1', kilobytes: '100' };
    const log = measured('recovery', { parameters });
    const inPlace = measured('recovery', { parameters, settings: storage('ofs') });
    const name = 'recovery.of1MBIn100KB.seconds';
    expect(inPlace[name]).toBeGreaterThan(4 * (log[name] ?? Infinity));
  });
});

describe('cleaning', () => {
  const short = { segments: '128', 'segment-kilobytes': '128' };
  const run = (policy: string, more: Readonly<Record<string, string>>): CleaningResult =>
    runExperiment(experiment('cleaning'), {
      parameters: { ...short, ...more },
      settings: [parseSetting(`cleaner=${policy}`)],
    }).result as CleaningResult;

  it('costs the more the fuller the disk is, about as much as the formula says', () => {
    const { rows } = run('greedy', { full: '0.2,0.5,0.75' });
    expect(rows.map((r) => r.full.toFixed(2))).toEqual(['0.20', '0.50', '0.75']);
    const costs = rows.map((r) => r.writeCost);
    expect(costs).toEqual([...costs].sort((a, b) => a - b));
    const last = rows.at(-1);
    expect(last?.writeCost).toBeGreaterThan(2);
    expect(Math.abs((last?.writeCost ?? 0) / (last?.formulaCost ?? 1) - 1)).toBeLessThan(0.1);
  });

  it('counts each segment that was cleaned once', () => {
    const [row] = run('greedy', { full: '0.75' }).rows;
    expect(row?.segmentsCleaned).toBeGreaterThan(50);
    for (const histogram of [row?.cleanedHistogram ?? [], row?.segmentHistogram ?? []]) {
      expect(histogram).toHaveLength(20);
      expect(histogram.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    }
    expect(row?.cleanedUtilisation).toBeLessThan(row?.segmentUtilisation ?? 0);
  });

  it('takes cold segments fuller than hot ones by cost and benefit', () => {
    const { rows } = run('cost-benefit', { pattern: 'hot-and-cold', full: '0.75' });
    const shares = rows[0]?.cleanedHistogram ?? [];
    const within = (from: number, to: number): number =>
      shares.slice(from * 20, to * 20).reduce((sum, share) => sum + share, 0);
    expect(within(0, 0.4)).toBeGreaterThan(within(0.4, 0.6));
    expect(within(0.6, 1)).toBeGreaterThan(within(0.4, 0.6));
  });

  it('cleans for less by cost and benefit, the more so if segments age from their writing', () => {
    const cost = (policy: string): number =>
      run(policy, { pattern: 'hot-and-cold', full: '0.75' }).rows[0]?.writeCost ?? 0;
    expect(cost('cost-benefit:age=changed')).toBeLessThan(cost('greedy'));
    expect(cost('cost-benefit')).toBeLessThan(cost('cost-benefit:age=changed'));
  });

  it('makes room where a checkpoint takes several segments', () => {
    const small = { segments: '256', 'segment-kilobytes': '64', 'file-kilobytes': '4', turns: '1' };
    expect(run('cost-benefit', small).rows[0]?.segmentsCleaned).toBeGreaterThan(1000);
  });

  it('refuses a storage with segments of another size than it counts with', () => {
    const settings = [parseSetting('storage=lfs:segmentBytes=65536')];
    expect(() => runExperiment(experiment('cleaning'), { parameters: short, settings })).toThrow(
      'segments of 65536 bytes',
    );
  });

  it('refuses a disk that is fuller than a log can be', () => {
    expect(() => experiment('cleaning').parameters({ full: '0.95' })).toThrow('0.9');
  });
});

describe("an experiment's own boards", () => {
  const profile = (settings: RunSettings): unknown => {
    const { machines } = planRun(experiment('segment-size'), settings).description;
    return [...(machines[0]?.kernel.boards ?? [])].find(([instance]) => instance === 'disk.0')?.[1].options;
  };

  it('are there unless the user says otherwise', () => {
    expect(profile({})).toMatchObject({ profile: 'wren-iv' });
    expect(profile({ settings: [parseSetting('disk=drive:profile=eagle')] })).toMatchObject({
      profile: 'eagle',
    });
  });
});
