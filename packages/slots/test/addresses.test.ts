import { formatIpv4, parseIpv4 } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import {
  chooseInterface,
  hostId,
  internetAddress,
  internetHost,
  isBackplaneError,
  type Nic,
} from '../src/index.ts';

describe('internet addresses', () => {
  it('tell hosts of a cluster, there and back', () => {
    expect(formatIpv4(internetAddress(hostId(7)))).toBe('10.1.0.7');
    for (const n of [1, 42, 199]) expect(internetHost(internetAddress(hostId(n)))).toBe(n);
  });

  it('of everybody and of nobody are those of no host', () => {
    expect(formatIpv4(internetAddress(hostId(0)))).toBe('255.255.255.255');
    for (const text of ['255.255.255.255', '10.1.0.0', '10.1.0.200', '10.1.1.1', '0.0.0.1'])
      expect(internetHost(parseIpv4(text))).toBeUndefined();
  });
});

describe('the interface that an option means', () => {
  const place = { board: 'a board', machine: 'mint' };
  const nics = (...names: string[]): ReadonlyMap<string, Nic> =>
    new Map(names.map((name, i) => [name, { address: i } as Nic]));
  const errorOf = (interfaces: ReadonlyMap<string, Nic>, wanted: string): unknown => {
    try {
      return chooseInterface(place, interfaces, wanted).address;
    } catch (e) {
      return isBackplaneError(e) ? [e.code, e.message, e.hint] : e;
    }
  };

  it('is the one named, or the only one', () => {
    expect(chooseInterface(place, nics('eth0', 'eth1'), 'eth1').address).toBe(1);
    expect(chooseInterface(place, nics('eth0'), '').address).toBe(0);
  });

  it('is asked for when there is none of the name, or more than one', () => {
    const near = [
      'WRONG_OPTION',
      'a board on mint: there is no network interface "eth2" among eth0.',
      'Set the option "nic" to "eth0".',
    ];
    expect(errorOf(nics('eth0'), 'eth2')).toEqual(near);
    const two = expect.stringContaining('2 network interfaces (eth0, le0)');
    expect(errorOf(nics('eth0', 'le0'), '')).toEqual([
      'WRONG_OPTION',
      two,
      expect.stringContaining('one of them'),
    ]);
  });
});
