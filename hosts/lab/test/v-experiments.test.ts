import { microvax2 } from '@backplane/hw-machines';
import { describe, expect, it } from 'vitest';
import type { DayResult } from '../src/experiments/day.ts';
import { experiment, parseSetting, type RunSettings, runExperiment, verifyExperiment } from '../src/index.ts';

const short: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['ipc-table', { times: '2' }],
  ['uio-table', { kilobytes: '8' }],
  ['process-creation', { times: '3' }],
  ['co-resident', { times: '3' }],
  ['memory-or-disk', { units: '3' }],
  ['pipe', { kilobytes: '8' }],
  ['day', { users: '2', minutes: '3' }],
];

/** The measures of a run, by name. */
function measured(name: string, settings: RunSettings): Readonly<Record<string, number>> {
  const e = experiment(name);
  return e.measures(runExperiment(e, settings).result);
}

describe.each(short)('%s', (name, parameters) => {
  it('is the same twice, and its result is plain data', () => {
    const e = experiment(name);
    expect(verifyExperiment(e, { parameters }).equal).toBe(true);
    const { result } = runExperiment(e, { parameters });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(e.table(result).rows.length).toBeGreaterThan(0);
  });

  it('measures nothing senseless on machines of no cost', () => {
    const values = Object.entries(measured(name, { parameters, machineTypes: { '': 'zero-cost' } }));
    expect(values.length).toBeGreaterThan(0);
    expect(values.filter(([, v]) => !Number.isFinite(v) || v < 0)).toEqual([]);
  });

  it('names the parameter that it does not have', () => {
    expect(() => experiment(name).parameters({ nonsense: '1' })).toThrow('nonsense');
  });
});

describe('ipc-table', () => {
  const m = measured('ipc-table', { parameters: { times: '3' } });
  const at = (what: string): number => m[`ipc.remote.${what}.milliseconds`] ?? 0;

  it.each([4096, 8192, 12_288, 16_384])(
    'moves %i bytes out of a client at the price of moving them in',
    (n) => {
      expect(at(`moved${n}to0`)).toBeGreaterThan(at('0to0'));
      expect(Math.abs(at(`moved${n}to0`) / at(`0to${n}`) - 1)).toBeLessThan(0.01);
    },
  );

  it('finds data that come along with the request cheaper than data that are moved: there is one transaction less', () => {
    const less = at('moved16384to0') - at('16384to0');
    expect(less).toBeGreaterThan(0.8 * at('0to0'));
    expect(less).toBeLessThan(1.2 * at('0to0'));
  });
});

describe('co-resident', () => {
  it('finds a kernel server of another machine as soon by its group and a process beside it as by itself', () => {
    const m = measured('co-resident', {});
    const remote = m['coResident.remote.directMilliseconds'] ?? 0;
    expect(remote).toBeGreaterThan(m['coResident.local.directMilliseconds'] ?? 0);
    for (const place of ['local', 'remote']) {
      const direct = m[`coResident.${place}.directMilliseconds`] ?? 0;
      expect(m[`coResident.${place}.besideMilliseconds`]).toBeCloseTo(direct, 6);
    }
  });
});

describe('memory-or-disk', () => {
  it('finds the memory of another machine between its own memory and its own disk', () => {
    const m = measured('memory-or-disk', { parameters: { units: '8' } });
    const other = m['reading.otherMemoryMilliseconds'] ?? 0;
    expect(other).toBeGreaterThan(m['reading.ownMemoryMilliseconds'] ?? 0);
    expect(other).toBeLessThan(m['reading.ownDiskMilliseconds'] ?? 0);
  });

  it('has no figure for a disk where there is none', () => {
    const m = measured('memory-or-disk', {
      parameters: { units: '3' },
      settings: [parseSetting('storage=memory')],
    });
    expect(Object.keys(m)).toEqual(['reading.ownMemoryMilliseconds', 'reading.otherMemoryMilliseconds']);
  });
});

