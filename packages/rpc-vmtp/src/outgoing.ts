/**
 * A message on its way out: its packet groups, each with the heading that all of its packets share, and what is to be sent of
 * them again.
 */
import type { EntityId, Message, MessagePriority } from '@backplane/slots';
import type { Place } from './carrier.ts';
import { groupFlags } from './layout.ts';
import { encodeHeading, markRetransmission } from './packet.ts';
import { sentBlocks, wantedBlocks, wanting } from './packet-group.ts';
import { cutMessage, runFlags } from './runs.ts';
import { packetCount } from './segment-blocks.ts';
import type { Sender } from './transmit-queue.ts';

export interface OutgoingParts {
  readonly client: EntityId;
  readonly server: EntityId;
  readonly response: boolean;
  /** Of the first group. */
  readonly transaction: number;
  readonly forwardCount: number;
  readonly priority: MessagePriority;
  /** Bits of `groupFlags` that all groups have. */
  readonly flags: number;
  /** What stands in the field: see `Heading.gap`. */
  readonly gap: number;
  readonly multicast: boolean;
}

export class OutgoingGroup {
  readonly heading: Uint8Array;
  message: Message;
  /** The blocks that are sent at all. */
  blocks: number;
  /** Blocks to be sent again. */
  wanted = 0;
  /** The heading and message alone are to be sent again. */
  bare = false;
  #memory: ArrayBufferLike | null = null;

  constructor(heading: Uint8Array, message: Message) {
    this.heading = heading;
    this.message = message;
    this.blocks = sentBlocks(message);
  }

  /** The segment's buffer. */
  get memory(): ArrayBufferLike {
    this.#memory ??= this.message.segment.buffer;
    return this.#memory;
  }
}

export class Outgoing implements Sender {
  readonly groups: readonly OutgoingGroup[];
  readonly transaction: number;
  readonly rank: MessagePriority;
  /** `Carrier.givenUp` when it was made: what lacks may be what was given up since. */
  readonly givenUp: number;
  place: Place;
  /** Between two packets, beyond what the interface takes anyway. */
  gapNs: number;
  /** Packets that wait for the interface. */
  waiting = 0;
  /** A thread sends it. */
  sending = false;
  /** It is being sent again from interrupt level. */
  repeating = false;
  /** Nobody wants it any more. */
  over = false;
  /** Blocks of its segment are sent. Without data there is little to keep: whether it has arrived is not asked. */
  hasData: boolean;
  #transmissions = 1;

  constructor(parts: OutgoingParts, m: Message, place: Place, gapNs: number, givenUp: number) {
    const messages = cutMessage(m);
    this.groups =
      messages.length === 1
        ? [new OutgoingGroup(encodeHeading(parts), m)]
        : messages.map((one, i) => new OutgoingGroup(headingInRun(parts, i, messages.length), one));
    this.transaction = parts.transaction;
    this.rank = parts.priority;
    this.place = place;
    this.gapNs = gapNs;
    this.givenUp = givenUp;
    this.hasData = this.#sendsBlocks();
  }

  /** Number of the last group, with which its answer begins. */
  get lastTransaction(): number {
    return (this.transaction + this.groups.length - 1) >>> 0;
  }

  /** Transmissions before the present one. */
  get retransmitCount(): number {
    return this.#transmissions - 1;
  }

  /** Still in this host's own queues, so that nobody can have answered. */
  get underWay(): boolean {
    return this.sending || this.repeating || this.waiting > 0;
  }

  /** Whether it is one packet. Most requests are seen to be at once. */
  fitsOne(dataBytes: number): boolean {
    return (!this.hasData && this.groups.length === 1) || this.packets(dataBytes) === 1;
  }

  packets(dataBytes: number): number {
    let count = 0;
    for (const { message, blocks } of this.groups)
      count += Math.max(1, packetCount(blocks, message.segment.length, dataBytes));
    return count;
  }

  /** What goes out from now on is a retransmission. */
  count(acknowledge: boolean): void {
    this.#transmissions++;
    const flags = acknowledge ? groupFlags.acknowledge : 0;
    for (const { heading } of this.groups) markRetransmission(heading, this.retransmitCount, flags);
  }

  /** Only these blocks are sent. Of a run, all are. */
  limit(blocks: number): void {
    const [group] = this.groups;
    if (group === undefined || this.groups.length > 1) return;
    group.blocks = (group.blocks & blocks) >>> 0;
    this.hasData = this.#sendsBlocks();
  }

  #sendsBlocks(): boolean {
    for (const { blocks } of this.groups) if (blocks !== 0) return true;
    return false;
  }

  /** Of a request that names blocks of its response: it names these from now on. */
  ask(blocks: number): void {
    const [group] = this.groups;
    if (group !== undefined && wantedBlocks(group.message) !== undefined)
      group.message = wanting(group.message, blocks);
  }

  /** The same for every group: all of its blocks, or the message alone where there are none. */
  wantAll(): void {
    for (const group of this.groups) {
      group.wanted = group.blocks;
      if (group.blocks === 0) group.bare = true;
    }
  }

  /** The last group's message, without data: whoever lacks some says so. */
  wantBare(): void {
    const last = this.groups[this.groups.length - 1];
    if (last !== undefined) last.bare = true;
  }

  /** What that group's receiver lacks, which has received `mask`; and with `rest`, all groups behind it. */
  wantMissing(transaction: number, mask: number, rest: boolean): void {
    const from = (transaction - this.transaction) >>> 0;
    for (let i = 0; i < this.groups.length; i++) {
      const group = this.groups[i] as OutgoingGroup; // boundary: in range
      if (i < from || (i > from && !rest)) continue;
      const missing = i === from ? group.blocks & ~mask : group.blocks;
      group.wanted = (group.wanted | missing) >>> 0;
      if (group.blocks === 0) group.bare = true;
    }
  }

  /** The first group of which something is to be sent again. */
  nextWanted(): OutgoingGroup | undefined {
    for (const group of this.groups) if (group.bare || group.wanted !== 0) return group;
    return undefined;
  }

  groupOf(transaction: number): OutgoingGroup | undefined {
    const index = (transaction - this.transaction) >>> 0;
    return index < this.groups.length ? this.groups[index] : undefined;
  }
}

function headingInRun(parts: OutgoingParts, index: number, count: number): Uint8Array {
  const transaction = (parts.transaction + index) >>> 0;
  return encodeHeading({ ...parts, transaction, flags: parts.flags | runFlags(index, count) });
}
