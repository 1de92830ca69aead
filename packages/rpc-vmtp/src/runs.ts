/**
 * Messages of more than one packet group (RFC 1045, sections 2.11 and 2.14): a run of groups with consecutive transaction
 * numbers, each of which continues the message of the one before.
 *
 *   group    NSR   NER   CMG
 *   only     0     0     0
 *   first    0     1     1      the message goes on in the group with the next number
 *   second   1     0     0
 *
 * Kernels need it because a call's parameters and data may be more than the 16 KB of one group together. Two groups hold the
 * largest; longer ones are answered with `streamingNotSupported`. A run of several messages, without CMG, is a stream (see
 * `streams.ts`). The last group of either looks the same: which it is, the entity tells that is asked.
 *
 * Each group has its own share of the segment: its word of segment bytes and its blocks count within it. A run takes its two
 * numbers out of those that STI skips: the request has n and n + 1, its response begins with the number of the request's
 * last group, so that n to n + 2 may be in use, and the client's next transaction is n + 256.
 */
import { type EntityId, type Message, MessageFlag } from '@backplane/slots';
import type { Place } from './carrier.ts';
import { groupFlags, limits, vmtpMessage } from './layout.ts';
import { noBytes, type Packet } from './packet.ts';
import { ArrivingGroup, type Joined } from './packet-group.ts';
import { allBlocks, maskBytes, paddedBytes } from './segment-blocks.ts';

export const runGroupsMax = 2;
/** Segment data of the largest message. */
export const runBytesMax: number = runGroupsMax * limits.groupBytes;
/** By so much the number rises after a transaction that used STI. */
export const skippedTransactions = 256;

const { notStartOfRun, notEndOfRun, continued } = groupFlags;
const streamFlags = notStartOfRun | notEndOfRun | continued;

/** What stands in the flags of group `index` of `count`. */
export const runFlags = (index: number, count: number): number =>
  (index > 0 ? notStartOfRun : 0) | (index < count - 1 ? notEndOfRun | continued : 0);

/** Which group of its message a packet belongs to. */
export type Position = 'only' | 'first' | 'second';

/** Undefined for runs that are not spoken here. */
export function positionOf(flags: number): Position | undefined {
  switch (flags & streamFlags) {
    case 0:
      return 'only';
    case notEndOfRun | continued:
      return 'first';
    case notStartOfRun:
      return 'second';
    default:
      return undefined;
  }
}

/** Whether the group belongs to a run of messages, for an entity that takes no message of two groups. */
export const isStreamed = (flags: number): boolean =>
  (flags & (notStartOfRun | notEndOfRun)) !== 0 && (flags & continued) === 0;

/** What stands in the flags of transaction `index` of `count` in a stream. */
export const streamFlagsOf = (index: number, count: number): number =>
  (index > 0 ? notStartOfRun : 0) | (index < count - 1 ? notEndOfRun : 0);

/** Serial numbers: how far `a` lies behind `b`, negative when before. They wrap. */
export const distance = (a: number, b: number): number => (a - b) | 0;

/**
 * Makes a packet of a run one that stands for itself, with the checks that `Packet.read` left out because it does not know
 * how runs number their blocks. False: it is malformed.
 */
export function standAlone(p: Packet): boolean {
  if ((p.messageFlags & MessageFlag.partial) !== 0 || p.segmentBytes > limits.groupBytes) return false;
  const all = allBlocks(p.segmentBytes);
  if ((p.delivery & ~all) !== 0) return false;
  const dataBytes = maskBytes(p.delivery, p.segmentBytes);
  if (paddedBytes(dataBytes) !== p.data.length) return false;
  p.data = p.data.subarray(0, dataBytes);
  p.sentBlocks = all;
  p.streamed = false;
  return true;
}

/** The message cut into those of its groups. One that fits is itself. */
export function cutMessage(m: Message): readonly Message[] {
  const { control, segment } = m;
  if (segment.length <= limits.groupBytes) return [m];
  const cut = (part: Uint8Array): Message => {
    const own = control.slice();
    vmtpMessage.set.segmentBytes(own, 0, part.length);
    return { control: own, segment: part };
  };
  return [cut(segment.subarray(0, limits.groupBytes)), cut(segment.subarray(limits.groupBytes))];
}

