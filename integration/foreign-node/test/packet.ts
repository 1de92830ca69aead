/**
 * VMTP packets as RFC 1045 draws them (section 3.3), made and read with a DataView: 64 bytes of header, of which the last 32
 * are the message; the 512-byte blocks of the segment that the packet names, padded to 8 bytes; the checksum.
 *
 * Written from the RFC alone: it shares nothing with the packets of `@backplane/rpc-vmtp` but what the RFC says of both.
 */
import { ms, type Scope, Timer } from '@backplane/engine';

/** The 32 bytes of the message, and its segment. */
export interface Message {
  readonly control: Uint8Array;
  readonly segment: Uint8Array;
}

/** What the packets of one group have in common, besides the message. */
export interface Header {
  readonly client: bigint;
  readonly server: bigint;
  readonly multicast: boolean;
  /** The fourth word as it is: flags 8, DRT 1, retransmissions 3, forwards 4, gap 8, priority 4, 0 3, function 1. */
  readonly about: number;
  readonly transaction: number;
}
/** Its segment is what of the message's is in this packet. */
export interface Packet extends Header, Message {
  /** Bit i: block i. */
  readonly delivery: number;
}

/** In `about`: acknowledge; belongs to a run or a longer message; the client is in the group; is a response. */
export const About = { apg: 0x4000_0000, streamed: 0x3200_0000, mdg: 0x0400_0000, response: 1 } as const;
/** In the first byte of the message: datagram or idempotent, some blocks only, segment, co-resident. */
export const Code = { dgm: 0x40, mdm: 0x20, sda: 0x10, cre: 0x04 } as const;

const [headerBytes, checksumBytes, blockBytes, segmentBytesMax] = [64, 4, 512, 16_384];
const [restNs, restTriesMax] = [ms(40), 5];

export const viewOf = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.byteLength);
export const has = (control: Uint8Array, flag: number): boolean => ((control[0] ?? 0) & flag) !== 0;

// ---- blocks ----

const blocksIn = (mask: number): number[] =>
  Array.from({ length: 32 }, (_, i) => i).filter((i) => ((mask >>> i) & 1) !== 0);

/** Of these blocks; only the last one of the segment may be short. */
const dataBytes = (mask: number, ofBytes: number): number =>
  blocksIn(mask).reduce((sum, i) => sum + Math.min(blockBytes, ofBytes - i * blockBytes), 0);
const padded = (bytes: number): number => 8 * Math.ceil(bytes / 8);

const sizeOf = (control: Uint8Array): number => (has(control, Code.sda) ? viewOf(control).getUint32(28) : 0);

/** The blocks that are sent of a message: those of its segment, or of these the ones that it names. */
export function blocksOf(control: Uint8Array): number {
  const blocks = Math.ceil(sizeOf(control) / blockBytes);
  const all = blocks < 32 ? (1 << blocks) - 1 : -1;
  return (has(control, Code.mdm) ? all & viewOf(control).getUint32(24) : all) >>> 0;
}

/** The blocks of `mask`, two in a packet; one packet without data if there are none. */
export function packets(header: Header, { control, segment }: Message, mask: number): Uint8Array[] {
  const blocks = blocksIn(mask & blocksOf(control));
  return Array.from({ length: Math.max(1, Math.ceil(blocks.length / 2)) }, (_, i) => {
    const some = blocks.slice(2 * i, 2 * i + 2);
    const delivery = some.reduce((of, block) => of | (1 << block), 0);
    const data = some.flatMap((block) => [...segment.subarray(block * blockBytes, (block + 1) * blockBytes)]);
    return encode({ ...header, delivery, control, segment: Uint8Array.from(data) });
  });
}

/** A message whose packets arrive in any order. After a silence it asks for the rest, by what is here. */
export class Arriving implements Message {
  readonly first: Packet;
  readonly control: Uint8Array;
  readonly segment: Uint8Array;
  missing: number;
  readonly rest: Timer;

  constructor(scope: Scope, first: Packet, demand: (here: number) => void) {
    [this.first, this.control] = [first, first.control];
    this.segment = new Uint8Array(sizeOf(first.control));
    this.missing = blocksOf(first.control);
    let tries = 0;
    this.rest = new Timer(scope, 'rest of a message', () => {
      demand(blocksOf(first.control) & ~this.missing);
      if (++tries < restTriesMax) this.rest.set(2 * restNs);
    });
  }

  /** Tells whether it is whole now. A packet that is not of the same message is left alone. */
  add({ control, delivery, segment }: Packet): boolean {
    if (control.some((byte, i) => byte !== this.control[i])) return false;
    for (const [i, block] of blocksIn(delivery).entries())
      this.segment.set(segment.subarray(i * blockBytes, (i + 1) * blockBytes), block * blockBytes);
    this.missing &= ~delivery;
    if (this.missing === 0) this.rest.cancel();
    else this.rest.set(delivery === 0 ? 0 : restNs);
    return this.missing === 0;
  }
}

// ---- bytes ----

/** Two one's complement sums of 16-bit words: of the odd clusters of 32 bytes, and of the even ones. */
function checksum(view: DataView, end: number): number {
  const sums: [number, number] = [0, 0];
  for (let at = 0; at < end; at += 2) sums[(at & 32) === 0 ? 0 : 1] += view.getUint16(at);
  const ends = sums.map((sum) => (sum === 0 ? 0xffff : ((sum - 1) % 0xffff) + 1));
  return ends.reduce((upper, lower) => upper * 0x1_0000 + lower);
}

export function encode(p: Packet): Uint8Array {
  const end = headerBytes + padded(p.segment.length);
  const bytes = new Uint8Array(end + checksumBytes);
  const view = viewOf(bytes);
  view.setBigUint64(0, p.client);
  view.setUint32(8, 0x1_0000 | (p.multicast ? 0x2000 : 0) | ((end - headerBytes) / 4));
  for (const [i, value] of [p.about, p.transaction, p.delivery].entries()) view.setUint32(12 + 4 * i, value);
  view.setBigUint64(24, p.server);
  bytes.set(p.control, 32);
  bytes.set(p.segment, headerBytes);
  view.setUint32(end, checksum(view, end));
  return bytes;
}

/** Undefined for what is no packet, or one of another version or domain, or hidden, or damaged. */
export function decode(bytes: Uint8Array): Packet | undefined {
  const [view, end] = [viewOf(bytes), bytes.length - checksumBytes];
  if (end < headerBytes) return undefined;
  const [bits, delivery, sum] = [view.getUint32(8), view.getUint32(20), view.getUint32(end)];
  const control = bytes.subarray(32, headerBytes);
  const size = dataBytes(delivery, sizeOf(control));
  const lengths = [headerBytes + 4 * (bits & 0x1fff), headerBytes + padded(size)];
  if ((bits & 0xffff_4000) !== 0x1_0000 || lengths.some((length) => length !== end)) return undefined;
  if (sizeOf(control) > segmentBytesMax || (delivery & ~blocksOf(control)) !== 0) return undefined;
  if (sum !== 0 && sum !== checksum(view, (bits & 0x8000) === 0 ? end : headerBytes)) return undefined;
  const [client, server, multicast] = [view.getBigUint64(0), view.getBigUint64(24), (bits & 0x2000) !== 0];
  const [about, transaction] = [view.getUint32(12), view.getUint32(16)];
  const segment = bytes.subarray(headerBytes, headerBytes + size);
  return { client, server, multicast, about, transaction, delivery, control, segment };
}
