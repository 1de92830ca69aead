/**
 * Capability `entities` of slot `transport`: message transactions between entities, as V's programs use them, wherever the
 * entities are. An entity is a 64-bit number that says nothing about its host; a group has one of the same kind.
 *
 * A transaction is a request of 32 bytes with a segment of up to 16 KB, and a response of the same form. How a request is
 * to be delivered stands in its own first word (`MessageFlag`), so it is the same for everybody who carries it.
 *
 * - One transaction at a time for each client. A new request ends what is left of the one before: later responses of a
 *   group are dropped, an answer that was never fetched is lost.
 * - At most once, as `Transport.call`: a service sees a request once, whatever the network repeats. A response that carries
 *   `MessageFlag.datagram` says that doing it again does no harm: it is not kept, and the request may be seen again.
 * - Nothing here throws for what the network or another host does: a failure is a code in the response (`ReplyCode`), as
 *   V's programs see it. `nonexistentEntity` is a living host's word, `retransmissionTimeout` is silence; who takes one for
 *   the other turns a server that is rebooting into a name that does not exist.
 * - A group waits, too: while a member works on the request, or has no room for it, the client waits on. One that is a member
 *   itself gets no copy of its own. Further responses may be dropped unless the request wants many.
 * - Entities of this host need no frames, and no special case in boards. A group's members on this host get a copy, too.
 * - Bytes of messages are frozen once they are handed over.
 *
 * Lost in a crash: everything. A host's entities of its next life have other numbers.
 */
import type { Task } from '@backplane/engine';
import type { Brand, Undo } from './vocabulary.ts';

/** The 64-bit number as 16 hexadecimal digits in lower case. */
export type EntityId = Brand<string, 'EntityId'>;

/** The bit that marks the number of a group. */
const groupBit = 0x4;
export const entityId = (digits: string): EntityId => digits as EntityId;
export const isGroup = (e: EntityId): boolean => (digit(e.charCodeAt(0)) & groupBit) !== 0;
/** The upper 32 bits. */
export const highWord = (e: EntityId): number => wordAt(e, 0);
/** The lower 32 bits. */
export const lowWord = (e: EntityId): number => wordAt(e, 8);

/** Read digit by digit, because headers of packets need it: to cut a text and have it parsed takes three times as long. */
function wordAt(digits: string, from: number): number {
  let word = 0;
  for (let i = from; i < from + 8; i++) word = (word << 4) | digit(digits.charCodeAt(i));
  return word >>> 0;
}

/** The value of a hexadecimal digit: '0' is 0x30, 'a' is 0x61. */
const digit = (code: number): number => (code < 0x61 ? code - 0x30 : code - 0x57);
/** Nobody: where a message has room for an entity and names none. */
export const noEntity: EntityId = entityId('0000000000000000');

export const controlBytes = 32;
export const segmentBytesMax = 16_384;

/** What two entities exchange. */
export interface Message {
  /**
   * 32 bytes, big-endian: the code word, whose upper 8 bits are flags, then 28 bytes that belong to the user, except
   * where a flag claims some of them.
   *
   *   byte  what
   *   0     flags
   *   1     code (24 bits): the operation of a request, the outcome of a response
   *   4     the entity that shares the receiver's host, with `coResident` (8 bytes)
   *   24    which 512-byte blocks of the segment matter, with `partial` (4 bytes)
   *   28    bytes of the segment, with `segment` (4 bytes)
   */
  readonly control: Uint8Array;
  /** At most `segmentBytesMax`; empty unless the flag `segment` is set. */
  readonly segment: Uint8Array;
}

/** In the first byte of a message. The letters are those of RFC 1045, where the flags were first written down. */
export const MessageFlag = {
  /** CMD: deliver only if the receiver waits for a message now. A single client is told `notAwaitingMessage`, a group is silent. */
  conditional: 0x80,
  /** DGM. Request: executed at most once, no response is wanted. Response: the request may be executed again. */
  datagram: 0x40,
  /** MDM: some blocks of the segment may be missing. */
  partial: 0x20,
  /** SDA: there is a segment. */
  segment: 0x10,
  /** CRE, of a request to a group: only to members on the host, or the hosts, of this entity or group. */
  coResident: 0x04,
  /** MRD: more than one response of a group is wanted. */
  manyResponses: 0x02,
  /** PIC: the code is a public one. */
  publicCode: 0x01,
} as const;

/** How a transaction ended, in the code of the response. Codes from `user` on belong to the services. */
export const ReplyCode = {
  ok: 0,
  retry: 1,
  busy: 3,
  nonexistentEntity: 4,
  entityMigrated: 5,
  noPermission: 6,
  notAwaitingMessage: 7,
  protocolError: 8,
  badTransactionId: 10,
  streamingNotSupported: 11,
  retransmissionTimeout: 13,
  userTimeout: 14,
  responseDiscarded: 15,
  securityNotSupported: 16,
  badReplySegment: 17,
  user: 0x80_0000,
} as const;

