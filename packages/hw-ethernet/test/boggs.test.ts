/**
 * The shape of what was measured on a real Ethernet (Boggs, Mogul and Kent 1988): saturated, it carries nearly its
 * nominal bandwidth, the less the shorter the packets and the more the hosts, and shares it fairly. No number here was
 * tuned for: the model has no constant that is not in the standard.
 */
import { describe, expect, it } from 'vitest';
import { type BoggsLoad, type BoggsRow, boggs, boggsTable, ofOneSize, ofTwoSizes } from '../bench/boggs.ts';

const sizes = [64, 256, 1024, 1536, 4000];
const counts = [1, 2, 3, 6, 12, 24];
const loads: readonly BoggsLoad[] = [...sizes.map(ofOneSize), ofTwoSizes(1), ofTwoSizes(4)];
const rows = boggs({ loads, hosts: counts, seconds: 2 });

const of = (load: BoggsLoad, hosts: number): BoggsRow => {
  const found = rows.find((r) => r.hosts === hosts && JSON.stringify(r.load) === JSON.stringify(load));
  if (found === undefined) throw new Error(`${load.shortBytes} bytes, ${hosts} hosts were not measured`);
  return found;
};
const rate = (bytes: number, hosts: number): number => of(ofOneSize(bytes), hosts).megabitsPerSecond;
const crowd = counts.filter((n) => n > 2);

describe('a saturated Ethernet', () => {
  it('carries 8 Mbit/s or more of the shortest packets, from two hosts on', () => {
    for (const hosts of crowd) expect(rate(64, hosts), `${hosts} hosts`).toBeGreaterThan(8);
  });

  it('carries more than 9.5 Mbit/s of packets of 1024 bytes and more', () => {
    for (const bytes of [1024, 1536, 4000]) {
      for (const hosts of [2, ...crowd]) {
        expect(rate(bytes, hosts), `${bytes} bytes, ${hosts} hosts`).toBeGreaterThan(9.5);
      }
    }
  });

  it('never carries more than its nominal bandwidth', () => {
    for (const r of rows) expect(r.megabitsPerSecond).toBeLessThanOrEqual(10);
  });

  it('carries the more, the longer the packets', () => {
    for (const hosts of crowd) {
      const rates = sizes.map((bytes) => rate(bytes, hosts));
      expect(rates, `${hosts} hosts`).toEqual(rates.slice().sort((a, b) => a - b));
    }
  });

  it('loses little by each further host, and nothing suddenly', () => {
    for (const bytes of sizes) {
      const rates = crowd.map((hosts) => rate(bytes, hosts));
      expect(rates, `${bytes} bytes`).toEqual(rates.slice().sort((a, b) => b - a));
      expect((rates[0] ?? 0) - (rates.at(-1) ?? 0)).toBeLessThan(1.6);
    }
  });

  it('carries much more than of short packets alone when one in eight is long', () => {
    const short = rate(64, 24);
    const one = of(ofTwoSizes(1), 24).megabitsPerSecond;
    const four = of(ofTwoSizes(4), 24).megabitsPerSecond;
    expect(one - short).toBeGreaterThan(0.5);
    expect(four).toBeGreaterThan(one);
    expect(rate(1536, 24)).toBeGreaterThan(four);
  });

  it('carries of one host alone what its pauses leave', () => {
    for (const bytes of sizes) {
      const wireUs = (bytes + 8) * 0.8;
      const expected = (10 * (wireUs + 9.6)) / (wireUs + 100);
      expect(rate(bytes, 1), `${bytes} bytes`).toBeCloseTo(expected, 1);
    }
  });

  it('is shared fairly over ten seconds, though not over a tenth of one: the capture effect', () => {
    const shared = (seconds: number): number[] =>
      boggs({ loads: [256, 1536].map(ofOneSize), hosts: [3, 12, 24], seconds }).map((r) => r.jain);
    for (const jain of shared(10)) expect(jain).toBeGreaterThan(0.9);
    expect(Math.min(...shared(0.1))).toBeLessThan(0.7);
  });

  it('makes a host wait little longer than strict turns would, the longer the packets the less', () => {
    const share = (bytes: number): number => {
      const { excessMs, intervalMs } = of(ofOneSize(bytes), 24);
      return excessMs / intervalMs;
    };
    for (const bytes of sizes) expect(share(bytes), `${bytes} bytes`).toBeLessThan(0.2);
    expect(share(4000)).toBeLessThan(0.03);
  });

  it('has a table', () => {
    const [head, line] = boggsTable(rows.slice(0, 1)).split('\n');
    expect(head).toMatch(/^ +bytes +hosts +Mbit\/s/);
    expect(line).toMatch(/^ +64 +1 +4\.2/);
  });
});
