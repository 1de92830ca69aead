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
  highWord,
  lowWord,
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
} from './layout.ts';
import { entityTexts, vmtpDefaultClient, vmtpManagerGroup } from './numbers.ts';
import { allBlocks, cutBlocks, cutRun, isOneRun, maskBytes, paddedBytes } from './segment-blocks.ts';
import { fourthWord, putWord, thirdWord, wordAt } from './words.ts';

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

/** The first 32 bytes of each packet of the group, for `packetParts`. */
export function encodeHeading(h: Heading): Uint8Array {
  const bytes = new Uint8Array(headingBytes);
  putWord(bytes, 0, highWord(h.client));
  putWord(bytes, 4, lowWord(h.client));
  putWord(bytes, 8, (internetDomain << thirdWord.domainShift) | (h.multicast ? thirdWord.multicast : 0));
  const { flagsShift, delayShift, retransmitShift, retransmitMask, forwardShift, gapShift, priorityShift } =
    fourthWord;
  putWord(
    bytes,
    12,
    ((h.flags ?? 0) << flagsShift) |
      ((h.delayResponse ? 1 : 0) << delayShift) |
      (((h.retransmitCount ?? 0) & retransmitMask) << retransmitShift) |
      ((h.forwardCount ?? 0) << forwardShift) |
      ((h.gap ?? 0) << gapShift) |
      (priorityBits(h.priority ?? normalPriority) << priorityShift) |
      (h.response ? functions.response : functions.request),
  );
  putWord(bytes, 16, h.transaction);
  putWord(bytes, 24, highWord(h.server));
  putWord(bytes, 28, lowWord(h.server));
  return bytes;
}

/** Changes what a retransmission changes. */
export function markRetransmission(heading: Uint8Array, retransmitCount: number, moreFlags: number): void {
  const { retransmitMask, retransmitShift, flagsShift } = fourthWord;
  const others = wordAt(heading, 12) & ~(retransmitMask << retransmitShift);
  const count = (retransmitCount & retransmitMask) << retransmitShift;
  putWord(heading, 12, others | count | (moreFlags << flagsShift));
}

/** What a checksum covers: all of the packet, or its header and message; four bytes of zero say that there is none. */
export type ChecksumCover = 'none' | 'packet' | 'header';

/** What may follow the data: 0 to 7 bytes that pad them, and no checksum. */
const unsealed: readonly Uint8Array[] = /* @__PURE__ */ Array.from(
  { length: limits.padBytes },
  (_, padBytes) => new Uint8Array(padBytes + checksumBytes),
);

/**
 * One packet, as parts of a frame. Nothing of the message is copied: it is frozen from here on.
 * @param heading of the group; not changed
 * @param delivery the blocks in this packet, of those that the segment has
 * @param dataBytes in these blocks, from who has counted them
 * @param memory the segment's buffer, from who has asked for it
 */
export function packetParts(
  heading: Uint8Array,
  { control, segment }: Message,
  delivery: number,
  cover: ChecksumCover = 'none',
  dataBytes: number = maskBytes(delivery, segment.length),
  memory?: ArrayBufferLike,
): Uint8Array[] {
  const paddedLength = paddedBytes(dataBytes);
  const padBytes = paddedLength - dataBytes;
  const head = new Uint8Array(heading);
  const headerOnly = cover === 'header' ? thirdWord.headerChecksumOnly : 0;
  putWord(head, 8, wordAt(head, 8) | headerOnly | (paddedLength / 4));
  putWord(head, 20, delivery);
  const bare = cover === 'none' ? unsealed[padBytes] : undefined;
  // What nearly all packets are is written out: an array that grows is slow.
  if (bare !== undefined && dataBytes === 0) return [head, control, bare];
  if (bare !== undefined && dataBytes === segment.length) return [head, control, segment, bare];
  if (bare !== undefined && isOneRun(delivery))
    return [head, control, cutRun(segment, delivery, dataBytes, memory), bare];
  const parts = [head, control, ...cutBlocks(segment, delivery)];
  parts.push(bare ?? sealed(parts, padBytes, cover));
  return parts;
}

