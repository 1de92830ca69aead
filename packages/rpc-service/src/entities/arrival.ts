/**
 * One request at one entity, as its service sees it; what follows from its end is up to who holds it.
 *
 *   state        event                              next
 *   working      respond                            responded
 *   working      discard                            discarded
 *   working      forward, if that may be done       leaving
 *   leaving      somebody else has it               left
 *   leaving      nobody takes it                    responded, with why
 *   any          the client gave it up              same, abandoned
 *   any          the client's host is called dead   same, abandoned until that host is heard of it again
 */
import { settle, type Task, tasks, type WaitQueue } from '@backplane/engine';
import {
  type ArrivedRequest,
  type EntityId,
  isGroup,
  type Message,
  type MessagePriority,
  type Response,
} from '@backplane/slots';
import type { Attached } from './attached.ts';
import type { HeldTransaction } from './held-transaction.ts';
import { type Forwarded, forwardsMax, isDatagram, type Request } from './request.ts';

export type ArrivalState = 'working' | 'responded' | 'discarded' | 'leaving' | 'left';

/** Who holds the requests of a host. */
export interface Holder {
  /** @throws BackplaneError `REQUEST_ENDED` when it has ended */
  checkWorking(arrival: Arrival): void;
  responded(arrival: Arrival, response: Response): void;
  discarded(arrival: Arrival): void;
  leaves(arrival: Arrival, to: EntityId, message: Message): void;
}

export class Arrival implements ArrivedRequest {
  static {
    tasks(Arrival);
  }

  readonly request: Request;
  /** The entity that has it: of a group, the member. */
  readonly server: Attached;
  /** Null for a datagram, of which nothing is remembered. */
  readonly held: HeldTransaction | null;
  state: ArrivalState = 'working';
  /** Made, and not known to have been delivered. */
  response: Response | null = null;
  /** A call brings the response. */
  travels = false;
  /** The response is gone, and said that the request may be executed again. */
  repeatable = false;
  /** Where it went. */
  forwarded: Forwarded | null = null;
  /** The call that brought it waits here for its end; null if it does not. */
  caller: WaitQueue | null = null;
  readonly #holder: Holder;

  constructor(holder: Holder, request: Request, server: Attached, held: HeldTransaction | null) {
    this.#holder = holder;
    this.request = request;
    this.server = server;
    this.held = held;
  }

  get client(): EntityId {
    return this.request.client;
  }

  get to(): EntityId {
    return this.request.to;
  }

  get priority(): MessagePriority {
    return this.request.priority;
  }

  get message(): Message {
    return this.request.message;
  }

  get abandoned(): boolean {
    return this.held?.abandoned === true;
  }

  *respond(message: Message): Task<void> {
    this.#holder.checkWorking(this);
    this.state = 'responded';
    yield* settle();
    if (!isDatagram(this.request)) this.#holder.responded(this, { from: this.server.entity, message });
  }

  *forward(to: EntityId, message: Message): Task<boolean> {
    this.#holder.checkWorking(this);
    if (isGroup(this.to) || isGroup(to) || this.request.forwards >= forwardsMax) return false;
    this.state = 'leaving';
    yield* settle();
    this.#holder.leaves(this, to, message);
    return true;
  }

  discard(): void {
    this.#holder.checkWorking(this);
    this.state = 'discarded';
    if (!isDatagram(this.request)) this.#holder.discarded(this);
  }
}
