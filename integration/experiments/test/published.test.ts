import {
  medianDeviation,
  type PublishedRow,
  publishedConstants,
  publishedTable,
  publishedTables,
  runAll,
  withinBand,
} from '@backplane/lab';
import { describe, expect, it } from 'vitest';

const outOfBand = (rows: readonly PublishedRow[]): readonly string[] =>
  rows.filter((r) => !withinBand(r)).map((r) => r.row);

const off = (r: PublishedRow): number => Math.abs(r.ratio - 1);

/** Two publications disagree: under 15 %, and about 25 %. The model has 26 %. */
const knownOut = ['sun3-75: pipe outside of the kernel, local reader, at most'];

describe('published figures', () => {
  const rows = runAll(publishedTable('sprite-rpc').measure({ seed: 1 }));

  it('of Sprite RPC come out of the model, each within its band', () => {
    expect(outOfBand(rows)).toEqual([]);
    expect(medianDeviation(rows)).toBeLessThan(0.05);
  });

  it('have fitted and predicted rows apart', () => {
    expect(rows.filter((r) => r.kind === 'predicted').length).toBeGreaterThanOrEqual(3);
  });

  it('of files come out of the model, each within its band', () => {
    const files = runAll(publishedTable('sprite-files').measure({ seed: 1 }));
    expect(outOfBand(files)).toEqual([]);
  });

  it("of V's messages, files, processes and pipes come out of one table of costs for each machine", () => {
    const v = runAll(publishedTable('v').measure({ seed: 1 }));
    expect(outOfBand(v)).toEqual(knownOut);
    expect(medianDeviation(v)).toBeLessThan(0.05);
    expect(v.filter((r) => r.kind === 'predicted').length).toBeGreaterThanOrEqual(12);
    for (const r of v.filter((r) => r.kind === 'fitted'))
      expect([r.row, off(r) < 0.035]).toEqual([r.row, true]);
  });

  it.runIf(process.env['BACKPLANE_FULL'] !== undefined)(
    'of all tables: the median predicted row is off by less than 7 %',
    { timeout: 600_000 },
    () => {
      const all = publishedTables.flatMap((t) => runAll(t.measure({ seed: 1 })));
      const of = (kind: PublishedRow['kind']): number => all.filter((r) => r.kind === kind).length;
      expect(of('predicted')).toBeGreaterThanOrEqual(20);
      expect(of('fitted')).toBeLessThanOrEqual(of('predicted') / 2);
      expect(medianDeviation(all)).toBeLessThan(0.07);
      expect(outOfBand(all)).toEqual(knownOut);
    },
  );

  it('list every constant of machines, drives and workloads with its source', () => {
    const constants = publishedConstants();
    expect(constants.length).toBeGreaterThan(200);
    expect(constants).toContainEqual(
      expect.objectContaining({ machine: 'drive eagle', name: 'rpm', value: 3961 }),
    );
    expect(constants.filter((c) => c.machine === 'workload andrew').length).toBeGreaterThan(5);
    expect(constants.filter((c) => !/^(stated|fitted|prior|exact): \S/.test(c.source))).toEqual([]);
  });
});