/** A packet without data, alone in its group: the heading becomes part of it. */
export function barePacket(heading: Uint8Array, m: Message, cover: ChecksumCover): Uint8Array[] {
  const bare = cover === 'none' ? unsealed[0] : undefined;
  return bare === undefined ? packetParts(heading, m, 0, cover, 0) : [heading, m.control, bare];
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
const managers: readonly [number, number] = /* @__PURE__ */ entityWords(vmtpManagerGroup);
const nobody: readonly [number, number] = /* @__PURE__ */ entityWords(vmtpDefaultClient.bigEndian);
/** Bytes of the message where these words are. */
const messageDeliveryAt = 24;
const segmentBytesAt = 28;

/**
 * A packet that arrived: its header in plain numbers, its message and data as views of the frame. One object serves all
 * packets of a host, because each is dealt with before the next one is looked at.
 */
export class Packet {
  /** After the flaw `encrypted`, this and `multicast` are right: they are in clear. */
  client: EntityId = noEntity;
  server: EntityId = noEntity;
  /** It is asked of a group. */
  toGroup = false;
  /** That of the managers. */
  toManagers = false;
  /** Its host has no number to ask with yet. */
  nameless = false;
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

  readonly #sums: ClusterSums = new ClusterSums();

  /** @returns undefined if this is a packet now; else what is wrong, and nothing of it may be used */
  read(frame: Frame): Flaw | undefined {
    const head = frame.slice(0, headingBytes);
    const control = frame.slice(headingBytes, headerBytes - headingBytes);
    if (head === undefined || control === undefined || frame.lengthBytes < leastPacketBytes)
      return 'tooShort';
    const third = wordAt(head, 8);
    if (third >>> thirdWord.versionShift !== 0) return 'version';
    if (((third >>> thirdWord.domainShift) & thirdWord.domainMask) !== internetDomain) return 'domain';
    const clientHigh = wordAt(head, 0);
    const clientLow = wordAt(head, 4);
    this.client = entityTexts.of(clientHigh, clientLow);
    this.multicast = (third & thirdWord.multicast) !== 0;
    if ((third & thirdWord.encrypted) !== 0) return 'encrypted';

    const dataBytes = 4 * (third & thirdWord.lengthMask);
    if (dataBytes % limits.padBytes !== 0) return 'oddLength';
    if (dataBytes > limits.groupBytes) return 'beyondGroup';
    if (frame.lengthBytes !== leastPacketBytes + dataBytes) return 'wrongLength';
    const headerOnly = (third & thirdWord.headerChecksumOnly) !== 0;
    if (!this.#summed(frame, head, control, headerOnly ? 0 : dataBytes)) return 'checksum';
    return this.#readHeading(head, clientHigh, clientLow) ?? this.#readMessage(frame, control, dataBytes);
  }

  /** Lets go of the frame's bytes. */
  release(): void {
    this.control = noBytes;
    this.data = noBytes;
  }

  #readHeading(head: Uint8Array, clientHigh: number, clientLow: number): Flaw | undefined {
    const fourth = wordAt(head, 12);
    this.response = (fourth & fourthWord.functionCode) === functions.response;
    this.flags = fourth >>> fourthWord.flagsShift;
    this.delayResponse = ((fourth >>> fourthWord.delayShift) & 1) !== 0;
    if ((fourth & fourthWord.unassigned) !== 0) return 'reservedBits';
    if (this.response && ((this.flags & requestFlags) !== 0 || this.delayResponse)) return 'reservedBits';
    if (clientHigh === 0 && clientLow === 0) return 'zeroClient';
    if ((clientHigh & groupBit) !== 0) return 'groupClient';
    this.nameless = clientHigh === nobody[0] && clientLow === nobody[1];
    const serverHigh = wordAt(head, 24);
    const serverLow = wordAt(head, 28);
    if (serverHigh === 0 && serverLow === 0) return 'zeroServer';
    this.toGroup = (serverHigh & groupBit) !== 0;
    this.toManagers = serverHigh === managers[0] && serverLow === managers[1];
    if (this.response && this.toGroup) return 'groupResponder';
    this.server = entityTexts.of(serverHigh, serverLow);
    this.retransmitCount = (fourth >>> fourthWord.retransmitShift) & fourthWord.retransmitMask;
    this.forwardCount = (fourth >>> fourthWord.forwardShift) & fourthWord.forwardMask;
    this.gap = (fourth >>> fourthWord.gapShift) & fourthWord.gapMask;
    this.priority = priorityRank((fourth >>> fourthWord.priorityShift) & fourthWord.priorityMask);
    this.transaction = wordAt(head, 16);
    this.delivery = wordAt(head, 20);
    this.streamed = (this.flags & streamFlags) !== 0;
    return undefined;
  }

  #readMessage(frame: Frame, control: Uint8Array, dataBytes: number): Flaw | undefined {
    const word = wordAt(control, 0);
    const messageFlags = word >>> 24;
    const hasSegment = (messageFlags & MessageFlag.segment) !== 0;
    const segmentBytes = hasSegment ? wordAt(control, segmentBytesAt) : 0;
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
    const said = wordAt(frame.tail(checksumBytes) ?? noBytes, 0);
    if (said === 0) return true;
    const sums = this.#sums.start().add(head).add(control);
    // The packet is joined here, once; who uses checksums pays for looking at each byte anyway.
    if (dataBytes > 0) sums.add(frame.payload().subarray(headerBytes, headerBytes + dataBytes));
    return sums.value() === said;
  }
}

/** The blocks of a message that are sent at all: those that it names where it has the flag, else `all`. */
export function sentOf(control: Uint8Array, messageFlags: number, all: number): number {
  if ((messageFlags & MessageFlag.partial) === 0) return all;
  return (wordAt(control, messageDeliveryAt) & all) >>> 0;
}
