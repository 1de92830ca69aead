/** `backplane compare EXPERIMENT --vary SLOT=a,b`: the effect of one swap, over seeds, with intervals. */
import { type ComparedMetric, type Comparison, compareExperiment, experiment } from '@backplane/lab';
import type { Command } from 'commander';
import { type ExitCode, exit } from '../exit.ts';
import { formatTable, json, out } from '../output.ts';
import { Progress } from '../progress.ts';
import { addRunOptions, type GivenOptions, leftOver, settingsOf, usage, whole } from '../settings.ts';

interface CompareOptions extends GivenOptions {
  readonly vary: string;
  readonly seeds: string;
  readonly json?: boolean;
}

export function addCompare(program: Command, finish: (code: ExitCode) => void): void {
  const command = addRunOptions(
    program
      .command('compare')
      .argument('<experiment>')
      .description('same workload, same seeds, one slot changed'),
  )
    .requiredOption('--vary <slot=a,b>', 'the slot and the boards to compare, the first of them the base')
    .option('--seeds <n>', 'runs of each, with seeds from --seed on', '5')
    .option('--json', 'one JSON object')
    .allowUnknownOption()
    .allowExcessArguments();
  command.action((name: string, o: CompareOptions) => {
    const e = experiment(name);
    const settings = settingsOf(o, leftOver(e, command.args.slice(1), command));
    const { slot, boards } = parseVary(o.vary);
    if (boards.length < 2) throw usage(`--vary ${o.vary} compares nothing.`, '--vary fileCache=sprite,none');
    const progress = new Progress();
    const c = compareExperiment(
      e,
      settings,
      { slot, boards },
      whole('--seeds', o.seeds, 1, 10_000),
      (runs, of) => progress.show(`${name}  run ${runs} of ${of}`, 0, 0),
    );
    progress.done();
    if (o.json === true) json(c);
    else print(c);
    finish(exit.good);
  });
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
