/** The reports of run, compare and published. */
import {
  type ComparedMetric,
  type Comparison,
  type Experiment,
  medianDeviation,
  type PublishedConstant,
  type PublishedRow,
  type ResultPlot,
  type RunSettings,
  withinBand,
} from '@backplane/lab';
import type { MeasuredRun } from '../measured-run.ts';
import { barChart, curveChart, deviationChart, intervalChart, short } from './charts.ts';
import { facts, folded, type Html, page, paragraph, plot, section, table } from './page.ts';
import { givenFacts, kernels, machineFacts, metrics } from './settings.ts';

export async function runReport(
  words: readonly string[],
  e: Experiment,
  settings: RunSettings,
  result: MeasuredRun,
): Promise<string> {
  const given = facts([
    ...givenFacts(e, settings),
    ['seed', String(result.seed)],
    ...machineFacts(result),
    ['virtual time', `${short(result.virtualSeconds)} s, ${short(result.events)} events`],
    ['trace hash', result.traceHash],
  ]);
  return page(`${e.name}, one run`, words, [
    section(
      'Result',
      table(e.table(result.result)),
      ...(await resultPlots(e.plots?.(result.result) ?? [])),
      ...(await measurePlots(e.measures(result.result))),
    ),
    ...(await processorTime(result)),
    section('Settings', given),
    section('Details', ...kernels(result), metrics(result)),
  ]);
}

/** The experiment's own. */
const resultPlots = (plots: readonly ResultPlot[]): Promise<readonly Html[]> =>
  Promise.all(plots.map(async (p) => plot(await curveChart(p), p.title)));

/** One plot for each unit: numbers of different units share no axis. */
async function measurePlots(measures: Readonly<Record<string, number>>): Promise<readonly Html[]> {
  const byUnit = new Map<string, { readonly name: string; readonly value: number }[]>();
  for (const [name, value] of Object.entries(measures)) {
    if (!Number.isFinite(value)) continue;
    const unit = unitOf(name);
    byUnit.set(unit, [...(byUnit.get(unit) ?? []), { name, value }]);
  }
  const plots = [];
  for (const [unit, bars] of byUnit)
    if (bars.length > 1) plots.push(plot(await barChart(bars, unit), `Measures in ${unit}`));
  return plots;
}

/** What the processors of each role were busy with. */
async function processorTime({ metrics }: MeasuredRun): Promise<readonly Html[]> {
  const bars = Object.entries(metrics).flatMap(([name, value]) => {
    const [, role = '', purpose = ''] = /^processor\.(\w+)\.(\w+)Seconds$/.exec(name) ?? [];
    return role === '' || purpose === 'busy' || value === 0 ? [] : [{ name: `${role}: ${purpose}`, value }];
  });
  if (bars.length === 0) return [];
  const chart = await barChart(bars, 'seconds');
  return [section('Processors', plot(chart, 'What the processors of each role were busy with, in seconds'))];
}

const units = [
  [/kilobytesPerSecond$/i, 'kilobytes per second'],
  [/PerSecond$/i, 'per second'],
  [/milliseconds$/i, 'milliseconds'],
  [/microseconds$/i, 'microseconds'],
  [/seconds$/i, 'seconds'],
  [/bytes$/i, 'bytes'],
  [/percent$/i, 'percent'],
  [/share$/i, 'shares of 1'],
] as const;

/** The unit stands at the end of the name, where it is not a count. */
const unitOf = (name: string): string => units.find(([ending]) => ending.test(name))?.[1] ?? 'counts';

