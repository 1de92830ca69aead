/** Combinations of boards: all of them, or few that hold every pair. */
import type { CatalogueEntry } from '@backplane/lab';

/** One board for each slot. */
export type Combination = readonly CatalogueEntry[];

export function allCombinations(bySlot: readonly (readonly CatalogueEntry[])[]): readonly Combination[] {
  return bySlot.reduce<readonly Combination[]>(
    (combinations, boards) => combinations.flatMap((c) => boards.map((b) => [...c, b])),
    [[]],
  );
}

/**
 * Few combinations in which every two boards of different slots meet: takes, again and again, the combination that holds
 * most pairs that have not met. In the order of the catalogue, so always the same ones.
 */
export function pairwise(all: readonly Combination[]): readonly Combination[] {
  const missing = new Set(all.flatMap(pairs));
  const chosen: Combination[] = [];
  while (missing.size > 0) {
    let best: Combination | undefined;
    let bestCount = 0;
    for (const c of all) {
      const count = pairs(c).filter((p) => missing.has(p)).length;
      if (count > bestCount) {
        best = c;
        bestCount = count;
      }
    }
    if (best === undefined) break;
    for (const p of pairs(best)) missing.delete(p);
    chosen.push(best);
  }
  return chosen;
}

function pairs(c: Combination): readonly string[] {
  if (c.length === 1) return c.map((b) => b.name);
  return c.flatMap((a, i) => c.slice(i + 1).map((b) => `${a.name} ${b.name}`));
}
