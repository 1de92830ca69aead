/**
 * Packet groups (RFC 1045, section 2.13): a message in 1 to 32 packets, which may arrive in any order. All have the same
 * heading and message; only the data, the mask that names them, and what concerns the transmission differ.
 *
 *   a packet of the group           repeated    its blocks are all there already
 *                                   more        some of its blocks are new, others are still missing
 *                                   complete    it brought the last one
 *   another packet                  contradicts the first: it says something else, and is not looked at
 *
 * Memory: nothing of its own while the data lie in one sender's bytes as they do in the segment, as they do when a host emulated
 * here has sent all of them: the copy that the real system made is charged elsewhere. Else one array of the segment's size, 16 KB
 * at most.
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
import {
  allBlocks,
  isOneRun,
  lowestRun,
  maskBytes,
  nextPacketBlocks,
  placeBlocks,
  prefixBytes,
  startOf,
} from './segment-blocks.ts';

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
 * A request without a segment may name blocks, too: those of the response that its client wants. Undefined if it does not.
 * (The RFC lets a client that lacks part of an idempotent response ask for that part so; that a request without the flag wants
 * all is plain, that its server's host heeds it is our reading.)
 */
export function wantedBlocks({ control }: Message): number | undefined {
  const flags = control[0] ?? 0;
  if ((flags & MessageFlag.partial) === 0 || (flags & MessageFlag.segment) !== 0) return undefined;
  const blocks = get.messageDelivery(control, 0);
  return blocks === 0 ? 0xffff_ffff : blocks;
}

/** The same request for these blocks. */
export function wanting({ control, segment }: Message, blocks: number): Message {
  const own = control.slice();
  set.messageDelivery(own, 0, blocks);
  return { control: own, segment };
}

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
  /** The sender's bytes, and where in them the segment begins or would begin, as long as all data that came lie in it there. */
  #memory: ArrayBufferLike | null = null;
  #startByte = 0;
  /** The segment, once there are data that do not. */
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
    if (first.delivery !== 0) this.#place(first);
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
    this.#place(p);
    this.received = (this.received | p.delivery) >>> 0;
    return this.complete ? 'complete' : 'more';
  }

  /**
   * The message as it is delivered: whole, or with the flag `partial` what came of it, blocks that are missing being zero
   * and the message's mask rewritten to those that are here. Undefined when blocks are missing and may not be.
   */
  message(): Message | undefined {
    const partial = takesParts(this.control);
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

  #place({ delivery, data }: Packet): void {
    if (this.#segment === null && isOneRun(delivery)) {
      const startByte = data.byteOffset - startOf(delivery);
      if (this.#memory === null) {
        this.#memory = data.buffer;
        this.#startByte = startByte;
      }
      // In this order: asking a view for its buffer is slow.
      if (startByte === this.#startByte && data.buffer === this.#memory) return;
    }
    this.#segment ??= this.#gathered();
    placeBlocks(this.#segment, delivery, data);
  }

  #whole(): Uint8Array {
    const { segmentBytes, received } = this;
    if (this.#segment !== null) return this.#segment;
    if (this.#memory !== null && received === allBlocks(segmentBytes))
      return new Uint8Array(this.#memory, this.#startByte, segmentBytes);
    return this.#gathered();
  }

  /** The segment with what came of it, and nothing of what else its sender has there. */
  #gathered(): Uint8Array {
    const segment = new Uint8Array(this.segmentBytes);
    if (this.#memory === null) return segment;
    for (let left = this.received; left !== 0; ) {
      const run = lowestRun(left);
      const start = startOf(run);
      const length = maskBytes(run, this.segmentBytes);
      segment.set(new Uint8Array(this.#memory, this.#startByte + start, length), start);
      left &= ~run;
    }
    return segment;
  }

  #rewritten(): Uint8Array {
    if (get.messageDelivery(this.control, 0) === this.received) return this.control;
    const control = this.control.slice();
    set.messageDelivery(control, 0, this.received);
    return control;
  }
}

/** May some blocks of the segment lack? */
function takesParts(control: Uint8Array): boolean {
  const both = MessageFlag.partial | MessageFlag.segment;
  return ((control[0] ?? 0) & both) === both;
}

/** A group's messages are mostly one and the same array, when sender and receiver are emulated hosts. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
