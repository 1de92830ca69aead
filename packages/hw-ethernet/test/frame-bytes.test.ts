import { Frame } from '@backplane/slots';
import { crc32 } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { frameBytes } from '../src/index.ts';

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** Over a good frame and its check sequence the CRC register always ends on the same value (IEEE 802.3 clause 3.2.8). */
const goodResidue = 0x2144df1c;

describe('the bytes of a frame', () => {
  it('are its header, its payload, zeros up to 60 bytes, and its frame check sequence', () => {
    const payload = Uint8Array.of(0xde, 0xad);
    const bytes = frameBytes(new Frame(0xffffffffffff, 0x020000000001, 0x0500, [payload]));
    expect(bytes).toHaveLength(64);
    expect(hex(bytes.subarray(0, 18))).toBe('ff ff ff ff ff ff 02 00 00 00 00 01 05 00 de ad 00 00');
    expect(bytes.subarray(18, 60).every((byte) => byte === 0)).toBe(true);
    expect(crc32(bytes)).toBe(goodResidue);
  });

  it('are not padded when the payload is long enough', () => {
    const parts = [new Uint8Array(20).fill(1), new Uint8Array(1480).fill(2)];
    const bytes = frameBytes(new Frame(0x020000000002, 0x020000000001, 0x0800, parts));
    expect(bytes).toHaveLength(1518);
    expect([bytes[33], bytes[34], bytes[1513]]).toEqual([1, 2, 2]);
    expect(crc32(bytes)).toBe(goodResidue);
  });

  it('end on a wrong frame check sequence when the frame is damaged', () => {
    const bytes = frameBytes(new Frame(0x020000000002, 0x020000000001, 0x0800, [new Uint8Array(46)], true));
    expect(bytes).toHaveLength(64);
    expect(crc32(bytes)).not.toBe(goodResidue);
  });
});
