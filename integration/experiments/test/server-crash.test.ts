/** The file server loses its power in the middle of the Andrew benchmark, and comes back with what its disk has. */
import {
  experiment,
  kernelNamed,
  parseFault,
  parseSetting,
  type RunSettings,
  runExperiment,
} from '@backplane/lab';
import { describe, expect, it } from 'vitest';

interface Result {
  readonly seconds: number;
  readonly skipped: string | null;
  readonly treeDigest: string;
  readonly storedTreeDigest: string;
}

/** Names follow to the disk half a minute after the operation that made them has returned. */
const delayed = (store: string) => ({ settings: [parseSetting(`storage=${store}:metadata=delayed`)] });

const andrew = (settings: RunSettings = {}): Result =>
  runExperiment(experiment('andrew'), settings).result as Result;

const crash = (seconds: number): RunSettings => ({
  faults: [parseFault(`crash=allspice@${seconds}s`), parseFault(`reboot=allspice@${seconds + 10}s`)],
});

/** The log has the names before an operation returns; the directories follow later. */
const logged = { settings: [parseSetting('storage=lfs')] };

describe('the Andrew benchmark, with a server that crashes and reboots under it', () => {
  const quiet = andrew();

  // After 135 s it has just removed a file, and not said so yet.
  it.each([5, 60, 135, 200])('ends with the right tree, when that happens after %i s', (seconds) => {
    const crashed = andrew(crash(seconds));
    expect([crashed.skipped, crashed.treeDigest]).toEqual([null, quiet.treeDigest]);
    expect(crashed.storedTreeDigest).toBe(quiet.treeDigest);
    expect(crashed.seconds).toBeGreaterThan(quiet.seconds);
  });

  it.each([
    ['sprite', 'fileCache=nfs'],
    ['v', 'storage=lfs'],
  ])('does so on %s with %s', (kernel, setting) => {
    const settings = [parseSetting(setting)];
    const crashed = andrew({ kernels: { '': kernelNamed(kernel) }, settings, ...crash(75) });
    expect([crashed.treeDigest, crashed.storedTreeDigest]).toEqual([quiet.treeDigest, quiet.treeDigest]);
  });

  it('says so when its server lost bytes that the client was told are written', () => {
    const settings = [parseSetting('fileCache=sprite:serverWrite=delayed')];
    const crashed = andrew({ settings, ...crash(75) });
    expect(crashed.treeDigest).toBe(quiet.treeDigest);
    expect(crashed.storedTreeDigest).not.toBe(quiet.treeDigest);
    expect(experiment('andrew').passed?.(crashed)).toBe(false);
  });

  it('waits for a repair that takes as long as reading every descriptor of the disk', () => {
    const { metrics } = runExperiment(experiment('andrew'), crash(60));
    expect(metrics['storage.ofs.attachSeconds']).toBeGreaterThan(10);
    expect(metrics['cache.sprite.handlesLost']).toBe(0);
  });

  it.each([5, 60, 200])('ends with the right tree on a log that is rolled forward after %i s', (seconds) => {
    const { result, metrics } = runExperiment(experiment('andrew'), { ...logged, ...crash(seconds) });
    const { skipped, treeDigest, storedTreeDigest } = result as Result;
    expect([skipped, treeDigest, storedTreeDigest]).toEqual([null, quiet.treeDigest, quiet.treeDigest]);
    expect(metrics['storage.lfs.recoveredFiles']).toBeGreaterThan(0);
    expect(metrics['storage.lfs.attachSeconds']).toBeLessThan(2);
  });

  it.each(['ofs', 'lfs'])(
    'fails at a file that is gone, and does not hang, where %s delays names',
    (store) => {
      expect(() => andrew({ ...delayed(store), ...crash(60) })).toThrow(/on mace after \d+ s: .*make ended/);
    },
  );
});
