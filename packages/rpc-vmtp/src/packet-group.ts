/**
 * Packet groups (RFC 1045, section 2.13): a message in 1 to 32 packets, which may arrive in any order. All have the same
 * heading and message; only the data, the mask that names them, and what concerns the transmission differ.
 *
 *   a packet of the group           repeated    its blocks are all there already
 *                                   more        some of its blocks are new, others are still missing
 *                                   complete    it brought the last one
 *   another packet                  contradicts the first: it says something else, and is not looked at
 *
 * Memory: the first packet's own bytes while it is alone, then one array of the segment's size, 16 KB at most.
 */
import {
  controlBytes,
  type EntityId,
  type Message,
  MessageFlag,
  type MessagePriority,
} from '@backplane/slots';
import { limits, vmtpMessage } from './layout.ts';
import { type ChecksumCover, type Packet, packetParts, sentOf } from './packet.ts';
import { allBlocks, nextPacketBlocks, placeBlocks, prefixBytes } from './segment-blocks.ts';

const { get, set } = vmtpMessage;

// ---- sending ----

/** Whether it can travel: 32 bytes, and a segment exactly as the message says. */
export function isSound({ control, segment }: Message): boolean {
  if (control.length !== controlBytes || segment.length > limits.groupBytes) return false;
  const flags = control[0] ?? 0;
  if ((flags & MessageFlag.segment) === 0) return segment.length === 0;
  return get.segmentBytes(control, 0) === segment.length;
}

/** The blocks of a sound message that are sent. */
export const sentBlocks = ({ control, segment }: Message): number =>
  sentOf(control, control[0] ?? 0, allBlocks(segment.length));

/**
 * The packets of a group that hold the blocks of `mask`; one without data if there are none, which is how a request is sent
 * again when its data may have arrived.
 * @param dataBytes what a packet has room for: `packetDataBytes`
 */
export function packetGroup(
  heading: Uint8Array,
  m: Message,
  mask: number,
  dataBytes: number,
  cover: ChecksumCover = 'none',
): Uint8Array[][] {
  const packets: Uint8Array[][] = [];
  let left = mask & sentBlocks(m);
  do {
    const delivery = nextPacketBlocks(left, m.segment.length, dataBytes);
    packets.push(packetParts(heading, m, delivery, cover));
    left &= ~delivery;
  } while (left !== 0);
  return packets;
}

// ---- receiving ----

export type Joined = 'more' | 'complete' | 'repeated' | 'contradicts';

export class ArrivingGroup {
  readonly client: EntityId;
  readonly server: EntityId;
  readonly response: boolean;
  readonly transaction: number;
  readonly forwardCount: number;
  readonly priority: MessagePriority;
  readonly control: Uint8Array;
  readonly segmentBytes: number;
  /** The blocks that are sent. */
  readonly sentBlocks: number;
  /** The blocks that are here. */
  received: number;
  /** The data of the first packet that had any, while it is the only one. */
  #alone: Uint8Array;
  /** The whole segment, once there are two. */
  #segment: Uint8Array | null = null;

  /** Starts with this packet, which is not `streamed`. */
  constructor(first: Packet) {
    this.client = first.client;
    this.server = first.server;
    this.response = first.response;
    this.transaction = first.transaction;
    this.forwardCount = first.forwardCount;
    this.priority = first.priority;
    this.control = first.control;
    this.segmentBytes = first.segmentBytes;
    this.sentBlocks = first.sentBlocks;
    this.received = first.delivery;
    this.#alone = first.data;
  }

  get complete(): boolean {
    return this.received === this.sentBlocks;
  }

  get missing(): number {
    return (this.sentBlocks & ~this.received) >>> 0;
  }

  /** Another packet, in any order. */
  add(p: Packet): Joined {
    if (!this.#agrees(p)) return 'contradicts';
    if ((p.delivery & ~this.received) === 0) return 'repeated';
    if (this.received === 0) {
      this.#alone = p.data;
    } else {
      this.#segment ??= this.#spread();
      placeBlocks(this.#segment, p.delivery, p.data);
    }
    this.received = (this.received | p.delivery) >>> 0;
    return this.complete ? 'complete' : 'more';
  }

  /**
   * The message as it is delivered: whole, or with the flag `partial` what came of it, blocks that are missing being zero
   * and the message's mask rewritten to those that are here. Undefined when blocks are missing and may not be.
   */
  message(): Message | undefined {
    const partial = ((this.control[0] ?? 0) & MessageFlag.partial) !== 0;
    if (!partial && !this.complete) return undefined;
    return { control: partial ? this.#rewritten() : this.control, segment: this.#whole() };
  }

  /** The start of the segment, up to the first block that did not come: what `badReplySegment` hands over. */
  prefix(): Uint8Array {
    return this.#whole().subarray(0, prefixBytes(this.received, this.segmentBytes));
  }

  #agrees(p: Packet): boolean {
    return (
      p.client === this.client &&
      p.server === this.server &&
      p.transaction === this.transaction &&
      p.response === this.response &&
      p.forwardCount === this.forwardCount &&
      p.priority === this.priority &&
      !p.streamed &&
      sameBytes(p.control, this.control)
    );
  }

  #whole(): Uint8Array {
    if (this.#segment !== null) return this.#segment;
    if (this.#alone.length === this.segmentBytes) return this.#alone;
    return this.#spread();
  }

  /** The blocks so far, each in its place. */
  #spread(): Uint8Array {
    const segment = new Uint8Array(this.segmentBytes);
    placeBlocks(segment, this.received, this.#alone);
    return segment;
  }

  #rewritten(): Uint8Array {
    if (get.messageDelivery(this.control, 0) === this.received) return this.control;
    const control = this.control.slice();
    set.messageDelivery(control, 0, this.received);
    return control;
  }
}

/** A group's messages are mostly one and the same array, when sender and receiver are emulated hosts. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
