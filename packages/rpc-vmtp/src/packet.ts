/**
 * Packets, made and read.
 *
 * A packet is sent as parts, by reference: its 32 bytes of heading, the 32 bytes of the message, the blocks of the segment,
 * and what pads them with the checksum. Headings are made once for a packet group and copied for each packet.
 *
 * `Packet.read` checks everything that a receiver relies on later, in this order, and names the first thing that is wrong:
 *
 *   flaw                 what is wrong
 *   tooShort             fewer than 68 bytes
 *   version              not 0
 *   domain               not that of internet addresses
 *   encrypted            all but the client is hidden, and there is no key
 *   oddLength            the data are not a multiple of 8 bytes
 *   beyondGroup          more than 16 KB of data
 *   wrongLength          not as many bytes as the header says
 *   checksum             there is one, and it is wrong
 *   reservedBits         bits of the heading that must be 0, or must be 0 in responses
 *   zeroClient           nobody asks
 *   groupClient          a group asks
 *   zeroServer           nobody is meant, or responds
 *   groupResponder       a group responds, and not one of its members
 *   segmentTooLong       more than 16 KB
 *   strayBlocks          data, and the message has no segment
 *   blocksBeyondSegment  blocks that the segment does not have
 *   blocksNotSent        blocks that the message says are not sent
 *   wrongData            not as many bytes of data as the blocks take
 *
 * Of groups that belong to a run or continue a message (`streamed`), the segment's checks are left out: where their blocks
 * belong depends on how a run counts them (see `runs.ts`).
 */
import {
  type EntityId,
  entityWords,
  type Frame,
  type Message,
  MessageFlag,
  type MessagePriority,
  noEntity,
  normalPriority,
} from '@backplane/slots';
import { ClusterSums } from './checksum.ts';
import { priorityBits, priorityRank } from './codes.ts';
import {
  checksumBytes,
  functions,
  groupFlags,
  headerBytes,
  headingBytes,
  internetDomain,
  leastPacketBytes,
  limits,
  vmtpHeader,
  vmtpMessage,
} from './layout.ts';
import { EntityTexts } from './numbers.ts';
import { allBlocks, cutBlocks, maskBytes, paddedBytes } from './segment-blocks.ts';

export const noBytes: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

// ---- packets to send ----

/** What all packets of a group have in common, but for the message. */
export interface Heading {
  readonly client: EntityId;
  /** Who is asked; of a response, who responds. */
  readonly server: EntityId;
  readonly response: boolean;
  readonly transaction: number;
  /** The contract's rank; default normal. */
  readonly priority?: MessagePriority;
  /** Bits of `groupFlags`; default none. */
  readonly flags?: number;
  readonly multicast?: boolean;
  readonly delayResponse?: boolean;
  /** Transmissions before this one; modulo 8 on the wire. */
  readonly retransmitCount?: number;
  /** 0 to 15. */
  readonly forwardCount?: number;
  /** Of a request the gap between packets, of a response the groups before that it answers; 0 to 255. */
  readonly gap?: number;
}

const { set, get } = vmtpHeader;

/** The first 32 bytes of each packet of the group, for `packetParts`. */
export function encodeHeading(h: Heading): Uint8Array {
  const bytes = new Uint8Array(headingBytes);
  const [clientHigh, clientLow] = entityWords(h.client);
  const [serverHigh, serverLow] = entityWords(h.server);
  set.clientHigh(bytes, 0, clientHigh);
  set.clientLow(bytes, 0, clientLow);
  set.domain(bytes, 0, internetDomain);
  set.multicast(bytes, 0, h.multicast ? 1 : 0);
  set.flags(bytes, 0, h.flags ?? 0);
  set.delayResponse(bytes, 0, h.delayResponse ? 1 : 0);
  set.retransmitCount(bytes, 0, (h.retransmitCount ?? 0) & 7);
  set.forwardCount(bytes, 0, h.forwardCount ?? 0);
  set.gap(bytes, 0, h.gap ?? 0);
  set.priority(bytes, 0, priorityBits(h.priority ?? normalPriority));
  set.functionCode(bytes, 0, h.response ? functions.response : functions.request);
  set.transaction(bytes, 0, h.transaction);
  set.serverHigh(bytes, 0, serverHigh);
  set.serverLow(bytes, 0, serverLow);
  return bytes;
}

/** What a checksum covers: all of the packet, or its header and message; four bytes of zero say that there is none. */
export type ChecksumCover = 'none' | 'packet' | 'header';

