/**
 * What a VMTP packet looks like (RFC 1045, section 3.3): most significant byte first, bit 0 of the figures the highest.
 *
 *   header 32 | message 32 | segment data, a multiple of 8 bytes | checksum 4
 *
 * The message is the 32 bytes that programs exchange, as they stand in memory. The data are the 512-byte blocks that
 * `packetDelivery` names, lowest first, without gaps; what pads them to 8 bytes may be anything.
 *
 * An entity number is two words here, because 64 bits in one would be a bigint at each access. Accessors of the first half
 * may be used on the first 32 bytes alone: that is how packets are made, beside the sender's own 32 bytes of message.
 */
import { MessageFlag } from '@backplane/slots';
import { bits, type Layout, layout, u8, u32 } from '@backplane/wire';
import { managementCodes } from './codes.ts';

/** Before the message. */
export const headingBytes = 32;
/** With the message. */
export const headerBytes = 64;
export const checksumBytes = 4;
/** Of a packet without data. */
export const leastPacketBytes: number = headerBytes + checksumBytes;

export const limits = {
  /** Grain of the delivery masks. */
  blockBytes: 512,
  /** Blocks, and so packets, of a packet group. */
  blocks: 32,
  /** Segment data of a packet group. */
  groupBytes: 16_384,
  /** Data and packets are padded to this. */
  padBytes: 8,
  forwardCount: 15,
  /** The packet that every receiver must take; 600 bytes with an internet header. */
  basicPacketBytes: 580,
} as const;

/** The domain of entity numbers that hold an internet address. */
export const internetDomain = 1;

/** Bits of `flags`: about the packet group. */
export const groupFlags = {
  /** NRS: the reception number that the sender presumed was right. */
  nextReceiveSequence: 0x80,
  /** APG: acknowledge this group. */
  acknowledge: 0x40,
  /** NSR: not the first group of a run. */
  notStartOfRun: 0x20,
  /** NER: not the last group of a run. */
  notEndOfRun: 0x10,
  /** NRT: do not ask for what is missing. */
  noRetransmission: 0x08,
  /** MDG, of a request: the client is a member of the group it goes to. */
  memberOfDestination: 0x04,
  /** CMG: the message goes on in the next group. */
  continued: 0x02,
  /** STI: 256 transactions are skipped for the response. */
  skipTransactions: 0x01,
} as const;

export const functions = { request: 0, response: 1 } as const;

/** The fourth word of the header. In notices about a packet, it stands for that packet. */
export interface ControlFields {
  /** Bits of `groupFlags`. */
  readonly flags: number;
  /** DRT: 1 to let a response wait, in the hope of the next request. */
  readonly delayResponse: number;
  /** Transmissions before this one, modulo 8. */
  readonly retransmitCount: number;
  readonly forwardCount: number;
  /** Of a request the gap between packets, in 1/32 of a packet's time; of a response the groups before that it answers. */
  readonly gap: number;
  /** Four bits: see `priorityRank`. */
  readonly priority: number;
  readonly unassigned: number;
  /** See `functions`. */
  readonly functionCode: number;
}

/** The 32 bytes that belong to the users, some of them claimed by flags. */
export interface MessageWords {
  /** Flags in the upper 8 bits. */
  readonly code: number;
  readonly coResidentHigh: number;
  readonly coResidentLow: number;
  readonly user1: number;
  readonly user2: number;
  readonly user3: number;
  readonly messageDelivery: number;
  readonly segmentBytes: number;
}

export interface VmtpHeader extends ControlFields, MessageWords {
  readonly clientHigh: number;
  readonly clientLow: number;
  readonly version: number;
  readonly domain: number;
  /** HCO: the checksum covers only the 64 bytes of header and message. */
  readonly headerChecksumOnly: number;
  /** EPG: all from byte 12 on is encrypted. */
  readonly encrypted: number;
  /** MPG: sent by multicast. */
  readonly multicast: number;
  readonly lengthWords: number;
  readonly transaction: number;
  readonly packetDelivery: number;
  readonly serverHigh: number;
  readonly serverLow: number;
}

const controlKinds = {
  flags: u8('about the packet group', { flags: groupFlags }),
  delayResponse: bits(1, 'DRT: the response may wait for the next request'),
  retransmitCount: bits(3, 'transmissions before this one, modulo 8'),
  forwardCount: bits(4, 'how often the request was forwarded'),
  gap: u8("request: gap between packets, 1/32 of a packet's time; response: earlier groups also answered"),
  priority: bits(4, 'level and grade', { base: 16 }),
  unassigned: bits(3, 'zero'),
  functionCode: bits(1, 'request or response', { names: functions }),
} as const;

/** Flags of a message as they stand in its code word, whose upper byte they are. */
const codeFlags = {
  conditional: MessageFlag.conditional * 0x100_0000,
  datagram: MessageFlag.datagram * 0x100_0000,
  partial: MessageFlag.partial * 0x100_0000,
  segment: MessageFlag.segment * 0x100_0000,
  coResident: MessageFlag.coResident * 0x100_0000,
  manyResponses: MessageFlag.manyResponses * 0x100_0000,
  publicCode: MessageFlag.publicCode * 0x100_0000,
} as const;

const messageKinds = {
  code: u32('flags; operation of a request, outcome of a response', {
    names: managementCodes,
    flags: codeFlags,
  }),
  coResidentHigh: u32('an entity of the host that is meant, where the flag is set', { base: 16 }),
  coResidentLow: u32('its internet address', { base: 16 }),
  user1: u32("the user's", { base: 16 }),
  user2: u32("the user's", { base: 16 }),
  user3: u32("the user's", { base: 16 }),
  messageDelivery: u32('blocks of the segment that are sent, where the flag is set', { base: 16 }),
  segmentBytes: u32('bytes of the segment, where the flag is set'),
} as const;

export const vmtpHeader: Layout<VmtpHeader> = /* @__PURE__ */ layout(
  'vmtp',
  {
    clientHigh: u32('who asks: type and discriminator', { base: 16 }),
    clientLow: u32('who asks: internet address of the host that made the number', { base: 16 }),
    version: bits(3, 'zero'),
    domain: bits(13, 'what entity numbers mean; 1: they hold internet addresses'),
    headerChecksumOnly: bits(1, 'HCO: the checksum covers header and message alone'),
    encrypted: bits(1, 'EPG: all from byte 12 on is hidden'),
    multicast: bits(1, 'MPG: sent by multicast'),
    lengthWords: bits(13, 'words of segment data in this packet, padding included'),
    ...controlKinds,
    transaction: u32('counted by the client'),
    packetDelivery: u32('blocks of the segment in this packet', { base: 16 }),
    serverHigh: u32('who is asked, or who responds: type and discriminator', { base: 16 }),
    serverLow: u32('who is asked, or who responds: internet address', { base: 16 }),
    ...messageKinds,
  },
  { doc: 'VMTP packet header (RFC 1045)' },
);

/** The message alone, where it is held apart from the heading. */
export const vmtpMessage: Layout<MessageWords> = /* @__PURE__ */ layout('vmtp.message', messageKinds);

/** Segment data that a packet can carry where payloads of that size travel whole: a multiple of 8 bytes. */
export const packetDataBytes = (payloadBytes: number): number =>
  Math.min(limits.groupBytes, (payloadBytes - leastPacketBytes) & -limits.padBytes);