export async function compareReport(
  words: readonly string[],
  e: Experiment,
  settings: RunSettings,
  c: Comparison,
  seedsAsked: number,
): Promise<string> {
  const sections: Html[] = [];
  if (c.seeds < seedsAsked)
    sections.push(
      paragraph(`Interrupted: ${c.seeds} of ${seedsAsked} seeds were finished, and are compared here.`),
    );
  for (const v of c.variants) {
    const rows = Object.entries(v.metrics);
    const drawn = rows.filter(([, m]) => [m.changeLow, m.changePercent, m.changeHigh].every(Number.isFinite));
    const chart = await intervalChart(
      drawn.map(([name, m]) => ({ name, low: m.changeLow, value: m.changePercent, high: m.changeHigh })),
      `change from ${c.base.set} to ${v.set}, %`,
    );
    sections.push(
      section(
        `${v.set} against ${c.base.set}`,
        plot(chart, `Change with 95 % intervals over ${c.seeds} seeds`),
        table({
          title: 'Means, and the change run by run with the same seed',
          head: ['measure', c.base.set, v.set, 'change', 'from', 'to'],
          rows: rows.map(([name, m]) => [
            name,
            short(c.base.metrics[name]?.mean ?? 0),
            short(m.mean),
            ...changeTexts(m),
          ]),
          ...(v.firstDivergence !== null && {
            note: `The runs of the first seed go the same way until ${v.firstDivergence.virtualSeconds} virtual seconds: then ${v.firstDivergence.event} "${v.firstDivergence.component}" of ${v.firstDivergence.machine}.`,
          }),
        }),
      ),
    );
  }
  const firstSeed = settings.seed ?? 1;
  sections.push(
    section(
      'Settings',
      facts([...givenFacts(e, settings), ['seeds', `${firstSeed} to ${firstSeed + c.seeds - 1}`]]),
    ),
  );
  return page(`${e.name}: ${c.variants.map((v) => v.set).join(', ')} against ${c.base.set}`, words, sections);
}

const percent = (n: number): string => (Number.isFinite(n) ? `${n >= 0 ? '+' : ''}${n.toFixed(1)} %` : 'new');

const changeTexts = (m: ComparedMetric): readonly string[] =>
  [m.changePercent, m.changeLow, m.changeHigh].map(percent);

export async function publishedReport(
  words: readonly string[],
  rows: readonly PublishedRow[],
  constants: readonly PublishedConstant[],
  seed: number,
): Promise<string> {
  const predicted = rows.filter((r) => r.kind === 'predicted');
  const median = medianDeviation(rows);
  const outside = rows.filter((r) => !withinBand(r)).length;
  const summary = facts([
    ['rows', `${rows.length}: ${predicted.length} predicted`],
    ...(median === null
      ? []
      : [['median deviation of the predicted', `${(100 * median).toFixed(1)} %`] as const]),
    ['outside their band', String(outside)],
    ['seed', String(seed)],
  ]);
  const chart = await deviationChart(
    [...rows]
      .filter((r) => Number.isFinite(r.ratio))
      .map((r) => ({
        name: `${r.table}: ${r.row}`,
        kind: r.kind,
        off: 100 * (r.ratio - 1),
        band: 100 * r.band,
      })),
  );
  const kinds = (['predicted', 'check', 'fitted'] as const).flatMap((kind) => {
    const some = rows.filter((r) => r.kind === kind);
    return some.length === 0
      ? []
      : [section(`${kind[0]?.toUpperCase()}${kind.slice(1)} rows`, rowTable(some))];
  });
  return page('Published figures and the model', words, [
    section(
      'At a glance',
      summary,
      plot(
        chart,
        'Dots: predicted. Circles: a constant was fitted to the row. Squares: ranges. Bars: what is accepted.',
      ),
    ),
    ...kinds,
    section('Constants', ...constantTables(constants)),
  ]);
}

const rowTable = (rows: readonly PublishedRow[]): Html =>
  table({
    title: '',
    head: ['table', 'row', 'unit', 'published', 'measured', 'off', 'source'],
    rows: rows.map((r) => [
      r.table,
      r.row,
      r.unit,
      short(r.published),
      short(r.measured),
      `${percent(100 * (r.ratio - 1))}${withinBand(r) ? '' : ' OUT'}`,
      r.source,
    ]),
  });

function constantTables(constants: readonly PublishedConstant[]): readonly Html[] {
  return [...new Set(constants.map((c) => c.machine))].map((machine) =>
    folded(
      machine,
      table({
        title: '',
        head: ['constant', 'value', 'unit', 'source'],
        rows: constants
          .filter((c) => c.machine === machine)
          .map((c) => [c.name, short(c.value), c.unit, c.source]),
      }),
    ),
  );
}
