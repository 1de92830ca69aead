/**
 * What the simulations of cleaning policies have found, on a real storage with a small disk: few figures are in the text,
 * the rest are curves of which the order is checked.
 */
import { type CleaningRow, cleaning } from '../experiments/cleaning.ts';
import { type Runs, resultOf } from '../runs.ts';
import { between, lfsRow, noMoreThan } from './lfs-rows.ts';
import { type Given, type PublishedRow, settingsFor } from './table.ts';

export function* lfsCleaning(given: Given): Runs<readonly PublishedRow[]> {
  const [scarce, uniform] = yield* rowsOf(given, 'greedy', 'uniform', '0.15,0.75');
  const [greedy] = yield* rowsOf(given, 'greedy', 'hot-and-cold', '0.75');
  const [weighed] = yield* rowsOf(given, 'cost-benefit', 'hot-and-cold', '0.75');
  if (scarce === undefined || uniform === undefined || greedy === undefined || weighed === undefined)
    throw new Error('published: a run of the cleaner has too few rows');
  return [
    lfsRow({
      row: 'cleaner, greedy, uniform, 75 % full: utilisation of the cleaned',
      unit: '',
      published: 0.55,
      measured: uniform.cleanedUtilisation,
      kind: 'predicted',
      band: 0.1,
    }),
    noMoreThan('cleaner, greedy, uniform, 15 % full: write cost', scarce.writeCost, 2),
    noMoreThan(
      'cleaner, greedy, 75 % full: cost of uniform over hot-and-cold',
      uniform.writeCost / greedy.writeCost,
    ),
    // "By as much as 50 %".
    between(
      'cleaner, hot-and-cold, 75 % full: cost of cost-benefit over greedy',
      'x',
      0.5,
      1,
      weighed.writeCost / greedy.writeCost,
    ),
    // "Around 15 %", "about 75 %": to the twentieth on either side.
    between('cleaner, cost-benefit: most hot segments cleaned at', '', 0.1, 0.2, peak(weighed, 0, 0.5)),
    between('cleaner, cost-benefit: most cold segments cleaned at', '', 0.7, 0.8, peak(weighed, 0.5, 1)),
  ];
}

/** With fewer, each round of cleaning takes so large a part of the disk that chance decides what is left for the next. */
const segments = '384';

function* rowsOf(given: Given, policy: string, pattern: string, full: string): Runs<readonly CleaningRow[]> {
  const { rows } = yield* resultOf(cleaning, {
    ...settingsFor(given, `cleaner=${policy}`),
    parameters: { pattern, full, segments },
  });
  return rows;
}

/** Where most segments were cleaned, of those between two utilisations: the middle of a twentieth. */
function peak({ cleanedHistogram: shares }: CleaningRow, from: number, to: number): number {
  let best = Math.round(from * shares.length);
  for (let bin = best; bin < Math.round(to * shares.length); bin++)
    if ((shares[bin] ?? 0) > (shares[best] ?? 0)) best = bin;
  return (best + 0.5) / shares.length;
}
