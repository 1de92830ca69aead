/**
 * Address resolution (RFC 826) and its reverse (RFC 903), between Ethernet addresses and protocol addresses of four bytes.
 *
 * Protocol addresses are Internet addresses where the protocol type is `ETHER_TYPES.ipv4`, and Sprite host identifiers
 * where it is `ETHER_TYPES.spriteRpc`. ARP and RARP share the packet; the frame's EtherType and the operation tell them apart.
 *
 *   operation        a host asks or answers                                    frame type
 *   request          who has `targetAddress`? (target MAC unknown: zero)       arp
 *   reply            `senderAddress` is at `senderMac`                         arp
 *   reverseRequest   what is the address of `targetMac`?                       reverseArp
 *   reverseReply     it is `targetAddress`                                     reverseArp
 */
import { ETHER_TYPES } from './ethernet.ts';
import { u8, u16, u32 } from './integers.ts';
import { type Layout, layout } from './layout.ts';
import { type MacAddress, mac } from './mac-address.ts';

export const ARP_OPERATIONS = { request: 1, reply: 2, reverseRequest: 3, reverseReply: 4 } as const;

const HARDWARE_TYPES = { ethernet: 1 } as const;

/** What one host says to others. */
export interface ArpMessage {
  /** See `ARP_OPERATIONS`. */
  readonly operation: number;
  /** What the addresses belong to, as an EtherType. */
  readonly protocolType: number;
  readonly senderMac: MacAddress;
  readonly senderAddress: number;
  readonly targetMac: MacAddress;
  readonly targetAddress: number;
}

/** The whole packet, with the fields that let it describe other hardware. */
export interface ArpPacket extends ArpMessage {
  readonly hardwareType: number;
  readonly hardwareBytes: number;
  readonly protocolBytes: number;
}

export const arpPacket: Layout<ArpPacket> = layout(
  'arp',
  {
    hardwareType: u16('kind of network', { names: HARDWARE_TYPES }),
    protocolType: u16('whose addresses are resolved', { names: ETHER_TYPES, base: 16 }),
    hardwareBytes: u8('length of a hardware address'),
    protocolBytes: u8('length of a protocol address'),
    operation: u16('', { names: ARP_OPERATIONS }),
    senderMac: mac(),
    senderAddress: u32('Internet address or Sprite host', { base: 16 }),
    targetMac: mac(),
    targetAddress: u32('Internet address or Sprite host', { base: 16 }),
  },
  { doc: 'ARP and RARP packet for Ethernet and addresses of four bytes' },
);

const FIXED = { hardwareType: HARDWARE_TYPES.ethernet, hardwareBytes: 6, protocolBytes: 4 } as const;

export const encodeArp = (message: ArpMessage): Uint8Array => arpPacket.encode({ ...message, ...FIXED });

/** `undefined` for what is too short, or not about Ethernet and addresses of four bytes. */
export const decodeArp = (bytes: Uint8Array): ArpMessage | undefined => {
  const packet = arpPacket.tryDecode(bytes);
  if (!packet) return undefined;
  const fits =
    packet.hardwareType === FIXED.hardwareType &&
    packet.hardwareBytes === FIXED.hardwareBytes &&
    packet.protocolBytes === FIXED.protocolBytes;
  if (!fits) return undefined;
  const { operation, protocolType, senderMac, senderAddress, targetMac, targetAddress } = packet;
  return { operation, protocolType, senderMac, senderAddress, targetMac, targetAddress };
};