/** A message that is coming, in one group or two. */
export class Arriving {
  readonly server: EntityId;
  /** The only group, or the first of two; and the second. */
  #first: ArrivingGroup | undefined = undefined;
  #second: ArrivingGroup | undefined = undefined;
  /** How many there are. */
  readonly count: number;
  /** Flags of the message: it may be executed again, and its receiver takes it with blocks missing. */
  readonly idempotent: boolean;
  readonly partial: boolean;
  /** What is missing may be asked for: it is neither a datagram's nor declared as not worth it. */
  readonly wantsRest: boolean;
  /** Where its last packet came from, whatever that brought. */
  from: Place;
  /** And when. Null: it is being done again since then. */
  #heardNs: number | null;

  constructor(p: Packet, position: Position, from: Place, nowNs: number) {
    this.server = p.server;
    this.from = from;
    this.#heardNs = nowNs;
    this.count = position === 'only' ? 1 : runGroupsMax;
    this.idempotent = (p.messageFlags & MessageFlag.datagram) !== 0;
    this.wantsRest = !this.idempotent && (p.flags & groupFlags.noRetransmission) === 0;
    this.partial = (p.messageFlags & MessageFlag.partial) !== 0;
    const group = new ArrivingGroup(p);
    if (position === 'second') this.#second = group;
    else this.#first = group;
  }

  get complete(): boolean {
    return this.#first?.complete === true && (this.count === 1 || this.#second?.complete === true);
  }

  /** Another packet comes. Returns how long after the one before it; null if it was done again in between. */
  heard(from: Place, nowNs: number): number | null {
    const apartNs = this.#heardNs === null ? null : nowNs - this.#heardNs;
    this.from = from;
    this.#heardNs = nowNs;
    return apartNs;
  }

  /** All of it is asked for anew: it is done again. */
  redo(): void {
    this.#heardNs = null;
  }

  /** Another packet of it, in any order. */
  add(p: Packet, position: Position): Joined {
    if ((position === 'only') !== (this.count === 1)) return 'contradicts';
    const group = position === 'second' ? this.#second : this.#first;
    if (group !== undefined) {
      const joined = group.add(p);
      if (this.count === 1 || joined === 'repeated' || joined === 'contradicts') return joined;
    } else if (position === 'second') this.#second = new ArrivingGroup(p);
    else this.#first = new ArrivingGroup(p);
    return this.complete ? 'complete' : 'more';
  }

  /** The blocks that are here of a group; undefined when nothing of it lacks. */
  lacking(index: number): number | undefined {
    const group = index === 0 ? this.#first : this.#second;
    if (group === undefined) return 0;
    return group.complete ? undefined : group.received;
  }

  /** The blocks that lack of a message of one group; of a run, all. */
  get missing(): number {
    return (this.count === 1 ? this.#first?.missing : undefined) ?? 0xffff_ffff;
  }

  /** As `ArrivingGroup.message`; of two groups, their segments are joined. */
  message(): Message | undefined {
    const whole = this.#first?.message();
    if (this.count === 1) return whole;
    const rest = this.#second?.message();
    if (whole === undefined || rest === undefined) return undefined;
    const segment = new Uint8Array(whole.segment.length + rest.segment.length);
    segment.set(whole.segment);
    segment.set(rest.segment, whole.segment.length);
    const control = whole.control.slice();
    vmtpMessage.set.segmentBytes(control, 0, segment.length);
    return { control, segment };
  }

  /** The start of the segment, up to the first block that did not come. */
  prefix(): Uint8Array {
    return this.#first?.prefix() ?? noBytes;
  }
}

/** The message of a packet that brings all of it, as most do; undefined for every other. */
export function wholeMessage(p: Packet, position: Position): Message | undefined {
  if (position !== 'only' || p.delivery !== p.sentBlocks) return undefined;
  if ((p.messageFlags & MessageFlag.partial) !== 0) return undefined;
  return { control: p.control, segment: p.data };
}
