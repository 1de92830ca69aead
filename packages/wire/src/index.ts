// Declaring layouts

export type { Codec, ValueOf } from './codec.ts';
export type {
  Accessor,
  AnyKind,
  Endian,
  Field,
  Kind,
  KindFacts,
  KindName,
  LayoutFacts,
  Names,
  PlaceOptions,
  Reserved,
  Spot,
} from './field.ts';
export { type FieldValues, type Layout, type LayoutOptions, layout } from './layout.ts';

// Kinds of field

export { type BitsKind, type BitsOptions, bit, bits, reserved, reservedBits } from './bits.ts';
export { array, nested } from './compound.ts';
export { type IntegerKind, i8, i16, i32, type NumberOptions, u8, u16, u32, u64 } from './integers.ts';
export { ascii, bytes, type TextOptions, utf8 } from './octets.ts';

// Records of variable length

export { ByteReader } from './byte-reader.ts';
export { ByteWriter } from './byte-writer.ts';
export { record } from './record.ts';
export { decodeUtf8, encodeUtf8, encodeUtf8Into, utf8Length } from './utf8.ts';

// Dumps

export { describe, formatRows, type Row, type RowValue } from './describe.ts';

// Ethernet and address resolution

export { ARP_OPERATIONS, type ArpMessage, type ArpPacket, arpPacket, decodeArp, encodeArp } from './arp.ts';
export { crc32 } from './crc32.ts';
export {
  appendFcs,
  decodeFrame,
  ETHER_TYPES,
  ETHERNET,
  type EthernetFrame,
  type EthernetHeader,
  encodeFrame,
  ethernetHeader,
  removeFcs,
} from './ethernet.ts';
export {
  asMac,
  BROADCAST_MAC,
  formatMac,
  hostMac,
  isLocalMac,
  isMulticastMac,
  type MacAddress,
  mac,
  parseMac,
} from './mac-address.ts';

// Internet Protocol and User Datagram Protocol

export { internetChecksum, onesComplementSum } from './internet-checksum.ts';
export {
  decodeIpv4,
  encodeIpv4,
  IP_PROTOCOLS,
  IPV4,
  type Ipv4Datagram,
  type Ipv4Header,
  type Ipv4Outgoing,
  ipv4Header,
} from './ipv4.ts';
export {
  asIpv4,
  BROADCAST_IPV4,
  formatIpv4,
  type Ipv4Address,
  ipv4,
  isMulticastIpv4,
  multicastMac,
  parseIpv4,
} from './ipv4-address.ts';
export { fragmentCount, fragmentIpv4 } from './ipv4-fragment.ts';
export { Ipv4Reassembly, type ReassemblyCounts } from './ipv4-reassembly.ts';
export { decodeUdp, encodeUdp, type UdpDatagram, type UdpHeader, type UdpRoute, udpHeader } from './udp.ts';

// Errors

export { WireError, type WireErrorCode } from './errors.ts';
