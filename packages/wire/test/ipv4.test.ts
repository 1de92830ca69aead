import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asIpv4,
  decodeIpv4,
  decodeUdp,
  encodeIpv4,
  encodeUdp,
  fragmentCount,
  fragmentIpv4,
  IP_PROTOCOLS,
  type Ipv4Datagram,
  internetChecksum,
  ipv4Header,
  parseIpv4,
  udpHeader,
  WireError,
} from '../src/index.ts';
import { defined, hex, randomBytes, seeded } from './hex.ts';

const source = parseIpv4('36.8.0.49');
const destination = parseIpv4('36.8.0.50');
const none = new Uint8Array(0);

/** The constant part of what the examples of RFC 791, appendix A, say. */
const example = { source, destination, identification: 111, timeToLive: 123, protocol: 6 };

const decoded = (bytes: Uint8Array): Ipv4Datagram => defined(decodeIpv4(bytes));

describe('ipv4', () => {
  it('writes and reads the smallest datagram of RFC 791, appendix A, example 1', () => {
    const packet = hex(`
      4 5 00 0015  006f 0 000  7b 01 f706  2408 0031  2408 0032
      2a
    `);
    expect(ipv4Header.decode(packet)).toEqual({
      version: 4,
      headerWords: 5,
      typeOfService: 0,
      totalLength: 21,
      identification: 111,
      dontFragment: false,
      moreFragments: false,
      fragmentOffset: 0,
      timeToLive: 123,
      protocol: 1,
      headerChecksum: 0xf706,
      source,
      destination,
    });
    const datagram = decoded(packet);
    expect(datagram).toMatchObject({
      ...example,
      protocol: 1,
      offsetBytes: 0,
      payload: hex('2a'),
      options: none,
    });
    expect(encodeIpv4(datagram)).toEqual(packet);
  });

  it('cuts the datagram of RFC 791, appendix A, example 2, as it is cut there', () => {
    const payload = randomBytes(seeded(791), 452);
    const fragments = defined(fragmentIpv4({ ...example, timeToLive: 119, payload }, 280));
    const packets = fragments.map((fragment) => encodeIpv4(fragment));
    expect(packets.map((packet) => packet.subarray(0, 20))).toEqual([
      hex('4500 0114 006f 2000 7706 da02 24080031 24080032'),
      hex('4500 00d8 006f 0020 7706 fa1e 24080031 24080032'),
    ]);
    expect(packets.map((packet) => packet.subarray(20))).toEqual([
      payload.subarray(0, 256),
      payload.subarray(256),
    ]);
  });

  it('tells beforehand how many fragments a payload makes', () => {
    fc.assert(
      fc.property(fc.nat(6000), fc.integer({ min: 68, max: 1501 }), (length, mtuBytes) => {
        const fragments = defined(fragmentIpv4({ ...example, payload: new Uint8Array(length) }, mtuBytes));
        expect(fragmentCount(length, mtuBytes - 20)).toBe(fragments.length);
      }),
    );
  });

  // Options as in example 3: two with a length, a one-byte one, another with a length, the end of the list.
  it('carries options, and pads them to whole words', () => {
    const options = hex('880301 44040203 01 070309 00');
    const packet = hex(`
      4 8 00 0240  006f 0 000  7b 06 5189  2408 0031  2408 0032
      8803 0144 0402 0301 0703 0900
    `);
    const datagram = { ...example, options, payload: new Uint8Array(544) };
    expect(encodeIpv4(datagram).subarray(0, 32)).toEqual(packet);
    expect(decoded(encodeIpv4(datagram)).options).toEqual(options);
    expect(decoded(encodeIpv4({ ...datagram, options: options.subarray(0, 11) })).options).toEqual(options);
  });

  it('copies into later fragments the options that say so', () => {
    const options = hex('880301 44040203 01 870304 00');
    const fragments = defined(fragmentIpv4({ ...example, options, payload: new Uint8Array(300) }, 100));
    expect(fragments.map((fragment) => fragment.options)).toEqual([
      options,
      ...Array.from({ length: fragments.length - 1 }, () => hex('880301 870304')),
    ]);
    for (const fragment of fragments) expect(encodeIpv4(fragment).length).toBeLessThanOrEqual(100);
  });

  it('stops copying options at a length that makes no sense', () => {
    for (const options of ['8800 0000', '8801 0000', '88ff 0000', '8888 8888', '0088 0400']) {
      const fragments = defined(
        fragmentIpv4({ ...example, options: hex(options), payload: new Uint8Array(100) }, 68),
      );
      expect(fragments[1]?.options).toEqual(none);
    }
  });

  it('ignores what the link appended', () => {
    const packet = encodeIpv4({ ...example, payload: hex('0102') });
    const padded = new Uint8Array(46);
    padded.set(packet);
    expect(decoded(padded).payload).toEqual(hex('0102'));
  });

  it('gives back every datagram', () => {
    fc.assert(
      fc.property(
        fc.record({
          source: fc.nat(0xffffffff).map(asIpv4),
          destination: fc.nat(0xffffffff).map(asIpv4),
          protocol: fc.nat(255),
          identification: fc.nat(0xffff),
          payload: fc.uint8Array({ maxLength: 100 }),
          typeOfService: fc.nat(255),
          timeToLive: fc.nat(255),
          dontFragment: fc.boolean(),
          moreFragments: fc.boolean(),
          offsetBytes: fc.nat(8191).map((blocks) => 8 * blocks),
          options: fc.nat(10).chain((words) => fc.uint8Array({ minLength: 4 * words, maxLength: 4 * words })),
        }),
        (datagram) => {
          const packet = encodeIpv4(datagram);
          expect(decodeIpv4(packet)).toEqual(datagram);
          expect(internetChecksum(packet, 0, 4 * ipv4Header.get.headerWords(packet, 0))).toBe(0);
        },
      ),
    );
  });

  it('drops what contradicts itself', () => {
    const good = encodeIpv4({ ...example, payload: new Uint8Array(8) });
    const damaged = (change: (bytes: Uint8Array) => void): Uint8Array => {
      const bytes = good.slice();
      change(bytes);
      ipv4Header.set.headerChecksum(bytes, 0, 0);
      const headerBytes = Math.min(4 * ipv4Header.get.headerWords(bytes, 0), bytes.length);
      ipv4Header.set.headerChecksum(bytes, 0, internetChecksum(bytes, 0, headerBytes));
      return bytes;
    };
    expect(decodeIpv4(damaged(() => {}))).toBeDefined();
    expect(decodeIpv4(damaged((bytes) => ipv4Header.set.version(bytes, 0, 6)))).toBeUndefined();
    expect(decodeIpv4(damaged((bytes) => ipv4Header.set.headerWords(bytes, 0, 4)))).toBeUndefined();
    expect(decodeIpv4(damaged((bytes) => ipv4Header.set.headerWords(bytes, 0, 15)))).toBeUndefined();
    expect(decodeIpv4(damaged((bytes) => ipv4Header.set.totalLength(bytes, 0, 19)))).toBeUndefined();
    expect(decodeIpv4(damaged((bytes) => ipv4Header.set.totalLength(bytes, 0, 29)))).toBeUndefined();
    expect(decodeIpv4(good.subarray(0, 19))).toBeUndefined();
    for (let bit = 0; bit < 160; bit++) {
      const flipped = good.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeIpv4(flipped)).toBeUndefined();
    }
  });

  it('refuses to send what does not fit', () => {
    for (const wrong of [
      { payload: new Uint8Array(65516) },
      { payload: none, options: new Uint8Array(41) },
      { payload: none, offsetBytes: 4 },
      { payload: none, identification: 65536 },
      { payload: none, protocol: 256 },
    ]) {
      expect(() => encodeIpv4({ ...example, ...wrong })).toThrow(WireError);
    }
    expect(encodeIpv4({ ...example, payload: new Uint8Array(65515) })).toHaveLength(65535);
  });
});

