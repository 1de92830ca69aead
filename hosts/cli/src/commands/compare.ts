/** `backplane compare EXPERIMENT --vary SLOT=a,b`: the effect of one swap, over seeds, with intervals. */
import { type ComparedMetric, type Comparison, compareExperiment, type Setting } from '@backplane/lab';
import type { Command } from 'commander';
import { exit } from '../exit.ts';
import { measuredRuns } from '../measured-run.ts';
import { formatTable, json, note, out } from '../output.ts';
import {
  addRecordingOptions,
  addReportOption,
  type RecordingOptions,
  Recordings,
  reportFile,
} from '../recordings.ts';
import { compareReport } from '../report/reports.ts';
import { Interrupted, type Session } from '../session.ts';
import { addRunOptions, type GivenOptions, leftOver, settingsOf, usage, whole } from '../settings.ts';

interface CompareOptions extends GivenOptions, RecordingOptions {
  readonly report?: string;
  readonly vary: string;
  readonly seeds: string;
  readonly json?: boolean;
}

export function addCompare(program: Command, session: Session): void {
  const command = addReportOption(
    addRecordingOptions(
      addRunOptions(
        program
          .command('compare')
          .argument('<experiment>', 'its name, or a file with one')
          .description(
            'same workload, same seeds, one slot changed; recordings are those of the first seed, numbered by variant',
          ),
      )
        .requiredOption('--vary <slot=a,b>', 'the slot and the boards to compare, the first of them the base')
        .option('--seeds <n>', 'runs of each, with seeds from --seed on', '5'),
    ),
  )
    .option('--json', 'one JSON object')
    .allowUnknownOption()
    .allowExcessArguments();
  command.action(async (name: string, o: CompareOptions) => {
    const experiment = await session.outside.experiment(name);
    const parameters = leftOver(experiment, command.args.slice(1), command);
    const variants = await variantsOf(o.vary, session);
    const settings = await settingsOf(o, parameters, session.outside);
    const seeds = whole('--seeds', o.seeds, 1, 10_000);
    const recordings = new Recordings(o);
    const report = reportFile(o.report);
    try {
      const c = await measuredRuns(
        compareExperiment({
          experiment,
          settings,
          variants,
          seeds,
          prepare: (s, variant, seed) => (seed === 0 ? recordings.of(s, variant + 1) : s),
          stopped: () => session.interrupted.aborted,
        }),
        session.interrupted,
      );
      if (c === null) throw new Interrupted();
      if (c.seeds < seeds)
        note(`Interrupted: ${c.seeds} of ${seeds} seeds were finished, and are compared here.`);
      if (o.json === true) json(c);
      else print(c);
      await report.write(() => compareReport(session.words, experiment, settings, c, seeds));
      session.finish(exit.good);
    } finally {
      recordings.close();
    }
  });
}

async function variantsOf(
  vary: string,
  session: Session,
): Promise<readonly [Setting, Setting, ...Setting[]]> {
  const { slot, boards } = parseVary(vary);
  const variants: Setting[] = [];
  for (const board of boards) variants.push(await session.outside.setting(`${slot}=${board}`));
  const [base, second, ...others] = variants;
  if (base === undefined || second === undefined)
    throw usage(`--vary ${vary} compares nothing.`, '--vary fileCache=sprite,none');
  return [base, second, ...others];
}

/** `SLOT=a,b:option=value,option=value,c`: an option without a board belongs to the board before it. */
function parseVary(text: string): { readonly slot: string; readonly boards: readonly string[] } {
  const equals = text.indexOf('=');
  const boards: string[] = [];
  for (const part of text.slice(equals + 1).split(',')) {
    if (part.includes('=') && !part.includes(':') && boards.length > 0)
      boards.push(`${boards.pop()},${part}`);
    else if (part !== '') boards.push(part);
  }
  return { slot: text.slice(0, Math.max(0, equals)), boards };
}

function print(c: Comparison): void {
  for (const v of c.variants) {
    out(
      formatTable({
        title: `${c.experiment}: ${v.set} against ${c.base.set}, ${c.seeds} seeds`,
        head: ['measure', c.base.set, v.set, 'change (95 %)'],
        rows: Object.entries(v.metrics).map(([name, m]) => [
          name,
          short(c.base.metrics[name]?.mean ?? 0),
          short(m.mean),
          changeText(m),
        ]),
        ...(v.firstDivergence !== null && {
          note: `first difference: ${v.firstDivergence.virtualSeconds} s, ${v.firstDivergence.machine}: ${v.firstDivergence.component}`,
        }),
      }),
    );
  }
}

const short = (n: number): string => (Math.abs(n) >= 1000 ? n.toFixed(0) : n.toPrecision(4));

const percent = (n: number): string => (Number.isFinite(n) ? `${n >= 0 ? '+' : ''}${n.toFixed(1)} %` : 'new');

const changeText = (m: ComparedMetric): string =>
  `${percent(m.changePercent)}  [${percent(m.changeLow)}, ${percent(m.changeHigh)}]`;
