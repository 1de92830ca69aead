import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32, encodeUtf8, internetChecksum, onesComplementSum } from '../src/index.ts';
import { hex, randomBytes, seeded } from './hex.ts';

describe('crc-32', () => {
  it('has the published values', () => {
    expect(crc32(encodeUtf8('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
    expect(crc32(encodeUtf8('a'))).toBe(0xe8b7be43);
    expect(crc32(encodeUtf8('abc'))).toBe(0x352441c2);
    expect(crc32(encodeUtf8('The quick brown fox jumps over the lazy dog'))).toBe(0x414fa339);
    expect(crc32(new Uint8Array(32))).toBe(0x190a55ad);
    expect(crc32(new Uint8Array(32).fill(0xff))).toBe(0xff6cab0b);
    expect(crc32(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x91267e8a);
  });

  const byBits = (bytes: Uint8Array): number => {
    let register = 0xffffffff;
    for (const octet of bytes) {
      for (let bit = 0; bit < 8; bit++) {
        const feedback = ((register >>> 31) ^ (octet >>> bit)) & 1;
        register = ((register << 1) ^ (feedback === 1 ? 0x04c11db7 : 0)) >>> 0;
      }
    }
    // The register is read out from its most significant bit, which is sent first.
    let reversed = 0;
    for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((register >>> bit) & 1);
    return ~reversed >>> 0;
  };

  it('is that of the polynomial, bit by bit', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => crc32(bytes) === byBits(bytes)));
  });

  it('is the same wherever in memory a long run begins, and however it ends', () => {
    const memory = randomBytes(seeded(7), 1100);
    for (let from = 0; from < 20; from++) {
      for (let length = 240; length < 300; length++) {
        const bytes = memory.subarray(from, from + length);
        expect(crc32(bytes), `${length} bytes from ${from} on`).toBe(byBits(bytes));
      }
    }
    for (let cut = 0; cut <= memory.length; cut += 37)
      expect(crc32(memory.subarray(cut), crc32(memory.subarray(0, cut)))).toBe(byBits(memory));
  });

  it('goes on from one run of bytes to the next', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (first, second) => {
        expect(crc32(second, crc32(first))).toBe(crc32(Uint8Array.of(...first, ...second)));
      }),
    );
  });

  it('notices every change of one bit in a full frame', () => {
    const frame = randomBytes(seeded(3), 300);
    const whole = crc32(frame);
    for (let bit = 0; bit < 8 * frame.length; bit++) {
      const changed = frame.slice();
      changed[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(crc32(changed)).not.toBe(whole);
    }
  });
});

describe('internet checksum', () => {
  it('is that of the example of RFC 1071, section 3', () => {
    const example = hex('0001 f203 f4f5 f6f7');
    expect(onesComplementSum(example)).toBe(0xddf2);
    expect(internetChecksum(example)).toBe(0x220d);
  });

  it('takes an odd byte at the end as the high half of a word', () => {
    expect(onesComplementSum(hex('0102 03'))).toBe(0x0402);
    expect(onesComplementSum(new Uint8Array(0))).toBe(0);
  });

  it('can be summed in parts of even length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(32), (bytes, half) => {
        const cut = Math.min(2 * half, bytes.length & ~1);
        const first = onesComplementSum(bytes, 0, cut);
        expect(onesComplementSum(bytes, cut, bytes.length, first)).toBe(onesComplementSum(bytes));
      }),
    );
  });

  it('is zero over a block that contains it, however long', () => {
    const random = seeded(5);
    for (const size of [2, 20, 65534, 400000]) {
      const block = randomBytes(random, size).fill(0, 0, 2);
      const checksum = internetChecksum(block);
      block.set([checksum >> 8, checksum & 0xff]);
      expect(internetChecksum(block)).toBe(0);
    }
  });
});
