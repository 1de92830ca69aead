/**
 * Ethernet II frames ("The Ethernet", DEC, Intel and Xerox, version 2.0, 1982) within the sizes of IEEE 802.3.
 *
 *   destination 6 | source 6 | type 2 | payload 46..1500, padded with zeros | frame check sequence 4
 *
 * The preamble is no part of a frame here. The frame check sequence is apart (`appendFcs`, `removeFcs`): controllers make
 * and check it, and captures are without it.
 *
 * The type is always taken as a type, never as an 802.3 length: Sprite's 0x0500 is older than the rule that types begin at
 * 0x0600.
 */
import { crc32 } from './crc32.ts';
import { outOfRange } from './errors.ts';
import { u16, u32 } from './integers.ts';
import { type Layout, layout } from './layout.ts';
import { type MacAddress, mac } from './mac-address.ts';

/** Sizes of IEEE 802.3 (sections 3.2.7 and 4.4.2); those of frames count header and frame check sequence. */
export const ETHERNET = {
  headerBytes: 14,
  mtuBytes: 1500,
  fcsBytes: 4,
  frameBytesMin: 64,
  frameBytesMax: 1518,
} as const;

/** What a frame carries (RFC 1340, "Ethernet Numbers of Interest"; Sprite's from its kernel sources). */
export const ETHER_TYPES = {
  spriteRpc: 0x0500,
  spriteArp: 0x0502,
  ipv4: 0x0800,
  arp: 0x0806,
  reverseArp: 0x8035,
  v: 0x805c,
} as const;

export interface EthernetHeader {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  /** See `ETHER_TYPES`. */
  readonly type: number;
}

export const ethernetHeader: Layout<EthernetHeader> = layout(
  'ethernet',
  {
    destination: mac('station or group that takes the frame'),
    source: mac('station that sent it'),
    type: u16('protocol of the payload', { names: ETHER_TYPES, base: 16 }),
  },
  { doc: 'Ethernet II frame header' },
);

export interface EthernetFrame extends EthernetHeader {
  /** In a frame that was received, padding included: the protocol knows its own length. */
  readonly payload: Uint8Array;
}

/**
 * A frame without its frame check sequence, padded to the least size (60 bytes, 64 with the sequence).
 * @throws WireError `WIRE_RANGE` when the payload is longer than `mtuBytes`
 */
export const encodeFrame = (frame: EthernetFrame, mtuBytes: number = ETHERNET.mtuBytes): Uint8Array => {
  const { payload } = frame;
  if (payload.length > mtuBytes) {
    throw outOfRange('ethernet.payload', `${payload.length} bytes`, `at most ${mtuBytes} bytes`);
  }
  const sizeBytes = ETHERNET.headerBytes + payload.length;
  const bytes = new Uint8Array(Math.max(sizeBytes, ETHERNET.frameBytesMin - ETHERNET.fcsBytes));
  ethernetHeader.encode(frame, bytes);
  bytes.set(payload, ETHERNET.headerBytes);
  return bytes;
};

/** A frame without its frame check sequence; `undefined` when it is shorter than its header. */
export const decodeFrame = (bytes: Uint8Array): EthernetFrame | undefined => {
  if (bytes.length < ETHERNET.headerBytes) return undefined;
  return {
    destination: ethernetHeader.get.destination(bytes, 0),
    source: ethernetHeader.get.source(bytes, 0),
    type: ethernetHeader.get.type(bytes, 0),
    payload: bytes.subarray(ETHERNET.headerBytes),
  };
};

/** The frame check sequence as its four bytes follow the payload: bits are sent lowest first, so the lowest byte leads. */
const trailer = layout(
  'ethernet.fcs',
  { crc: u32('CRC-32 of the frame', { base: 16 }) },
  { endian: 'little' },
);

/** A copy of the frame with its frame check sequence. */
export const appendFcs = (frame: Uint8Array): Uint8Array => {
  const sealed = new Uint8Array(frame.length + ETHERNET.fcsBytes);
  sealed.set(frame);
  trailer.set.crc(sealed, frame.length, crc32(frame));
  return sealed;
};

/** The frame without its frame check sequence; `undefined` when that does not fit, or the frame is below the least size. */
export const removeFcs = (sealed: Uint8Array): Uint8Array | undefined => {
  if (sealed.length < ETHERNET.frameBytesMin) return undefined;
  const sizeBytes = sealed.length - ETHERNET.fcsBytes;
  const frame = sealed.subarray(0, sizeBytes);
  return trailer.get.crc(sealed, sizeBytes) === crc32(frame) ? frame : undefined;
};