describe('uio-table', () => {
  it('finds a block cheaper than its bytes one by one, a local one cheaper than a remote one, a cached one than either', () => {
    const m = measured('uio-table', { parameters: { kilobytes: '16' } });
    for (const place of ['local', 'remote']) {
      const at = (what: string): number => m[`uio.${place}.${what}Milliseconds`] ?? 0;
      expect(at('communication')).toBeLessThan(at('blocks'));
      expect(at('blocks')).toBeLessThan(at('bytes'));
      // A buffer filled, and its bytes: nothing else is charged for a stream.
      expect(at('blocks') + at('getByte')).toBeCloseTo(at('bytes'), 0);
    }
    expect(m['uio.local.blocksMilliseconds']).toBeLessThan(m['uio.remote.blocksMilliseconds'] ?? 0);
    expect(m['uio.cached.hitMilliseconds']).toBeLessThan(m['uio.local.blocksMilliseconds'] ?? 0);
    expect(m['uio.cached.missMilliseconds']).toBeGreaterThan(m['uio.remote.blocksMilliseconds'] ?? 0);
    expect(m['uio.local.getByteMilliseconds']).toBeCloseTo(m['uio.remote.getByteMilliseconds'] ?? 0, 1);
  });
});

describe('process-creation', () => {
  it('costs a descriptor, and two calls of procedures of the same kernel', () => {
    const { costs } = microvax2;
    const ms = measured('process-creation', {})['process.createAndDestroyMilliseconds'] ?? 0;
    const leastNs = costs.descriptorCreateNs + 2 * 2 * costs.trapNs;
    expect(ms).toBeGreaterThan(leastNs / 1e6);
    expect(ms).toBeLessThan((1.02 * leastNs) / 1e6);
  });
});

describe('pipe', () => {
  it('costs more outside of the kernel, and less of the whole where programs take the bytes one by one', () => {
    const m = measured('pipe', { parameters: { kilobytes: '64' } });
    for (const place of ['local', 'remote']) {
      expect(m[`pipe.${place}.bytes.penaltyPercent`]).toBeGreaterThan(0);
      expect(m[`pipe.${place}.bytes.penaltyPercent`]).toBeLessThan(
        m[`pipe.${place}.blocks.penaltyPercent`] ?? 0,
      );
    }
  });

  it('costs more outside of the kernel, the less so the larger the blocks', () => {
    const penalty = (blockBytes: string): number =>
      measured('pipe', { parameters: { kilobytes: '64', 'block-bytes': blockBytes } })[
        'pipe.local.blocks.penaltyPercent'
      ] ?? 0;
    const [small, large] = [penalty('1024'), penalty('8192')];
    expect(large).toBeGreaterThan(0);
    expect(small).toBeGreaterThan(large);
  });
});

describe('day', () => {
  const users = 2;
  const minutes = 10;
  const parameters = { users: String(users), minutes: String(minutes) };
  const result = runExperiment(experiment('day'), { parameters }).result as DayResult;

  it('ends without an error of any user, and does what the study says of opens', () => {
    expect(result.unfinished).toBe(0);
    // 0.249 in a second by each user, who starts programs at random.
    expect(result.opens / (users * minutes * 60)).toBeGreaterThan(0.18);
    expect(result.opens / (users * minutes * 60)).toBeLessThan(0.32);
  });

  it('asks everybody for the two domains once for each user', () => {
    expect(result.lookupsMulticast).toBe(2 * users);
    expect(result.lookups).toBeGreaterThan(100);
  });

  it('sends two messages at the least for each file that is opened, in no fewer packets', () => {
    expect(result.messages).toBeGreaterThan(2 * (result.opens + result.programs));
    expect(result.packets).toBeGreaterThan(result.messages);
    expect(result.shortMessages).toBeLessThan(result.messages);
    expect(result.multicastPackets).toBeLessThan(result.packets);
  });
});
