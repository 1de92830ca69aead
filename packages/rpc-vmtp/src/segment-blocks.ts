/**
 * Segments in blocks of 512 bytes, and masks that name blocks (RFC 1045, section 2.13): bit i, counted from the lowest,
 * stands for bytes 512 i to 512 i + 511. Only the last block of a segment may be short. A mask is an unsigned number of 32
 * bits, a segment has at most 16 KB.
 */
import { limits } from './layout.ts';

const { blockBytes, blocks, padBytes } = limits;

/** How many blocks a segment has. */
export const blockCount = (segmentBytes: number): number => (segmentBytes + blockBytes - 1) >>> 9;

/** All blocks of a segment. */
export function allBlocks(segmentBytes: number): number {
  const count = blockCount(segmentBytes);
  return count === 0 ? 0 : 0xffff_ffff >>> (blocks - count);
}

/** Bytes of the blocks that a mask names. Blocks that the segment does not have count nothing. */
export function maskBytes(mask: number, segmentBytes: number): number {
  const within = mask & allBlocks(segmentBytes);
  const whole = ones(within) * blockBytes;
  const last = blockCount(segmentBytes) - 1;
  return last >= 0 && (within & (1 << last)) !== 0 ? whole - (blockBytes * (last + 1) - segmentBytes) : whole;
}

/** With what fills them up to 8 bytes. */
export const paddedBytes = (bytes: number): number => (bytes + padBytes - 1) & -padBytes;

/**
 * The blocks of the next packet: the lowest of `mask`, as many as fit; at least one if there is any. Of 14.5 blocks
 * 0x74ff, at two to a packet: 0x3, 0xc, 0x30, 0xc0, 0x1400, 0x6000.
 *
 * @param dataBytes what a packet has room for, at least 512
 */
export function nextPacketBlocks(mask: number, segmentBytes: number, dataBytes: number): number {
  const within = mask & allBlocks(segmentBytes);
  let left = within;
  for (let room = dataBytes >>> 9; room > 0 && left !== 0; room--) left &= left - 1;
  // One more, if it is the segment's last and short.
  const lastBytes = segmentBytes & (blockBytes - 1);
  if (lastBytes !== 0 && lastBytes <= (dataBytes & (blockBytes - 1)) && left === lastBlock(segmentBytes))
    left = 0;
  return (within & ~left) >>> 0;
}

const lastBlock = (segmentBytes: number): number => 1 << (blockCount(segmentBytes) - 1);

/** How many packets the blocks of a mask take. */
export function packetCount(mask: number, segmentBytes: number, dataBytes: number): number {
  let count = 0;
  for (let left = mask & allBlocks(segmentBytes); left !== 0; count++)
    left &= ~nextPacketBlocks(left, segmentBytes, dataBytes);
  return count;
}

/** The bytes at the start of the segment up to the first block that a mask lacks. */
export function prefixBytes(mask: number, segmentBytes: number): number {
  const lacking = ~mask & allBlocks(segmentBytes);
  return lacking === 0 ? segmentBytes : (31 - Math.clz32(lacking & -lacking)) * blockBytes;
}

/** Whether the blocks of a mask are one run of neighbours, or none. */
export const isOneRun = (mask: number): boolean => (mask & (mask + (mask & -mask))) === 0;

/** Where the lowest block of a mask begins; of an empty one, before the segment. */
export const startOf = (mask: number): number => (31 - Math.clz32(mask & -mask)) * blockBytes;

/**
 * The blocks of a mask that is one run, as a view of the segment.
 * @param bytes in these blocks: `maskBytes`
 * @param memory the segment's buffer, from who has asked for it: that is slow, and so is `subarray`; a view is not
 */
export function cutRun(
  segment: Uint8Array,
  mask: number,
  bytes: number,
  memory: ArrayBufferLike = segment.buffer,
): Uint8Array {
  return new Uint8Array(memory, segment.byteOffset + startOf(mask), bytes);
}

/** The lowest blocks of a mask that are neighbours, as a mask. */
export const lowestRun = (mask: number): number => mask & ~(mask + (mask & -mask));

/** The blocks of a mask as views of the segment, one for each run of neighbours. */
export function cutBlocks(segment: Uint8Array, mask: number): Uint8Array[] {
  const runs: Uint8Array[] = [];
  for (let left = mask & allBlocks(segment.length); left !== 0; ) {
    const run = lowestRun(left);
    const start = startOf(run);
    runs.push(segment.subarray(start, start + maskBytes(run, segment.length)));
    left &= ~run;
  }
  return runs;
}

/** Puts the blocks of a mask, which lie without gaps in `bytes`, into their places of the segment. */
export function placeBlocks(segment: Uint8Array, mask: number, bytes: Uint8Array): void {
  let from = 0;
  for (let left = mask & allBlocks(segment.length); left !== 0; ) {
    const run = lowestRun(left);
    const length = maskBytes(run, segment.length);
    segment.set(length === bytes.length ? bytes : bytes.subarray(from, from + length), startOf(run));
    from += length;
    left &= ~run;
  }
}

/** How many bits are set. */
function ones(mask: number): number {
  const pairs = mask - ((mask >>> 1) & 0x5555_5555);
  const nibbles = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
