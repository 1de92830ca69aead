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
import { exit } from '../exit.ts';
import { measuredRuns } from '../measured-run.ts';
import { formatTable, json, note, out } from '../output.ts';
import { reportFile } from '../recordings.ts';
import { publishedReport } from '../report/reports.ts';
import { Interrupted, type Session } from '../session.ts';
import { addKernelOptions, type GivenOptions, settingsOf } from '../settings.ts';

interface PublishedOptions extends GivenOptions {
  readonly report?: string;
  readonly json?: boolean;
}

export function addPublished(program: Command, session: Session): void {
  addKernelOptions(
    program
      .command('published')
      .argument('[names...]', `tables: ${publishedTables.map((t) => t.name).join(', ')}; all without one`)
      .description(
        'published tables beside measured ones, fitted and predicted rows apart; with kernels, boards or faults of your own in place of those of the tables',
      ),
  )
    .option('--report <file.html>', 'tables and a plot as one HTML page')
    .option('--json', 'one JSON object')
    .action(async (names: readonly string[], o: PublishedOptions) => {
      const tables = names.length === 0 ? publishedTables : names.map((n) => publishedTable(n));
      const given = await settingsOf(o, {}, session.outside);
      const report = reportFile(o.report);
      const rows: PublishedRow[] = [];
      let finished = 0;
      try {
        for (const t of tables) {
          rows.push(...(await measuredRuns(t.measure(given), session.interrupted)));
          finished++;
        }
      } catch (e) {
        if (!(e instanceof Interrupted)) throw e;
        note(`Interrupted: ${finished} of ${tables.length} tables were finished.`);
      }
      if (o.json === true) json({ rows, constants: publishedConstants() });
      else print(rows);
      await report.write(() => publishedReport(session.words, rows, publishedConstants(), given.seed ?? 1));
      session.finish(rows.every(withinBand) ? exit.good : exit.failed);
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
  const constants = publishedConstants().filter((c) => shown.includes(c.machine));
  out(
    formatTable({
      title: `Constants of ${shown.join(', ')} (all with --json)`,
      head: ['of', 'constant', 'value', 'unit', 'source'],
      rows: constants.map((c) => [c.machine, c.name, String(c.value), c.unit, c.source]),
    }),
  );
}

/** What most rows are measured on. */
const shown: readonly string[] = ['sun3-75', 'drive eagle', 'workload andrew'];