/** What may follow the data: up to 7 bytes that pad them, and no checksum. */
const zeros: Uint8Array = /* @__PURE__ */ new Uint8Array(limits.padBytes - 1 + checksumBytes);

/**
 * One packet, as parts of a frame. Nothing of the message is copied: it is frozen from here on.
 * @param heading of the group; not changed
 * @param delivery the blocks in this packet, of those that the segment has
 */
export function packetParts(
  heading: Uint8Array,
  { control, segment }: Message,
  delivery: number,
  cover: ChecksumCover = 'none',
): Uint8Array[] {
  const dataBytes = maskBytes(delivery, segment.length);
  const padBytes = paddedBytes(dataBytes) - dataBytes;
  const head = heading.slice();
  set.lengthWords(head, 0, (dataBytes + padBytes) / 4);
  set.packetDelivery(head, 0, delivery);
  if (cover === 'header') set.headerChecksumOnly(head, 0, 1);
  const parts = [head, control];
  cutBlocks(segment, delivery, parts);
  parts.push(cover === 'none' ? zeros.subarray(0, padBytes + checksumBytes) : sealed(parts, padBytes, cover));
  return parts;
}

/** The padding and the checksum of what comes before them. */
function sealed(parts: readonly Uint8Array[], padBytes: number, cover: ChecksumCover): Uint8Array {
  const sums = new ClusterSums();
  // Padding of zeros adds nothing. Heading and message are the first two parts.
  for (const part of cover === 'header' ? parts.slice(0, 2) : parts) sums.add(part);
  const end = new Uint8Array(padBytes + checksumBytes);
  const value = sums.value();
  end.set([value >>> 24, value >>> 16, value >>> 8, value], padBytes);
  return end;
}

// ---- packets that arrive ----

/** In the order in which they are looked for. */
export const flaws = [
  'tooShort',
  'version',
  'domain',
  'encrypted',
  'oddLength',
  'beyondGroup',
  'wrongLength',
  'checksum',
  'reservedBits',
  'zeroClient',
  'groupClient',
  'zeroServer',
  'groupResponder',
  'segmentTooLong',
  'strayBlocks',
  'blocksBeyondSegment',
  'blocksNotSent',
  'wrongData',
] as const;

export type Flaw = (typeof flaws)[number];

const streamFlags = groupFlags.notStartOfRun | groupFlags.notEndOfRun | groupFlags.continued;
/** Bits of `flags` that have no meaning in responses. */
const requestFlags = groupFlags.memberOfDestination;
/** The type bit of groups, in the upper word of a number. */
const groupBit = 0x4000_0000;

/**
 * A packet that arrived: its header in plain numbers, its message and data as views of the frame. One object serves all
 * packets of a host, because each is dealt with before the next one is looked at.
 */
export class Packet {
  /** After the flaw `encrypted`, this and `multicast` are right: they are in clear. */
  client: EntityId = noEntity;
  server: EntityId = noEntity;
  response = false;
  transaction = 0;
  /** Bits of `groupFlags`. */
  flags = 0;
  multicast = false;
  delayResponse = false;
  /** Modulo 8. */
  retransmitCount = 0;
  forwardCount = 0;
  gap = 0;
  priority: MessagePriority = normalPriority;
  /** The blocks in this packet. */
  delivery = 0;
  /** The message's 32 bytes. */
  control: Uint8Array = noBytes;
  /** Bits of `MessageFlag`. */
  messageFlags = 0;
  /** 24 bits. */
  code = 0;
  /** Of the whole segment. */
  segmentBytes = 0;
  /** The blocks that the sender sends of this message, in all its packets. */
  sentBlocks = 0;
  /** The blocks of `delivery`, lowest first, without padding. */
  data: Uint8Array = noBytes;
  /** Belongs to a run, or to a message of several groups: `sentBlocks` is 0, and the data are as they came. */
  streamed = false;

  readonly #texts: EntityTexts = new EntityTexts();
  readonly #sums: ClusterSums = new ClusterSums();