describe('udp', () => {
  const route = { source, destination };

  it('writes and reads a datagram whose checksum was worked out by hand (RFC 768)', () => {
    // Pseudo-header 2408 0031 2408 0032 0011 000d and 03ff 0801 000d 6865 6c6c 6f00 add up to 19870 with two carries.
    const packet = hex('03ff 0801 000d 678f 6865 6c6c 6f');
    const datagram = { sourcePort: 1023, destinationPort: 2049, payload: hex('68656c6c6f') };
    expect(encodeUdp(datagram, route)).toEqual(packet);
    expect(decodeUdp(packet, route)).toEqual(datagram);
  });

  it('sends a checksum of zero as all ones, and none as zero', () => {
    const datagram = { sourcePort: 1, destinationPort: 2, payload: hex('b764') };
    expect(udpHeader.get.checksum(encodeUdp(datagram, route), 0)).toBe(0xffff);
    expect(decodeUdp(encodeUdp(datagram, route), route)).toEqual(datagram);
    const unchecked = encodeUdp(datagram, route, { checksum: false });
    expect(udpHeader.get.checksum(unchecked, 0)).toBe(0);
    unchecked[9] = 0;
    expect(decodeUdp(unchecked, route)?.payload).toEqual(hex('b700'));
  });

  it('drops damaged datagrams, and those of other addresses', () => {
    const packet = encodeUdp({ sourcePort: 1, destinationPort: 2, payload: hex('010203') }, route);
    expect(decodeUdp(packet, { source, destination: source })).toBeUndefined();
    for (let bit = 0; bit < 8 * packet.length; bit++) {
      const damaged = packet.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeUdp(damaged, route)).toBeUndefined();
    }
    expect(decodeUdp(packet.subarray(0, 7), route)).toBeUndefined();
    expect(decodeUdp(hex('0001 0002 0007 0000'), route)).toBeUndefined();
  });

  it('refuses what does not fit', () => {
    const large = { sourcePort: 1, destinationPort: 2, payload: new Uint8Array(65528) };
    expect(() => encodeUdp(large, route)).toThrow(expect.objectContaining({ where: 'udp.length' }));
    expect(() => encodeUdp({ sourcePort: -1, destinationPort: 2, payload: none }, route)).toThrow(WireError);
  });

  it('rides in an Internet datagram', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
        const inner = encodeUdp({ sourcePort: 7, destinationPort: 9, payload }, route);
        const outer = decoded(
          encodeIpv4({ ...route, protocol: IP_PROTOCOLS.udp, identification: 1, payload: inner }),
        );
        expect(decodeUdp(outer.payload, outer)?.payload).toEqual(payload);
      }),
    );
  });

  it('never throws on hostile bytes, nor does ipv4', () => {
    const random = seeded(768);
    for (let trial = 0; trial < 1500; trial++) {
      const bytes = randomBytes(random, random(64));
      if (bytes.length >= 8 && random(2) === 0) bytes.set([0, random(64), 0, 0], 4);
      expect(() => decodeUdp(bytes, route)).not.toThrow();
      if (bytes.length > 0) bytes[0] = 0x40 | random(16);
      expect(() => decodeIpv4(bytes)).not.toThrow();
    }
  });
});
