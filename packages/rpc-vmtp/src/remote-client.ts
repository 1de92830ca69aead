/**
 * What a server's host remembers of a client (the RFC's remote-client CSR): the transaction that was heard last, what of it has
 * arrived, and the requests that came of it: one at the server, or one at each member of a group; and one more for each time
 * that the request was forwarded by an entity of this host to another one of it, or came back here.
 *
 * An older transaction than the last one is never executed. So the record outlives its requests by TS4, which is longer than
 * packets live. Numbers are serial: they wrap.
 */

import type { LazyTimer } from '@backplane/rpc-service';
import type { EntityId, Message } from '@backplane/slots';
import type { Arriving } from './runs.ts';
import type { RequestPath, ServedRequest } from './served-request.ts';

/** A request whose packets are still coming. */
export interface ArrivingRequest {
  readonly arriving: Arriving;
  readonly path: RequestPath;
}

export class RemoteClient {
  readonly entity: EntityId;
  readonly timer: LazyTimer;
  /** Sets the timer to what is next. */
  readonly schedule: () => void;
  /** Hands a request on to an entity of this host. */
  readonly passHere: (request: ServedRequest, to: EntityId, m: Message) => void;
  /** Number of the last transaction's first group; nothing was heard while this is undefined. */
  transaction: number | undefined = undefined;
  arriving: ArrivingRequest | null = null;
  /** Requests for missing parts. */
  tries = 0;
  readonly requests: ServedRequest[] = [];
  /** When it was heard last. */
  heardNs = 0;

  constructor(
    entity: EntityId,
    timer: (expired: () => void) => LazyTimer,
    acts: {
      readonly expired: (record: RemoteClient) => void;
      readonly schedule: (record: RemoteClient) => void;
      readonly pass: (record: RemoteClient, request: ServedRequest, to: EntityId, m: Message) => void;
    },
  ) {
    this.entity = entity;
    this.timer = timer(() => acts.expired(this));
    this.schedule = () => acts.schedule(this);
    this.passHere = (request, to, m) => acts.pass(this, request, to, m);
  }

  /** The request at that entity with that forward count. */
  at(server: EntityId, forwardCount: number): ServedRequest | undefined {
    return this.requests.find((r) => r.resident.entity === server && r.path.forwardCount === forwardCount);
  }

  /** Whether a request with that forward count has been delivered. */
  has(forwardCount: number): boolean {
    return this.requests.some((r) => r.path.forwardCount === forwardCount);
  }

  /** The largest forward count so far; -1 for none. */
  get forwardCount(): number {
    let most = this.arriving?.path.forwardCount ?? -1;
    for (const { path } of this.requests) most = Math.max(most, path.forwardCount);
    return most;
  }

  remove(request: ServedRequest): void {
    const at = this.requests.indexOf(request);
    if (at >= 0) this.requests.splice(at, 1);
  }
}
