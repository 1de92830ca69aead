/** User Datagram Protocol (RFC 768). */
import { reserved } from './bits.ts';
import { outOfRange } from './errors.ts';
import { u8, u16 } from './integers.ts';
import { internetChecksum, onesComplementSum } from './internet-checksum.ts';
import { IP_PROTOCOLS } from './ipv4.ts';
import { type Ipv4Address, ipv4 } from './ipv4-address.ts';
import { type Layout, layout } from './layout.ts';

export interface UdpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly length: number;
  readonly checksum: number;
}

export const udpHeader: Layout<UdpHeader> = layout(
  'udp',
  {
    sourcePort: u16('port of the sender; 0: wants no answer'),
    destinationPort: u16('port of the receiver'),
    length: u16('header and payload, bytes'),
    checksum: u16('Internet checksum of pseudo-header, header and payload; 0: not computed', { base: 16 }),
  },
  { doc: 'UDP header (RFC 768)' },
);

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** The Internet addresses that the checksum covers with the datagram. */
export interface UdpRoute {
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
}

/** What is summed in front of header and payload, and never sent: it ties the datagram to its addresses. */
const pseudoHeader = layout('udp.pseudoHeader', {
  source: ipv4(),
  destination: ipv4(),
  zero: reserved(1),
  protocol: u8(),
  length: u16(),
});

const pseudoHeaderSum = ({ source, destination }: UdpRoute, length: number): number =>
  onesComplementSum(pseudoHeader.encode({ source, destination, protocol: IP_PROTOCOLS.udp, length }));

/**
 * @param options `checksum: false` sends none, as many file servers did
 * @throws WireError `WIRE_RANGE` for a port that is none, or a payload of more than 65527 bytes
 */
export const encodeUdp = (
  { sourcePort, destinationPort, payload }: UdpDatagram,
  route: UdpRoute,
  options: { readonly checksum?: boolean } = {},
): Uint8Array => {
  const length = udpHeader.size + payload.length;
  if (length > 0xffff) throw outOfRange('udp.length', length, 'at most 65535');
  const bytes = new Uint8Array(length);
  udpHeader.encode({ sourcePort, destinationPort, length, checksum: 0 }, bytes);
  bytes.set(payload, udpHeader.size);
  if (options.checksum !== false) {
    // Zero means "none", so that a checksum of zero is sent as its other form, all ones.
    udpHeader.set.checksum(
      bytes,
      0,
      internetChecksum(bytes, 0, length, pseudoHeaderSum(route, length)) || 0xffff,
    );
  }
  return bytes;
};

/** `undefined` when the length contradicts the bytes that are there, or a checksum that was sent is wrong. */
export const decodeUdp = (bytes: Uint8Array, route: UdpRoute): UdpDatagram | undefined => {
  const header = udpHeader.tryDecode(bytes);
  if (!header) return undefined;
  const { sourcePort, destinationPort, length, checksum } = header;
  if (length < udpHeader.size || length > bytes.length) return undefined;
  if (checksum !== 0 && internetChecksum(bytes, 0, length, pseudoHeaderSum(route, length)) !== 0)
    return undefined;
  return { sourcePort, destinationPort, payload: bytes.subarray(udpHeader.size, length) };
};
