/**
 * Every legal combination of the boards of a kernel runs the same workload to the same tree. Legal is what composes: the
 * combinations are computed from what the boards say of themselves, never from a list. `npm test` takes few in which every
 * two boards meet; with BACKPLANE_FULL all are run.
 */
import {
  type CatalogueEntry,
  catalogue,
  experiment,
  kernelNamed,
  kernelNames,
  parseSetting,
  planRun,
  type RunSettings,
  readTree,
  runExperiment,
} from '@backplane/lab';
import { isBackplaneError } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { allCombinations, type Combination, pairwise } from './combinations.ts';

/** Slots of the kernels in which there is a choice; a slot with one board takes part in every combination anyway. */
const slots = ['transport', 'naming', 'fileCache', 'storage', 'memoryPolicy', 'scheduler', 'systemCalls'];
const bySlot = slots.map((slot) => catalogue.filter((e: CatalogueEntry) => e.slot === slot));
const small = readTree(new URL('.', import.meta.url).pathname);

const settingsOf = (kernel: string, c: Combination): RunSettings => ({
  tree: small,
  kernels: { '': kernelNamed(kernel) },
  machineTypes: { '': 'zero-cost' },
  settings: c.map((e) => parseSetting(`${e.slot}=${e.short}`)),
});

/** Does it compose? Nothing is made to find out. */
function isLegal(kernel: string, c: Combination): boolean {
  try {
    planRun(experiment('andrew'), settingsOf(kernel, c));
    return true;
  } catch (e) {
    if (isBackplaneError(e)) return false;
    throw e;
  }
}

const nameOf = (c: Combination): string => c.map((e) => `${e.slot}=${e.short}`).join(' ');

describe('the swap matrix', () => {
  const all = allCombinations(bySlot);
  const legal = new Map(kernelNames.map((kernel) => [kernel, all.filter((c) => isLegal(kernel, c))]));

  it('has legal combinations, every board in at least one', () => {
    const used = new Set([...legal.values()].flat(2).map((e) => e.name));
    for (const boards of bySlot) for (const b of boards) expect(used, b.name).toContain(b.name);
  });

  const digests = new Map<string, string[]>();
  for (const [kernel, combinations] of legal) {
    const chosen = process.env['BACKPLANE_FULL'] === undefined ? pairwise(combinations) : combinations;
    it(`runs Andrew on ${kernel} in ${chosen.length} of ${combinations.length} combinations to one and the same tree`, {
      timeout: 1_800_000,
    }, () => {
      for (const c of chosen) {
        const { treeDigest } = runExperiment(experiment('andrew'), settingsOf(kernel, c)).result as {
          readonly treeDigest: string;
        };
        digests.set(treeDigest, [...(digests.get(treeDigest) ?? []), `${kernel}: ${nameOf(c)}`]);
      }
      expect([...digests.values()]).toHaveLength(1);
    });
  }
});
