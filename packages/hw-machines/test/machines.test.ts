import { describe, expect, it } from 'vitest';
import { machineTypes, sun3x75, zeroCost } from '../src/index.ts';

describe('machine types', () => {
  it('have names of their own', () => {
    expect(new Set(machineTypes.map((t) => t.name)).size).toBe(machineTypes.length);
  });

  it('note a source for every constant', () => {
    for (const type of machineTypes) {
      expect(Object.keys(type.sources).sort()).toEqual(Object.keys(type.costs).sort());
      for (const { source } of Object.values(type.sources)) expect(source).not.toBe('');
    }
  });

  it('cost no less than nothing, and the machine without costs nothing at all', () => {
    for (const type of machineTypes)
      for (const cost of Object.values(type.costs)) expect(cost).toBeGreaterThanOrEqual(0);
    expect(Object.values(zeroCost.costs).every((c) => c === 0)).toBe(true);
  });

  it('fit each constant of a machine to a row of its own', () => {
    const rows = Object.entries(sun3x75.sources).filter(([, s]) => s.evidence === 'fitted');
    const named = new Map<string, string[]>();
    for (const [name, { source }] of rows) named.set(source, [...(named.get(source) ?? []), name]);
    for (const names of named.values()) expect(names).toHaveLength(1);
  });

  it('add up to the published null call of a Sun-3, from which one of them was fitted', () => {
    const c = sun3x75.costs;
    const wireNs = (78 + 4 + 8 + 12) * 800;
    const oneWay =
      c.spriteRpcPathNs + c.packetSendNs + wireNs + c.packetReceiveNs + c.hostMonitorNs + c.contextSwitchNs;
    expect((2 * oneWay) / 1e6).toBeCloseTo(2.45, 1);
  });
});
