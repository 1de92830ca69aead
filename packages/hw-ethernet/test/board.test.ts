import type { BackplaneError } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { ethernet, ethernetInterface } from '../src/index.ts';
import { interfaceOf, World } from './world.ts';

describe('the boards', () => {
  it('say what their manifest says', () => {
    const { backplane, name, version } = manifest;
    const boards = [ethernet, ethernetInterface];
    expect(boards.map((b) => b.slot)).toEqual(backplane.provides);
    expect([...new Set(boards.flatMap((b) => b.requires))]).toEqual(backplane.requires);
    for (const b of boards) {
      expect([b.componentName, b.version, b.contract]).toEqual([name, version, backplane.contract]);
      expect(b.capabilities).toEqual(backplane.capabilities);
    }
  });

  it('have options with defaults, and refuse others', () => {
    expect(ethernet().options).toEqual({
      lengthMeters: 500,
      stationSpacingMeters: 2.5,
      positions: {},
      propagationNsPerMeter: 4.33,
      mtuBytes: 1500,
    });
    expect(ethernetInterface().options).toEqual({ unit: 0 });
    const wrong = [
      () => ethernet({ mtuBytes: 20 }),
      () => ethernetInterface({ unit: 256 }),
      // boundary: what a configuration file may say
      () => ethernet({ bandwidth: 1 } as object),
    ];
    for (const make of wrong) {
      let code = '';
      try {
        make();
      } catch (e) {
        code = (e as BackplaneError).code;
      }
      expect(code).toBe('WRONG_OPTION');
    }
  });

  it('give two interfaces of one machine two addresses, when each has its own unit', () => {
    const world = new World();
    const { machine, nic } = world.host('gateway');
    const second = interfaceOf(machine, world.medium, 1);
    expect([nic.address, second.address]).toEqual([0x020000000001, 0x020000010001]);
    expect(() => interfaceOf(machine, world.medium, 1)).toThrow(
      '02:00:00:01:00:01, which gateway has already',
    );
  });
});
