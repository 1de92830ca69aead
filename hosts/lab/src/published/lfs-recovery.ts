/** Table III of the paper: seconds to recover. Published in whole seconds, less than one as "<1". */
import { recovery } from '../experiments/recovery.ts';
import { type Runs, resultOf } from '../runs.ts';
import { lfsRow, paper } from './lfs-rows.ts';
import { type Given, type PublishedRow, settingsFor } from './table.ts';

interface Figure {
  readonly kilobytes: number;
  readonly megabytes: number;
  readonly seconds: number;
  /** One constant was fitted, to the row that is named so. */
  readonly kind?: 'fitted';
  /** Where it is not that of a row in whole seconds. */
  readonly band?: number;
}

const figures: readonly Figure[] = [
  { kilobytes: 1, megabytes: 1, seconds: 1 },
  { kilobytes: 1, megabytes: 10, seconds: 21, kind: 'fitted', band: 0.1 },
  { kilobytes: 1, megabytes: 50, seconds: 132, band: 0.35 },
  { kilobytes: 10, megabytes: 1, seconds: 0.5 },
  { kilobytes: 10, megabytes: 10, seconds: 3 },
  { kilobytes: 10, megabytes: 50, seconds: 17 },
  { kilobytes: 100, megabytes: 1, seconds: 0.5 },
  { kilobytes: 100, megabytes: 10, seconds: 1 },
  { kilobytes: 100, megabytes: 50, seconds: 8 },
];

export function* lfsRecovery(given: Given): Runs<readonly PublishedRow[]> {
  const { rows } = yield* resultOf(recovery, settingsFor(given));
  return figures.map(({ kilobytes, megabytes, seconds, kind, band }) => {
    const measured =
      rows.find((r) => r.fileKilobytes === kilobytes && r.megabytes === megabytes)?.seconds ?? 0;
    return lfsRow({
      source: `${paper}, Table III`,
      row: `recovery of ${megabytes} MB in files of ${kilobytes} KB`,
      unit: 's',
      published: seconds,
      measured,
      kind: kind ?? (band === undefined ? 'check' : 'predicted'),
      band: band ?? tolerance(seconds),
    });
  });
}

/** Two seconds either way, or down to a third: whole seconds say no more. */
const tolerance = (seconds: number): number => Math.max(2 / seconds, 2 / 3);
