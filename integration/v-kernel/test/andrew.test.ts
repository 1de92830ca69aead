import {
  experiment,
  kernelNamed,
  parseFault,
  parseSetting,
  type RunSettings,
  readTree,
  runExperiment,
} from '@backplane/lab';
import { describe, expect, it } from 'vitest';

interface Result {
  readonly seconds: number;
  readonly treeDigest: string;
}
/** A tree without C, small enough for many runs. */
const small = readTree(new URL('../tree', import.meta.url).pathname);

const run = (settings: RunSettings = {}) =>
  runExperiment(experiment('andrew'), { tree: small, kernels: { '': kernelNamed('v') }, ...settings });
const andrew = (settings: RunSettings = {}): Result => run(settings).result as Result;
const set = (...texts: readonly string[]): RunSettings => ({ settings: texts.map((t) => parseSetting(t)) });

describe('the Andrew benchmark on V', () => {
  const onSprite = andrew({ kernels: {} });
  const onV = andrew();

  it('leaves the tree that it leaves on Sprite', () => {
    expect(onV.treeDigest).toBe(onSprite.treeDigest);
  });

  it.each([
    'transport=sprite',
    'transport=sun',
    'storage=memory',
    'storage=ofs:metadata=delayed',
    'naming=prefix',
    'naming=mounts',
    'systemCalls=v:cache=none',
    'systemCalls=sprite',
    'systemCalls=sprite fileCache=none',
    'vm=resident memoryPolicy=negotiated',
    'scheduler=sprite',
  ])('leaves it with %s', (settings) => {
    expect(andrew(set(...settings.split(' '))).treeDigest).toBe(onV.treeDigest);
  });

  it('leaves it whatever the network does, and however long that takes', () => {
    const faults = ['loss=5%', 'duplicate=5%', 'reorder=5%', 'corrupt=2%'].map((f) => parseFault(f));
    const lossy = andrew({ faults });
    expect(lossy.treeDigest).toBe(onV.treeDigest);
    expect(lossy.seconds).toBeGreaterThan(onV.seconds);
  });

  it('goes on when a file server crashes in the middle and comes back', () => {
    const middle = (onV.seconds / 2).toFixed(1);
    const faults = [`crash=allspice@${middle}s`, `reboot=allspice@${Number(middle) + 5}s`].map((f) =>
      parseFault(f),
    );
    const crashed = andrew({ faults });
    expect(crashed.treeDigest).toBe(onV.treeDigest);
    expect(crashed.seconds).toBeGreaterThan(onV.seconds);
  });

  it('is the same run when it is run again', () => {
    expect(run().traceHash).toBe(run().traceHash);
  });

  it('lets programs of several machines share one server', () => {
    expect(andrew({ clients: 3 }).treeDigest).toBe(andrew({ clients: 3, kernels: {} }).treeDigest);
  });
});
