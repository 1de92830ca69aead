/** Table 4-1 of the dissertation: the share of a Wren IV's bandwidth that is left for segments of a size. */
import { segmentSize } from '../experiments/segment-size.ts';
import { type Runs, resultOf } from '../runs.ts';
import { lfsRow, thesis } from './lfs-rows.ts';
import { type Given, type PublishedRow, settingsFor } from './table.ts';

const shares: readonly (readonly [kilobytes: number, share: number])[] = [
  [32, 0.45],
  [64, 0.62],
  [128, 0.77],
  [256, 0.87],
  [512, 0.93],
  [1024, 0.96],
  [2048, 0.98],
  [4096, 0.99],
  [8192, 1],
];

export function* lfsSegments(given: Given): Runs<readonly PublishedRow[]> {
  const { rows } = yield* resultOf(segmentSize, settingsFor(given));
  return shares.map(([kilobytes, published]) =>
    lfsRow({
      source: `${thesis}, Table 4-1`,
      row: `segments of ${kilobytes} KB: of the bandwidth`,
      unit: '',
      published,
      measured: rows.find((r) => r.kilobytes === kilobytes)?.bandwidthShare ?? 0,
      kind: 'predicted',
      band: 0.03,
    }),
  );
}
