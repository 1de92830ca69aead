/** The Andrew benchmark on the machine that has the disk. */
import { andrew } from '../experiments/andrew.ts';
import { serverWithDisk } from '../experiments/store/server.ts';
import { type Runs, resultOf } from '../runs.ts';
import { lfsRow, systems, thesis } from './lfs-rows.ts';
import { type Given, type PublishedRow, settingsFor } from './table.ts';

const totals = [
  { system: 'lfs', name: 'LFS', seconds: 140 },
  { system: 'ofs', name: "Sprite's OFS", seconds: 147 },
] as const;

export function* lfsAndrew(given: Given): Runs<readonly PublishedRow[]> {
  const rows: PublishedRow[] = [];
  for (const { system, name, seconds } of totals) {
    const result = yield* resultOf(andrew, {
      ...settingsFor(given, ...(serverWithDisk.settings ?? []), ...systems[system]),
      machineTypes: serverWithDisk.machineTypes,
      parameters: { place: 'local', start: 'warm' },
    });
    rows.push(
      lfsRow({
        source: thesis,
        row: `Andrew, ${name}`,
        unit: 's',
        published: seconds,
        measured: result.seconds,
        kind: 'predicted',
        band: 0.1,
      }),
    );
  }
  return rows;
}
