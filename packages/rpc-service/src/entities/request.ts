/** A request on its way, and what a host that has received one says of it. */
import {
  type Caller,
  type EntityId,
  entityIn,
  flagsOf,
  isGroup,
  type Message,
  MessageFlag,
  type MessagePriority,
  message,
  type Response,
} from '@backplane/slots';

/** How often a request may be forwarded (RFC 1045, section 2.9). */
export const forwardsMax = 15;

export interface Request {
  readonly client: EntityId;
  /** The host where the client is, and which of its lives. */
  readonly origin: Caller;
  /** Counted by the origin, over all its clients; never twice in one of its lives. */
  readonly transaction: number;
  /** When it began, by the cluster's clock. */
  readonly startNs: number;
  readonly to: EntityId;
  readonly priority: MessagePriority;
  /** How often it has been forwarded. */
  readonly forwards: number;
  readonly message: Message;
}

export const has = (m: Message, flag: number): boolean => (flagsOf(m) & flag) !== 0;

export const isDatagram = (q: Request): boolean => has(q.message, MessageFlag.datagram);

/** The entity or group to whose hosts a group's request is confined. */
export const coResidentOf = ({ to, message: m }: Request): EntityId | undefined =>
  isGroup(to) && has(m, MessageFlag.coResident) ? entityIn(m, 1) : undefined;

/** What a client is told when nobody answers. */
export const failure = (asked: EntityId, code: number, untaken = false): Response => ({
  from: asked,
  message: message({ code }),
  untaken,
});

/**
 * What a host says of a request.
 *
 *   taken          an entity has it, and will end it
 *   notAwaiting    a conditional request, and the entity does not wait
 *   busy, frozen   not now: try again
 *   quiet          to a group: no member here has it, or wants it
 *   nonexistent    the entity is not here
 *   over           the client has given it up, or has begun another since
 *   discarded      the entity has it, and does not respond
 *   repeat         it was answered, the answer is gone, and doing it again does no harm
 *   unknown        the entity is here and has no such request
 *   responded      the response
 *   forwarded      somebody else has it
 */
export const plainWords = [
  'taken',
  'notAwaiting',
  'busy',
  'frozen',
  'quiet',
  'nonexistent',
  'over',
  'discarded',
  'repeat',
  'unknown',
] as const;
export type PlainWord = (typeof plainWords)[number];

export interface Forwarded {
  readonly host: Caller['host'];
  readonly to: EntityId;
}
export type Word =
  | { readonly what: PlainWord }
  | { readonly what: 'responded'; readonly response: Response }
  | { readonly what: 'forwarded'; readonly by: Forwarded };

/** One object for each word that says nothing more. */
export const word = Object.fromEntries(plainWords.map((what) => [what, { what }])) as {
  readonly [W in PlainWord]: { readonly what: W };
};
