/** `backplane published [NAME...]`: published tables beside measured ones, every constant with its source. */
import {
  medianDeviation,
  type PublishedRow,
  publishedConstants,
  publishedTable,
  publishedTables,
  withinBand,
} from '@backplane/lab';
import type { Command } from 'commander';
import { type ExitCode, exit } from '../exit.ts';
import { formatTable, json, out } from '../output.ts';
import { Progress } from '../progress.ts';
import { whole } from '../settings.ts';

export function addPublished(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('published')
    .argument('[names...]', `tables: ${publishedTables.map((t) => t.name).join(', ')}; all without one`)
    .description('published tables beside measured ones, fitted and predicted rows apart')
    .option('--seed <n>', 'of everything left to chance', '1')
    .option('--json', 'one JSON object')
    .action((names: readonly string[], o: { readonly seed: string; readonly json?: boolean }) => {
      const tables = names.length === 0 ? publishedTables : names.map((n) => publishedTable(n));
      const seed = whole('--seed', o.seed, 0, Number.MAX_SAFE_INTEGER);
      const progress = new Progress();
      const rows = tables.flatMap((t) => {
        progress.show(t.title, 0, 0);
        return t.measure(seed);
      });
      progress.done();
      if (o.json === true) json({ rows, constants: publishedConstants() });
      else print(rows);
      finish(rows.every(withinBand) ? exit.good : exit.failed);
    });
}

function print(rows: readonly PublishedRow[]): void {
  for (const kind of ['predicted', 'check', 'fitted'] as const) {
    const some = rows.filter((r) => r.kind === kind);
    if (some.length === 0) continue;
    const median = kind === 'predicted' ? medianDeviation(some) : null;
    out(
      formatTable({
        title: `${kind[0]?.toUpperCase()}${kind.slice(1)} rows`,
        head: ['table', 'row', 'unit', 'published', 'measured', 'off', 'source'],
        rows: some.map((r) => [
          r.table,
          r.row,
          r.unit,
          String(r.published),
          r.measured.toPrecision(4),
          `${r.ratio >= 1 ? '+' : ''}${(100 * (r.ratio - 1)).toFixed(1)} %${withinBand(r) ? '' : ' OUT'}`,
          r.source,
        ]),
        ...(median !== null && { note: `median deviation ${(100 * median).toFixed(1)} %` }),
      }),
    );
  }
  const constants = publishedConstants().filter((c) => c.machine === 'sun3-75');
  out(
    formatTable({
      title: 'Constants of the Sun-3/75 (all machines with --json)',
      head: ['constant', 'value', 'unit', 'source'],
      rows: constants.map((c) => [c.name, String(c.value), c.unit, c.source]),
    }),
  );
}
