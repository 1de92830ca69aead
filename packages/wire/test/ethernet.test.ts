import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ARP_OPERATIONS,
  appendFcs,
  asMac,
  BROADCAST_MAC,
  decodeArp,
  decodeFrame,
  ETHER_TYPES,
  ETHERNET,
  encodeArp,
  encodeFrame,
  ethernetHeader,
  parseIpv4,
  parseMac,
  removeFcs,
  WireError,
} from '../src/index.ts';
import { defined, hex, randomBytes, sameBytes, seeded } from './hex.ts';

const sun = parseMac('08:00:20:01:02:03');

// RFC 826: "who has 36.8.0.50, tell 36.8.0.49", padded to the least frame, with the frame check sequence.
const request = hex(`
  ffff ffff ffff 0800 2001 0203 0806 | destination, source, type
  0001 0800 06 04 0001               | Ethernet, IP, lengths, request
  0800 2001 0203 2408 0031           | sender
  0000 0000 0000 2408 0032           | target
  0000 0000 0000 0000 0000 0000 0000 0000 0000
  b582 581f                          | frame check sequence
`);

describe('ethernet', () => {
  it('takes a packet apart that was written by hand, and puts it together again', () => {
    expect(request).toHaveLength(ETHERNET.frameBytesMin);
    const frame = defined(decodeFrame(defined(removeFcs(request))));
    expect(frame).toEqual({
      destination: BROADCAST_MAC,
      source: sun,
      type: ETHER_TYPES.arp,
      payload: request.subarray(14, 60),
    });
    const message = defined(decodeArp(frame.payload));
    expect(message).toEqual({
      operation: ARP_OPERATIONS.request,
      protocolType: ETHER_TYPES.ipv4,
      senderMac: sun,
      senderAddress: parseIpv4('36.8.0.49'),
      targetMac: 0,
      targetAddress: parseIpv4('36.8.0.50'),
    });
    const payload = encodeArp(message);
    expect(payload).toHaveLength(28);
    const again = encodeFrame({ destination: BROADCAST_MAC, source: sun, type: ETHER_TYPES.arp, payload });
    expect(appendFcs(again)).toEqual(request);
  });

  it('gives the payload back, padded to 46 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: ETHERNET.mtuBytes }), fc.nat(0xffff), (payload, type) => {
        const bytes = encodeFrame({ destination: sun, source: asMac(1), type, payload });
        expect(bytes.length).toBe(Math.max(60, 14 + payload.length));
        const frame = defined(decodeFrame(bytes));
        expect([frame.destination, frame.source, frame.type]).toEqual([sun, 1, type]);
        expect(sameBytes(frame.payload.subarray(0, payload.length), payload)).toBe(true);
        expect(frame.payload.subarray(payload.length).every((octet) => octet === 0)).toBe(true);
        expect(sameBytes(defined(removeFcs(appendFcs(bytes))), bytes)).toBe(true);
      }),
    );
  });

  it('reaches its largest frame with a full payload, and refuses a larger one', () => {
    const frame = { destination: sun, source: sun, type: ETHER_TYPES.spriteRpc };
    const full = appendFcs(encodeFrame({ ...frame, payload: new Uint8Array(1500) }));
    expect(full).toHaveLength(ETHERNET.frameBytesMax);
    expect(() => encodeFrame({ ...frame, payload: new Uint8Array(1501) })).toThrow(WireError);
    expect(encodeFrame({ ...frame, payload: new Uint8Array(9000) }, 9000)).toHaveLength(9014);
  });

  it('notices a damaged frame and a fragment of a frame', () => {
    for (let bit = 0; bit < 8 * request.length; bit++) {
      const damaged = request.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(removeFcs(damaged)).toBeUndefined();
    }
    expect(removeFcs(request.subarray(0, 63))).toBeUndefined();
    expect(removeFcs(appendFcs(new Uint8Array(59)))).toBeUndefined();
    expect(decodeFrame(request.subarray(0, 13))).toBeUndefined();
    expect(decodeFrame(request.subarray(0, 14))?.payload).toHaveLength(0);
  });

  it('lets a receiver look at the type alone', () => {
    expect(ethernetHeader.get.type(request, 0)).toBe(ETHER_TYPES.arp);
    expect(ethernetHeader.offset.type).toBe(12);
  });
});

describe('arp', () => {
  it('asks for a Sprite host id by its Ethernet address (RFC 903)', () => {
    const message = {
      operation: ARP_OPERATIONS.reverseRequest,
      protocolType: ETHER_TYPES.spriteRpc,
      senderMac: sun,
      senderAddress: 0,
      targetMac: sun,
      targetAddress: 0,
    };
    const packet = encodeArp(message);
    expect(packet).toEqual(hex('0001 0500 0604 0003 080020010203 00000000 080020010203 00000000'));
    expect(decodeArp(packet)).toEqual(message);
  });

  it('drops what is not about Ethernet and addresses of four bytes', () => {
    const good = request.subarray(14, 42);
    expect(decodeArp(good)).toBeDefined();
    for (const [at, octet] of [
      [1, 6],
      [4, 8],
      [5, 16],
    ] as const) {
      const bad = good.slice();
      bad[at] = octet;
      expect(decodeArp(bad)).toBeUndefined();
    }
    expect(decodeArp(good.subarray(0, 27))).toBeUndefined();
  });

  it('never throws on hostile bytes', () => {
    const random = seeded(826);
    for (let trial = 0; trial < 2000; trial++) {
      const bytes = randomBytes(random, random(40));
      bytes.set([0, 1, 8, 0, 6, 4].slice(0, Math.min(random(7), bytes.length)));
      const message = decodeArp(bytes);
      if (message) expect(decodeArp(encodeArp(message))).toEqual(message);
    }
  });
});
