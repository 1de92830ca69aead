/**
 * Plots as SVG, rendered when the report is made. Colours are left to the page: text and axes take its text colour,
 * series its variables, so that one drawing serves light and dark.
 */
import type { ResultPlot } from '@backplane/lab';
import type { TopLevelSpec } from 'vega-lite';

export interface Bar {
  readonly name: string;
  readonly value: number;
}

/** A value and the interval it lies in. */
export interface Ranged {
  readonly name: string;
  readonly low: number;
  readonly value: number;
  readonly high: number;
}

/** How far a measured row is off the published one, and how far it may be; in percent. */
export interface Deviation {
  readonly name: string;
  readonly kind: string;
  readonly off: number;
  readonly band: number;
}

interface Layer {
  readonly encoding: object;
  readonly [more: string]: unknown;
}

const ink = 'currentColor';
const series = (n: number): string => `var(--series-${n})`;

export function barChart(bars: readonly Bar[], unit: string): Promise<string> {
  const values = bars.map((b) => ({ ...b, label: short(b.value) }));
  return svg(values, [
    {
      mark: { type: 'bar', color: series(1), height: { band: 0.62 }, cornerRadiusEnd: 3 },
      encoding: { x: { field: 'value', type: 'quantitative', axis: axis(unit) } },
    },
    {
      mark: { type: 'text', align: 'left', baseline: 'middle', dx: 5, color: ink },
      encoding: { x: { field: 'value', type: 'quantitative' }, text: { field: 'label' } },
    },
  ]);
}

/** Points with their intervals, beside a line where nothing has changed. */
export function intervalChart(rows: readonly Ranged[], title: string): Promise<string> {
  const x = (field: string): object => ({
    field,
    type: 'quantitative',
    axis: axis(title),
    scale: { nice: true },
  });
  return svg(rows, [
    zero,
    {
      mark: { type: 'rule', color: series(1), strokeWidth: 5, opacity: 0.45, strokeCap: 'round' },
      encoding: { x: x('low'), x2: { field: 'high' } },
    },
    {
      mark: { type: 'point', filled: true, size: 70, color: series(1), opacity: 1 },
      encoding: { x: x('value') },
    },
  ]);
}

/** Each row's deviation within the band that is accepted; filled where nothing was fitted to it. */
export function deviationChart(rows: readonly Deviation[]): Promise<string> {
  const values = rows.map((r) => ({ ...r, from: -r.band, to: r.band }));
  const title = 'measured against published, %';
  const x = (field: string): object => ({ field, type: 'quantitative', axis: axis(title) });
  const points = (kind: string, mark: object): Layer => ({
    transform: [{ filter: { field: 'kind', equal: kind } }],
    mark: { type: 'point', size: 80, opacity: 1, ...mark },
    encoding: { x: x('off') },
  });
  return svg(values, [
    {
      mark: { type: 'bar', color: ink, opacity: 0.1, height: { band: 0.9 } },
      encoding: { x: x('from'), x2: { field: 'to' } },
    },
    zero,
    points('predicted', { filled: true, color: series(1) }),
    points('check', { filled: true, shape: 'square', color: series(2) }),
    points('fitted', { filled: false, color: ink, strokeWidth: 1.6 }),
  ]);
}

/** Curves over two axes: what was measured with a dot for each point, what a formula gives as a dashed line. */
export function curveChart({ xTitle, yTitle, curves }: ResultPlot): Promise<string> {
  const values = curves.flatMap(({ name, kind, points }) => points.map((p) => ({ name, kind, ...p })));
  const ofKind = (kind: string): object => ({ filter: { field: 'kind', equal: kind } });
  const measured = curves.filter((c) => c.kind === 'measured');
  const inks = curves.map((c) => (c.kind === 'formula' ? ink : series(1 + measured.indexOf(c))));
  const encoding = {
    x: { field: 'x', type: 'quantitative', axis: axis(xTitle) },
    y: { field: 'y', type: 'quantitative', axis: axis(yTitle) },
    color: {
      field: 'name',
      type: 'nominal',
      scale: { domain: curves.map((c) => c.name), range: inks },
      legend: { title: null, orient: 'top', symbolType: 'stroke', symbolSize: 300, symbolStrokeWidth: 2.5 },
    },
  };
  return rendered({
    width: 520,
    height: 300,
    padding: { left: 6, right: 20, top: 6, bottom: 6 },
    data: { values },
    layer: [
      {
        transform: [ofKind('formula')],
        mark: { type: 'line', strokeWidth: 1.6, strokeDash: [5, 4], opacity: 0.75 },
        encoding,
      },
      { transform: [ofKind('measured')], mark: { type: 'line', strokeWidth: 2 }, encoding },
      {
        transform: [ofKind('measured')],
        mark: { type: 'point', filled: true, size: 60, opacity: 1 },
        encoding,
      },
    ],
  });
}

const axis = (title: string): object => ({
  title,
  tickCount: 6,
  domain: false,
  grid: true,
  labelFlush: false,
});

/** Where nothing has changed. It belongs to no row. */
const zero = {
  data: { values: [{}] },
  mark: { type: 'rule', color: ink, opacity: 0.55 },
  encoding: { x: { datum: 0 } },
};

const names = (rows: readonly { readonly name: string }[]): object => ({
  field: 'name',
  type: 'nominal',
  sort: rows.map((r) => r.name),
  axis: { title: null, grid: false, ticks: false, domain: false, labelLimit: 0, labelPadding: 8 },
});

/** About what a character of the labels takes, in pixels: there is no font to measure with. */
const characterWidth = 7.2;

function svg(rows: readonly { readonly name: string }[], layers: readonly Layer[]): Promise<string> {
  const longest = rows.reduce((n, r) => Math.max(n, r.name.length), 0);
  return rendered({
    width: 460,
    height: { step: 27 },
    // Vega would guess the labels half as wide again as they are.
    autosize: 'none',
    padding: { left: 16 + characterWidth * longest, right: 70, top: 6, bottom: 46 },
    data: { values: rows },
    layer: layers.map((l) => (l === zero ? l : { ...l, encoding: { y: names(rows), ...l.encoding } })),
  });
}

async function rendered(drawing: object): Promise<string> {
  const [vega, lite] = await Promise.all([import('vega'), import('vega-lite')]);
  // Vega-Lite's types name every combination of marks and channels; these drawings are assembled from parts of them.
  const spec = {
    ...drawing,
    background: 'transparent',
    config: {
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis: {
        labelColor: ink,
        titleColor: ink,
        gridColor: ink,
        gridOpacity: 0.14,
        tickColor: ink,
        tickOpacity: 0.14,
        labelFontSize: 12.5,
        titleFontSize: 12.5,
        titleFontWeight: 'normal',
        titlePadding: 10,
      },
      legend: { labelColor: ink, labelFontSize: 12.5, labelLimit: 0 },
      text: { fontSize: 12.5 },
    },
  } as unknown as TopLevelSpec;
  const view = new vega.View(vega.parse(lite.compile(spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Four significant digits, without an exponent. */
export const short = (n: number): string =>
  Math.abs(n) >= 1000 ? Math.round(n).toLocaleString('en-US') : String(Number(n.toPrecision(4)));