  /** @returns undefined if this is a packet now; else what is wrong, and nothing of it may be used */
  read(frame: Frame): Flaw | undefined {
    const head = frame.slice(0, headingBytes);
    const control = frame.slice(headingBytes, headerBytes - headingBytes);
    if (head === undefined || control === undefined || frame.lengthBytes < leastPacketBytes)
      return 'tooShort';
    if (get.version(head, 0) !== 0) return 'version';
    if (get.domain(head, 0) !== internetDomain) return 'domain';
    const clientHigh = get.clientHigh(head, 0);
    const clientLow = get.clientLow(head, 0);
    this.client = this.#texts.of(clientHigh, clientLow);
    this.multicast = get.multicast(head, 0) !== 0;
    if (get.encrypted(head, 0) !== 0) return 'encrypted';

    const dataBytes = 4 * get.lengthWords(head, 0);
    if (dataBytes % limits.padBytes !== 0) return 'oddLength';
    if (dataBytes > limits.groupBytes) return 'beyondGroup';
    if (frame.lengthBytes !== leastPacketBytes + dataBytes) return 'wrongLength';
    const headerOnly = get.headerChecksumOnly(head, 0) !== 0;
    if (!this.#summed(frame, head, control, headerOnly ? 0 : dataBytes)) return 'checksum';

    this.response = get.functionCode(head, 0) === functions.response;
    this.flags = get.flags(head, 0);
    this.delayResponse = get.delayResponse(head, 0) !== 0;
    if (get.unassigned(head, 0) !== 0) return 'reservedBits';
    if (this.response && ((this.flags & requestFlags) !== 0 || this.delayResponse)) return 'reservedBits';
    if (clientHigh === 0 && clientLow === 0) return 'zeroClient';
    if ((clientHigh & groupBit) !== 0) return 'groupClient';
    const serverHigh = get.serverHigh(head, 0);
    const serverLow = get.serverLow(head, 0);
    if (serverHigh === 0 && serverLow === 0) return 'zeroServer';
    if (this.response && (serverHigh & groupBit) !== 0) return 'groupResponder';
    this.server = this.#texts.of(serverHigh, serverLow);
    this.retransmitCount = get.retransmitCount(head, 0);
    this.forwardCount = get.forwardCount(head, 0);
    this.gap = get.gap(head, 0);
    this.priority = priorityRank(get.priority(head, 0));
    this.transaction = get.transaction(head, 0);
    this.delivery = get.packetDelivery(head, 0);
    this.streamed = (this.flags & streamFlags) !== 0;
    return this.#readMessage(frame, control, dataBytes);
  }

  /** Lets go of the frame's bytes. */
  release(): void {
    this.control = noBytes;
    this.data = noBytes;
  }

  #readMessage(frame: Frame, control: Uint8Array, dataBytes: number): Flaw | undefined {
    const word = vmtpMessage.get.code(control, 0);
    const messageFlags = word >>> 24;
    const hasSegment = (messageFlags & MessageFlag.segment) !== 0;
    const segmentBytes = hasSegment ? vmtpMessage.get.segmentBytes(control, 0) : 0;
    let length = dataBytes;
    let sentBlocks = 0;
    if (!this.streamed) {
      if (segmentBytes > limits.groupBytes) return 'segmentTooLong';
      if (!hasSegment && (this.delivery !== 0 || dataBytes !== 0)) return 'strayBlocks';
      const all = allBlocks(segmentBytes);
      if ((this.delivery & ~all) !== 0) return 'blocksBeyondSegment';
      sentBlocks = sentOf(control, messageFlags, all);
      if ((this.delivery & ~sentBlocks) !== 0) return 'blocksNotSent';
      length = maskBytes(this.delivery, segmentBytes);
      if (paddedBytes(length) !== dataBytes) return 'wrongData';
    }
    this.control = control;
    this.messageFlags = messageFlags;
    this.code = word & 0xff_ffff;
    this.segmentBytes = segmentBytes;
    this.sentBlocks = sentBlocks;
    this.data = length === 0 ? noBytes : (frame.slice(headerBytes, length) ?? noBytes);
    return undefined;
  }

  /** Whether the checksum is that of the packet with that much of its data, or there is none. */
  #summed(frame: Frame, head: Uint8Array, control: Uint8Array, dataBytes: number): boolean {
    const end = frame.slice(frame.lengthBytes - checksumBytes, checksumBytes) ?? noBytes;
    const [a = 0, b = 0, c = 0, d = 0] = end;
    if ((a | b | c | d) === 0) return true;
    const sums = this.#sums.start().add(head).add(control);
    // The packet is joined here, once; who uses checksums pays for looking at each byte anyway.
    if (dataBytes > 0) sums.add(frame.payload().subarray(headerBytes, headerBytes + dataBytes));
    return sums.value() === ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }
}

/** The blocks of a message that are sent at all: those that it names where it has the flag, else `all`. */
export function sentOf(control: Uint8Array, messageFlags: number, all: number): number {
  if ((messageFlags & MessageFlag.partial) === 0) return all;
  return (vmtpMessage.get.messageDelivery(control, 0) & all) >>> 0;
}
