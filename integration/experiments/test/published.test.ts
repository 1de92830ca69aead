import { medianDeviation, publishedConstants, publishedTable, withinBand } from '@backplane/lab';
import { describe, expect, it } from 'vitest';

describe('published figures', () => {
  const rows = publishedTable('sprite-rpc').measure(1);

  it('of Sprite RPC come out of the model, each within its band', () => {
    expect(
      rows.filter((r) => !withinBand(r)).map((r) => `${r.row}: ${r.measured} for ${r.published} ${r.unit}`),
    ).toEqual([]);
    expect(medianDeviation(rows)).toBeLessThan(0.05);
  });

  it('have fitted and predicted rows apart', () => {
    expect(rows.filter((r) => r.kind === 'predicted').length).toBeGreaterThanOrEqual(3);
  });

  it('list every constant of every machine with its source', () => {
    const constants = publishedConstants();
    expect(constants.length).toBeGreaterThan(150);
    expect(constants.filter((c) => !/^(stated|fitted|prior|exact): \S/.test(c.source))).toEqual([]);
  });
});
