/**
 * Internet Protocol datagrams (RFC 791).
 *
 * A datagram that was decoded is a whole one or a fragment; `fragmentIpv4` and `Ipv4Reassembly` go from one to the other.
 * Options are carried, not interpreted.
 */
import { bit, bits, reservedBits } from './bits.ts';
import { outOfRange, type WireError } from './errors.ts';
import { u8, u16 } from './integers.ts';
import { internetChecksum } from './internet-checksum.ts';
import { type Ipv4Address, ipv4 } from './ipv4-address.ts';
import { type Layout, layout } from './layout.ts';

/** What a datagram carries (RFC 1340, "Protocol Numbers"). */
export const IP_PROTOCOLS = { udp: 17, vmtp: 81, spriteRpc: 90 } as const;

/** Sizes of RFC 791: header without options, largest header, largest datagram, and what every network must carry whole. */
export const IPV4 = {
  headerBytes: 20,
  headerBytesMax: 60,
  datagramBytesMax: 65535,
  mtuBytesMin: 68,
} as const;

/** RFC 1340, "IP time to live parameter". */
const TIME_TO_LIVE = 64;

/** The header of RFC 791, section 3.1, without options. */
export interface Ipv4Header {
  readonly version: number;
  readonly headerWords: number;
  readonly typeOfService: number;
  readonly totalLength: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  readonly fragmentOffset: number;
  readonly timeToLive: number;
  readonly protocol: number;
  readonly headerChecksum: number;
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
}

export const ipv4Header: Layout<Ipv4Header> = layout(
  'ipv4',
  {
    version: bits(4, 'always 4'),
    headerWords: bits(4, 'header with options, in words of 4 bytes'),
    typeOfService: u8('precedence and wishes', { base: 16 }),
    totalLength: u16('header and payload, bytes'),
    identification: u16('the same in all fragments of a datagram'),
    unused: reservedBits(1),
    dontFragment: bit(),
    moreFragments: bit('not the last fragment'),
    fragmentOffset: bits(13, 'place of this payload in the whole, in units of 8 bytes'),
    timeToLive: u8('hops left'),
    protocol: u8('protocol of the payload', { names: IP_PROTOCOLS }),
    headerChecksum: u16('Internet checksum of header and options', { base: 16 }),
    source: ipv4(),
    destination: ipv4(),
  },
  { doc: 'IPv4 header (RFC 791)' },
);

export interface Ipv4Datagram {
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  /** See `IP_PROTOCOLS`. */
  readonly protocol: number;
  /** Tells the datagrams of one source, destination and protocol apart while their fragments may live. */
  readonly identification: number;
  readonly payload: Uint8Array;
  readonly typeOfService: number;
  readonly timeToLive: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Place of the payload in that of the whole datagram, a multiple of 8. */
  readonly offsetBytes: number;
  /** At most 40 bytes. */
  readonly options: Uint8Array;
}

type Spoken = 'source' | 'destination' | 'protocol' | 'identification' | 'payload';

/** A datagram as a sender states it. What is left out: type of service 0, time to live 64, whole, no options. */
export type Ipv4Outgoing = Pick<Ipv4Datagram, Spoken> & Partial<Omit<Ipv4Datagram, Spoken>>;

const NO_OPTIONS = new Uint8Array(0);

/**
 * Fills in what a sender left out. (Property by property, here and below: V8 makes such an object many times faster
 * than one that is spread from another shape.)
 */
export const completeIpv4 = (outgoing: Ipv4Outgoing): Ipv4Datagram => ({
  source: outgoing.source,
  destination: outgoing.destination,
  protocol: outgoing.protocol,
  identification: outgoing.identification,
  payload: outgoing.payload,
  typeOfService: outgoing.typeOfService ?? 0,
  timeToLive: outgoing.timeToLive ?? TIME_TO_LIVE,
  dontFragment: outgoing.dontFragment ?? false,
  moreFragments: outgoing.moreFragments ?? false,
  offsetBytes: outgoing.offsetBytes ?? 0,
  options: outgoing.options ?? NO_OPTIONS,
});

/** Header with options, which fill whole words. */
export const ipv4HeaderBytes = (options: Uint8Array): number =>
  IPV4.headerBytes + 4 * Math.ceil(options.length / 4);

/**
 * Header with checksum, options padded with zeros to whole words, payload.
 * @throws WireError `WIRE_RANGE` when a value does not fit, the length of the whole (`ipv4.totalLength`) among them
 */
export const encodeIpv4 = (outgoing: Ipv4Outgoing): Uint8Array => {
  const datagram = completeIpv4(outgoing);
  const { options, payload } = datagram;
  const headerBytes = ipv4HeaderBytes(options);
  const totalLength = headerBytes + payload.length;
  if (totalLength > IPV4.datagramBytesMax) throw tooLong(totalLength);
  const bytes = new Uint8Array(totalLength);
  ipv4Header.encode(
    {
      version: 4,
      headerWords: headerBytes / 4,
      typeOfService: datagram.typeOfService,
      totalLength,
      identification: datagram.identification,
      dontFragment: datagram.dontFragment,
      moreFragments: datagram.moreFragments,
      fragmentOffset: datagram.offsetBytes / 8,
      timeToLive: datagram.timeToLive,
      protocol: datagram.protocol,
      headerChecksum: 0,
      source: datagram.source,
      destination: datagram.destination,
    },
    bytes,
  );
  bytes.set(options, IPV4.headerBytes);
  ipv4Header.set.headerChecksum(bytes, 0, internetChecksum(bytes, 0, headerBytes));
  bytes.set(payload, headerBytes);
  return bytes;
};

/**
 * What RFC 1122, section 3.2.1, has a host check: `undefined` for another version, lengths that contradict each other or
 * the bytes that are there, and a wrong header checksum. Bytes after the total length are the link's padding.
 */
export const decodeIpv4 = (bytes: Uint8Array): Ipv4Datagram | undefined => {
  const header = ipv4Header.tryDecode(bytes);
  if (!header) return undefined;
  const headerBytes = 4 * header.headerWords;
  const { totalLength } = header;
  if (header.version !== 4 || headerBytes < IPV4.headerBytes) return undefined;
  if (headerBytes > totalLength || totalLength > bytes.length) return undefined;
  if (internetChecksum(bytes, 0, headerBytes) !== 0) return undefined;
  return {
    source: header.source,
    destination: header.destination,
    protocol: header.protocol,
    identification: header.identification,
    payload: bytes.subarray(headerBytes, totalLength),
    typeOfService: header.typeOfService,
    timeToLive: header.timeToLive,
    dontFragment: header.dontFragment,
    moreFragments: header.moreFragments,
    offsetBytes: 8 * header.fragmentOffset,
    options: headerBytes === IPV4.headerBytes ? NO_OPTIONS : bytes.subarray(IPV4.headerBytes, headerBytes),
  };
};

export const tooLong = (totalLength: number): WireError =>
  outOfRange('ipv4.totalLength', totalLength, `at most ${IPV4.datagramBytesMax}`);
