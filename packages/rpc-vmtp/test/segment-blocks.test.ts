import { Engine } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import {
  allBlocks,
  blockCount,
  limits,
  maskBytes,
  nextPacketBlocks,
  packetCount,
  prefixBytes,
} from '../src/index.ts';
import { cutBlocks, cutRun, isOneRun, placeBlocks } from '../src/segment-blocks.ts';
import { joined, pattern, same } from './hand.ts';

/** Which blocks, as a list: the model that masks are compared with. */
const listed = (mask: number, segmentBytes: number): number[] =>
  Array.from({ length: Math.ceil(segmentBytes / 512) }, (_, i) => i).filter(
    (i) => Math.floor(mask / 2 ** i) % 2 === 1,
  );
const bytesOf = (block: number, segmentBytes: number): number => Math.min(512, segmentBytes - 512 * block);

function packets(mask: number, segmentBytes: number, dataBytes: number): number[] {
  const found: number[] = [];
  for (let left = mask & allBlocks(segmentBytes); left !== 0; ) {
    const next = nextPacketBlocks(left, segmentBytes, dataBytes);
    found.push(next);
    left &= ~next;
  }
  return found;
}

describe('vmtp, blocks of a segment', () => {
  it('cuts the example of the RFC into six packets', () => {
    const segmentBytes = 0x1d00;
    expect(blockCount(segmentBytes)).toBe(15);
    for (const dataBytes of [1432, 1408]) {
      const cut = packets(0x74ff, segmentBytes, dataBytes);
      expect(cut).toEqual([0x3, 0xc, 0x30, 0xc0, 0x1400, 0x6000]);
      expect(cut.map((mask) => maskBytes(mask, segmentBytes) / 4)).toEqual([256, 256, 256, 256, 256, 192]);
      expect(packetCount(0x74ff, segmentBytes, dataBytes)).toBe(6);
    }
  });

  it('lets a short last block ride along where it fits', () => {
    expect(packets(0xff, 1024 + 384, 1408)).toEqual([0b111]);
    expect(packets(0xff, 1024 + 385, 1408)).toEqual([0b011, 0b100]);
    expect(packets(0xff, 1024 + 385, 1432)).toEqual([0b111]);
    expect(packets(0b101, 1024 + 512, 1408)).toEqual([0b101]);
  });

  it('takes a whole packet group in 16 packets on an Ethernet, and in 32 of the basic packet', () => {
    expect(packetCount(0xffff_ffff, 16_384, 1432)).toBe(16);
    expect(packetCount(0xffff_ffff, 16_384, 512)).toBe(32);
    expect(packetCount(0xffff_ffff, 16_384, 16_384)).toBe(1);
    expect(nextPacketBlocks(0xffff_ffff, 16_384, 16_384)).toBe(0xffff_ffff);
    expect(packetCount(0, 16_384, 1432)).toBe(0);
    expect(packetCount(0xffff_ffff, 0, 1432)).toBe(0);
  });

  it('counts blocks and bytes of every size', () => {
    expect([0, 1, 512, 513, 16_384].map(blockCount)).toEqual([0, 1, 1, 2, 32]);
    expect([0, 1, 512, 513, 15_873, 16_384].map(allBlocks)).toEqual([0, 1, 1, 3, 0xffff_ffff, 0xffff_ffff]);
    expect(maskBytes(0xffff_ffff, 16_384)).toBe(16_384);
    expect(maskBytes(0x8000_0000, 16_383)).toBe(511);
    expect(maskBytes(0xffff_ffff, 5)).toBe(5);
    expect(maskBytes(0b10, 5)).toBe(0);
  });

  it('agrees with a list of blocks, whatever the mask and the size', () => {
    const random = new Engine({ seed: 31 }).random('blocks');
    for (let i = 0; i < 2000; i++) {
      const segmentBytes = random.below(limits.groupBytes + 1);
      const mask = random.chance(0.2) ? 0xffff_ffff : random.uint32();
      const dataBytes = random.pick([512, 1024, 1408, 1432, 4096, 16_384]);
      const about = `seed 31, round ${i}: mask ${mask.toString(16)} of ${segmentBytes} bytes in ${dataBytes}`;
      const blocks = listed(mask, segmentBytes);
      const total = blocks.reduce((sum, block) => sum + bytesOf(block, segmentBytes), 0);
      expect(maskBytes(mask, segmentBytes), about).toBe(total);

      const cut = packets(mask, segmentBytes, dataBytes);
      expect(packetCount(mask, segmentBytes, dataBytes), about).toBe(cut.length);
      // Together they are the blocks in order, each fits, and none could have taken the next one's first block.
      expect(
        cut.flatMap((packet) => listed(packet, segmentBytes)),
        about,
      ).toEqual(blocks);
      for (const [k, packet] of cut.entries()) {
        expect(maskBytes(packet, segmentBytes), about).toBeLessThanOrEqual(dataBytes);
        const [next] = listed(cut[k + 1] ?? 0, segmentBytes);
        if (next !== undefined)
          expect(maskBytes(packet, segmentBytes) + bytesOf(next, segmentBytes), about).toBeGreaterThan(
            dataBytes,
          );
      }

      let prefix = 0;
      while (prefix < blockCount(segmentBytes) && blocks[prefix] === prefix) prefix++;
      expect(prefixBytes(mask, segmentBytes), about).toBe(Math.min(segmentBytes, prefix * 512));
    }
  });

  it('cuts a segment into views, and puts them back into their places', () => {
    const random = new Engine({ seed: 32 }).random('blocks');
    for (let i = 0; i < 300; i++) {
      const segment = pattern(random.below(limits.groupBytes + 1), i);
      const back = new Uint8Array(segment.length);
      const dataBytes = random.pick([512, 1432, 16_384]);
      const mask = random.chance(0.5) ? 0xffff_ffff : random.uint32();
      for (const packet of random.shuffle(packets(mask, segment.length, dataBytes))) {
        const parts = cutBlocks(segment, packet);
        expect(isOneRun(packet)).toBe(parts.length < 2);
        if (parts.length === 1)
          expect(cutRun(segment, packet, maskBytes(packet, segment.length))).toEqual(parts[0]);
        expect(parts.every((part) => part.buffer === segment.buffer)).toBe(true);
        placeBlocks(back, packet, joined(parts));
      }
      const expected = new Uint8Array(segment.length);
      for (const block of listed(mask, segment.length))
        expected.set(segment.subarray(512 * block, 512 * (block + 1)), 512 * block);
      expect(same(back, expected), `seed 32, round ${i}`).toBe(true);
    }
  });
});
