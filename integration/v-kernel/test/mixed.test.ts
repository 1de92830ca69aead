import { experiment, kernelNamed, type RunSettings, readTree, runExperiment } from '@backplane/lab';
import { describe, expect, it } from 'vitest';

interface Andrew {
  readonly seconds: number;
  readonly treeDigest: string;
}
interface Part extends Andrew {
  readonly kernel: string;
  readonly machines: readonly string[];
}
const small = readTree(new URL('../tree', import.meta.url).pathname);

describe('Sprite and V on one Ethernet', () => {
  const { parts } = runExperiment(experiment('mixed'), { tree: small }).result as {
    readonly parts: readonly Part[];
  };
  const alone = (kernel: string): Andrew => {
    const settings: RunSettings = { tree: small, kernels: { '': kernelNamed(kernel) } };
    return runExperiment(experiment('andrew'), settings).result as Andrew;
  };

  it('each have machines of their own', () => {
    expect(parts.map((p) => [p.kernel, p.machines.length])).toEqual([
      ['sprite', 1],
      ['v', 1],
    ]);
  });

  it.each(['sprite', 'v'])('let %s leave the tree that it leaves alone, in hardly more time', (kernel) => {
    const together = parts.find((p) => p.kernel === kernel);
    expect(together?.treeDigest).toBe(alone(kernel).treeDigest);
    expect(together?.seconds).toBeGreaterThan(0.97 * alone(kernel).seconds);
    expect(together?.seconds).toBeLessThan(1.1 * alone(kernel).seconds);
  });
});
