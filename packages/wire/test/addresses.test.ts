import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asIpv4,
  asMac,
  BROADCAST_IPV4,
  BROADCAST_MAC,
  formatIpv4,
  formatMac,
  hostMac,
  isLocalMac,
  isMulticastIpv4,
  isMulticastMac,
  multicastMac,
  parseIpv4,
  parseMac,
  WireError,
} from '../src/index.ts';

describe('mac addresses', () => {
  it('are read and written as six bytes in hexadecimal', () => {
    expect(parseMac('08:00:20:01:02:03')).toBe(0x080020010203);
    expect(parseMac('9-0-56-ff-0-A')).toBe(0x090056ff000a);
    expect(formatMac(asMac(0x080020010203))).toBe('08:00:20:01:02:03');
    expect(formatMac(BROADCAST_MAC)).toBe('ff:ff:ff:ff:ff:ff');
    fc.assert(fc.property(fc.nat(2 ** 48 - 1), (n) => parseMac(formatMac(asMac(n))) === n));
    for (const text of ['', '08:00:20:01:02', '08:00:20:01:02:03:04', '08:00:20:01:02:g3', '080020010203']) {
      expect(() => parseMac(text)).toThrow(expect.objectContaining({ code: 'WIRE_TEXT' }));
    }
    for (const n of [-1, 2 ** 48, 0.5]) expect(() => asMac(n)).toThrow(WireError);
  });

  it('tell groups and local assignment by their first byte', () => {
    const facts = (text: string) => [isMulticastMac(parseMac(text)), isLocalMac(parseMac(text))];
    expect(facts('08:00:20:01:02:03')).toEqual([false, false]);
    expect(facts('09:00:56:ff:00:00')).toEqual([true, false]);
    expect(facts('02:00:00:00:00:01')).toEqual([false, true]);
    expect(facts('ff:ff:ff:ff:ff:ff')).toEqual([true, true]);
  });

  it('are derived from host ids without colliding with those of makers or groups', () => {
    expect(formatMac(hostMac(0))).toBe('02:00:00:00:00:00');
    expect(formatMac(hostMac(0xfffefdfc))).toBe('02:00:ff:fe:fd:fc');
    expect([isMulticastMac(hostMac(199)), isLocalMac(hostMac(199))]).toEqual([false, true]);
    for (const id of [-1, 2 ** 32, 1.5]) expect(() => hostMac(id)).toThrow(WireError);
  });
});

describe('internet addresses', () => {
  it('are read and written in dotted decimal', () => {
    expect(parseIpv4('36.8.0.49')).toBe(0x24080031);
    expect(formatIpv4(asIpv4(0xe0000100))).toBe('224.0.1.0');
    expect(formatIpv4(BROADCAST_IPV4)).toBe('255.255.255.255');
    fc.assert(fc.property(fc.nat(0xffffffff), (n) => parseIpv4(formatIpv4(asIpv4(n))) === n));
    for (const text of ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.x', '1..2.3']) {
      expect(() => parseIpv4(text)).toThrow(expect.objectContaining({ code: 'WIRE_TEXT' }));
    }
    for (const n of [-1, 2 ** 32, 0.5]) expect(() => asIpv4(n)).toThrow(WireError);
  });

  it('map host groups to Ethernet groups by their low 23 bits', () => {
    expect(isMulticastIpv4(parseIpv4('223.255.255.255'))).toBe(false);
    expect(isMulticastIpv4(parseIpv4('224.0.0.0'))).toBe(true);
    expect(isMulticastIpv4(parseIpv4('239.255.255.255'))).toBe(true);
    expect(isMulticastIpv4(parseIpv4('240.0.0.0'))).toBe(false);
    expect(formatMac(multicastMac(parseIpv4('224.0.1.0')))).toBe('01:00:5e:00:01:00');
    expect(formatMac(multicastMac(parseIpv4('232.136.160.90')))).toBe('01:00:5e:08:a0:5a');
    expect(() => multicastMac(parseIpv4('10.0.0.1'))).toThrow(WireError);
  });
});
