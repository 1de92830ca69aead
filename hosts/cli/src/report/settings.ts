/** What a run was made of, as facts for its report. */
import type { Experiment, RunResult, RunSettings } from '@backplane/lab';
import { folded, type Html, table } from './page.ts';

type Fact = readonly [string, string];

/** @param s as given; what was left out has the experiment's own values */
export function givenFacts(e: Experiment, s: RunSettings): readonly Fact[] {
  const parameters = { ...defaults(e), ...s.parameters };
  return [
    ['experiment', `${e.name}: ${e.description}`],
    ...Object.entries(parameters).map(([name, value]): Fact => [`--${name}`, value]),
    ...(s.settings ?? []).map((x): Fact => ['--set', x.text]),
    ...(s.faults ?? []).map((f): Fact => [`--fault ${f.spec}`, f.sentence]),
    ...(s.tree === undefined
      ? []
      : [['--tree', `${s.tree.name}, ${s.tree.entries.length} entries`] as const]),
    ...(s.untilNs === undefined ? [] : [['--until', `${s.untilNs / 1e9} virtual seconds`] as const]),
  ];
}

const defaults = (e: Experiment): Readonly<Record<string, string>> =>
  Object.fromEntries(e.parameterTexts.map((p) => [p.name, p.value]));

/** The machines as facts: those that are alike in one line. */
export function machineFacts(result: RunResult): readonly Fact[] {
  const alike = new Map<string, string[]>();
  for (const m of result.cluster.machines) {
    const key = `${m.role}: ${m.type}, kernel "${m.kernel}"`;
    alike.set(key, [...(alike.get(key) ?? []), m.name]);
  }
  return [...alike].map(
    ([what, names]): Fact => [
      names.length === 1 ? 'machine' : `${names.length} machines`,
      `${what}: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', ...' : ''}`,
    ],
  );
}

export const kernels = (result: RunResult): readonly Html[] =>
  Object.entries(result.kernels).map(([name, boards]) =>
    folded(
      `Kernel "${name}", ${Object.keys(boards).length} boards`,
      table({
        title: '',
        head: ['instance', 'board', 'version', 'options'],
        rows: Object.entries(boards).map(([instance, b]) => [
          instance,
          b.name,
          b.version,
          optionsText(b.options),
        ]),
      }),
    ),
  );

const optionsText = (options: unknown): string =>
  Object.entries(options as Readonly<Record<string, unknown>>)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');

export const metrics = (result: RunResult): Html => {
  const rows = Object.entries(result.metrics).filter(([, value]) => value !== 0);
  return folded(
    `Metrics, ${rows.length} that are not 0`,
    table({
      title: '',
      head: ['metric', 'value'],
      rows: rows.map(([name, value]) => [name, String(Number(value.toPrecision(7)))]),
    }),
  );
};
