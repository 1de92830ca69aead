/**
 * A request on its way: in the line of a process, or received and not yet answered. It is in one list at a time, and
 * the list says which it is, so a request that somebody has answered, passed on or withdrawn is in none.
 */
import type { WaitQueue } from '@backplane/engine';
import {
  type ArrivedRequest,
  type EntityId,
  type Message,
  type MessagePriority,
  normalPriority,
  type Received,
  type SegmentGrant,
} from '@backplane/slots';
import { grantOf } from './grant.ts';
import type { Process } from './process.ts';

/** The limit that a forwarded request has on the network, too (RFC 1045, section 2.9). */
export const forwardsMax = 15;

export class Request implements Received {
  readonly from: EntityId;
  readonly to: EntityId;
  readonly message: Message;
  readonly priority: MessagePriority;
  /** The process that is blocked for it, if it came straight from one of this host. */
  sender: Process | null;
  /** What the transport brought, if it came from there. Just one of the two is null, unless it is expected (expected.ts). */
  arrived: ArrivedRequest | null;
  /** The process of this host that it was handed to. */
  readonly receiver: Process | null;
  /** While it expects its sender: who waits for that. */
  bound: WaitQueue | null = null;
  /** How often it was passed on, on this host. */
  readonly forwards: number;
  /** Where it is, and its neighbours there. */
  list: RequestList | null = null;
  before: Request | null = null;
  after: Request | null = null;

  private constructor(
    from: EntityId,
    to: EntityId,
    message: Message,
    priority: MessagePriority,
    sender: Process | null,
    arrived: ArrivedRequest | null,
    forwards: number,
    receiver: Process | null,
  ) {
    this.from = from;
    this.to = to;
    this.message = message;
    this.priority = priority;
    this.sender = sender;
    this.arrived = arrived;
    this.forwards = forwards;
    this.receiver = receiver;
  }

  /** Handed over on this host: no copy, no transport. */
  static here(sender: Process, receiver: Process, message: Message, forwards: number): Request {
    return new Request(sender.id, receiver.id, message, normalPriority, sender, null, forwards, receiver);
  }

  static from(arrived: ArrivedRequest): Request {
    const { client, to, message, priority } = arrived;
    return new Request(client, to, message, priority, null, arrived, 0, null);
  }

  get grant(): SegmentGrant | null {
    return grantOf(this.message);
  }
}

/** Requests by priority, then by arrival. Adding to the end and taking from the front are what happens. */
export class RequestList {
  #first: Request | null = null;
  #last: Request | null = null;
  length = 0;

  /** Behind all that are as urgent or more. */
  insert(r: Request): void {
    let ahead = this.#last;
    while (ahead !== null && ahead.priority > r.priority) ahead = ahead.before;
    const behind = ahead === null ? this.#first : ahead.after;
    r.list = this;
    r.before = ahead;
    r.after = behind;
    if (ahead === null) this.#first = r;
    else ahead.after = r;
    if (behind === null) this.#last = r;
    else behind.before = r;
    this.length++;
  }

  remove(r: Request): void {
    const { before, after } = r;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    r.list = r.before = r.after = null;
    this.length--;
  }

  /** The next one leaves the list; undefined when there is none. */
  shift(): Request | undefined {
    const r = this.#first;
    if (r === null) return undefined;
    this.remove(r);
    return r;
  }

  /** The next one of this sender leaves the list. */
  take(from: EntityId): Request | undefined {
    for (let r = this.#first; r !== null; r = r.after)
      if (r.from === from) {
        this.remove(r);
        return r;
      }
    return undefined;
  }

  /** From the first to the last. */
  all(): readonly Request[] {
    const all: Request[] = [];
    for (let r = this.#first; r !== null; r = r.after) all.push(r);
    return all;
  }

  /** What stands for this arrival, if it is in the list. */
  find(arrived: ArrivedRequest): Request | undefined {
    for (let r = this.#first; r !== null; r = r.after) if (r.arrived === arrived) return r;
    return undefined;
  }
}

/** The request, if this process has received it and not yet ended it. */
export const openRequest = (p: Process, received: Received): Request | null =>
  received instanceof Request && received.list === p.open ? received : null;