/** Smaller is more urgent: 0 to 15, normal is 8 (four levels of four: urgent, important, normal, background). */
export type MessagePriority = number;
export const normalPriority: MessagePriority = 8;

export interface Response {
  /** Who answered: of a group, the member. On a failure, who was asked. */
  readonly from: EntityId;
  readonly message: Message;
  /**
   * On a failure: certainly nobody has had the request, so that who asks again asks for the first time. Otherwise somebody may
   * have done what was asked, and died.
   */
  readonly untaken?: boolean;
}

/** What becomes of a request that has arrived. */
export type Delivery =
  /** The service has it, and will respond, forward or discard. */
  | 'taken'
  /** It is not waiting for a message; said only of a conditional request. */
  | 'notAwaiting'
  /** It has no room. The client's transport tries again until the client's own limit. */
  | 'busy'
  /** It is being moved: the client is kept waiting, the request is not kept. */
  | 'frozen';

/** A request as it arrived at one entity. One of `respond`, `forward` and `discard` ends it, once. */
export interface ArrivedRequest {
  readonly client: EntityId;
  /** The entity, or the group through which it came. */
  readonly to: EntityId;
  readonly priority: MessagePriority;
  readonly message: Message;
  /** The client gave up, died, or began another transaction: a response will reach nobody. */
  readonly abandoned: boolean;
  /** Returns when the response is on its way. */
  respond(response: Message): Task<void>;
  /**
   * Passes the request on, perhaps changed; the next server answers the client itself. False if that may not be done (a
   * request that came through a group or is to go to one, or was forwarded 15 times): it is still to be answered.
   */
  forward(to: EntityId, message: Message): Task<boolean>;
  /** No response: a single client is told `responseDiscarded`, a group is silent. */
  discard(): void;
}

export interface EntityService {
  /** A request has come, whole. Called when its last packet was received, not on a thread: it must not block. */
  arrived(request: ArrivedRequest): Delivery;
  /** A request that was taken has become pointless (`abandoned`). */
  abandoned?(request: ArrivedRequest): void;
}

export interface SendOptions {
  readonly priority?: MessagePriority;
  /** The client's own limit, also on `busy` and on processing: then `userTimeout`. Absent: none. */
  readonly timeoutNs?: number;
  /** The transaction that was under way when the entity moved here (`EntityMoves`): its server sees the same one. */
  readonly again?: boolean;
}

/** What a question about an entity found out. */
export type Probed = 'here' | 'nonexistent' | 'noAnswer';

/**
 * Capability `moves` of an `EntityTransport`: entities move together with what they are in the middle of, so that nothing of
 * it fails because of that, and nothing happens twice.
 */
export interface EntityMoves {
  /**
   * Detaches it. Its transaction under way ends here with `entityMigrated` and is to be sent `again` there; the requests
   * that it has are not to be answered from here any more. For a while this host says of it that it has moved; who wants it
   * waits ten seconds at least until it is attached on another host.
   *
   * @returns what the transport of the other host, which is of the same kind, is to know: fit for a message
   */
  take(entity: EntityId): { readonly state: Uint8Array; readonly requests: readonly ArrivedRequest[] };
  /** Attaches it, its groups excepted. The requests are those of `take`, in the same order, to be answered from here. */
  attach(
    entity: EntityId,
    service: EntityService,
    state: Uint8Array,
  ): { readonly undo: Undo; readonly requests: readonly ArrivedRequest[] };
}

export interface EntityTransport {
  readonly moves?: EntityMoves;
  /** A number that nobody in the cluster has or had of late. */
  mint(): EntityId;
  /** The group that every host knows under a small number, from 1. */
  wellKnownGroup(number: number): EntityId;
  /** A number for a group of programs. Whoever knows it may send; whether others may join is up to `join`'s caller. */
  mintGroup(): EntityId;
  /** The entity is on this host from now on, and this serves its requests. Also one that another host minted: it has moved. */
  attach(entity: EntityId, service: EntityService): Undo;
  isHere(entity: EntityId): boolean;
  /** @param member an entity of this host; it leaves by the undo, or when it is detached */
  join(group: EntityId, member: EntityId): Undo;
  /**
   * One transaction of `from`, which is attached here. Of a group, the first response; at once if it is a datagram.
   * To a group without members on any host: `retransmissionTimeout`. When `from` is detached meanwhile `entityMigrated`, which
   * has no other reason; when it begins another one `badTransactionId`.
   */
  send(from: EntityId, to: EntityId, request: Message, options?: SendOptions): Task<Response>;
  /** A further response to the last group send of `from`, waiting for it; undefined when none came in that time. */
  nextResponse(from: EntityId, waitNs: number): Task<Response | undefined>;
  /** Asks for a sign of life, at its host. A group without members does not answer. */
  probe(entity: EntityId): Task<Probed>;
}
