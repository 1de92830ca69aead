/**
 * What a server's host remembers of a client (the RFC's remote-client CSR): the transaction that was heard last, what of it has
 * arrived, and the requests that came of it: one at the server, or one at each member of a group; and one more for each time
 * that the request was forwarded by an entity of this host to another one of it, or came back here.
 *
 * An older transaction than the last one is never executed. So the record outlives its requests by TS4, which is longer than
 * packets live. Numbers are serial: they wrap.
 */

import type { Scope } from '@backplane/engine';
import { LazyTimer } from '@backplane/rpc-service';
import { type EntityId, isGroup, type Message } from '@backplane/slots';
import type { Route } from './routes.ts';
import type { Arriving } from './runs.ts';
import type { RequestPath, ServedRequest } from './served-request.ts';

/** A request whose packets are still coming. */
export interface ArrivingRequest {
  readonly arriving: Arriving;
  readonly path: RequestPath;
}

/** One that has arrived, and may not be delivered yet. */
export interface HeldRequest {
  readonly path: RequestPath;
  readonly message: Message;
}

/** What is done to a record: the same for all of a host. */
export interface RecordDuties {
  /** Its time has come. */
  expired(record: RemoteClient): void;
  /** Sets the timer to what is next. */
  schedule(record: RemoteClient): void;
  /** A request of it is not processed any more: in a stream, it is the next one's turn. */
  left(record: RemoteClient): void;
  /** Looks for the client, for the response to that request. */
  pursue(request: ServedRequest): void;
  /** Hands a request on to an entity of this host. */
  passHere(record: RemoteClient, request: ServedRequest, to: EntityId, m: Message): void;
}

const none: readonly never[] = [];

export class RemoteClient {
  readonly entity: EntityId;
  readonly timer: LazyTimer;
  readonly #duties: RecordDuties;
  /** Number of the last transaction's first group; nothing was heard while this is undefined. */
  transaction: number | undefined = undefined;
  arriving: ArrivingRequest | null = null;
  /** Requests for missing parts. */
  tries = 0;
  /** One, mostly: an array that grew would be kept with room for many, for as long as the record. */
  requests: readonly ServedRequest[] = none;
  /** The entity that answered the transaction's only request, once the client has that: nothing else is kept of it then. */
  settledBy: EntityId | null = null;
  /** Entities of this host that have had an earlier transaction of it. */
  servers: readonly EntityId[] = none;
  /** The transaction begins a stream: records of those after it, in the order of their numbers. */
  streams = false;
  followers: readonly RemoteClient[] = none;
  /** Of a follower: who begins the stream; and the request, while it waits for the response to the one before. */
  readonly head: RemoteClient | null;
  held: HeldRequest | null = null;
  /** Its request has been answered, once at least. */
  answered = false;
  /** When it was heard last. */
  heardNs = 0;
  /** To where its last response went. */
  route: Route | null = null;
  /** Its requests are looked at from time to time, for orphans. */
  watched = false;

  constructor(entity: EntityId, head: RemoteClient | null, scope: Scope, duties: RecordDuties) {
    this.entity = entity;
    this.head = head;
    this.#duties = duties;
    this.timer = new LazyTimer(scope, 'vmtp remote client', () => duties.expired(this));
  }

  schedule(): void {
    this.#duties.schedule(this);
  }

  left(): void {
    this.#duties.left(this);
  }

  pursue(request: ServedRequest): void {
    this.#duties.pursue(request);
  }

  passHere(request: ServedRequest, to: EntityId, m: Message): void {
    this.#duties.passHere(this, request, to, m);
  }

  /** That entity of this host has had a transaction of it. */
  noteServer(server: EntityId): void {
    if (!this.servers.includes(server)) this.servers = [...this.servers, server];
  }

  /** That entity leaves. False if it has had none. */
  dropServer(server: EntityId): boolean {
    const had = this.servers.includes(server);
    if (had) this.servers = this.servers.filter((s) => s !== server);
    return had;
  }

  /** The record of that transaction, of those in a stream. */
  follower(transaction: number): RemoteClient | undefined {
    for (const f of this.followers) if (f.transaction === transaction) return f;
    return undefined;
  }

  /** The request at that entity with that forward count. */
  at(server: EntityId, forwardCount: number): ServedRequest | undefined {
    return this.requests.find((r) => r.resident.entity === server && r.path.forwardCount === forwardCount);
  }

  /** The request whose response that entity keeps. */
  respondedBy(server: EntityId): ServedRequest | undefined {
    for (const r of this.requests)
      if (r.resident.entity === server && r.out !== null && r.state === 'responded') return r;
    return undefined;
  }

  /** Whether a request with that forward count has been delivered. */
  has(forwardCount: number): boolean {
    if (this.settledBy !== null && forwardCount === 0) return true;
    return this.requests.some((r) => r.path.forwardCount === forwardCount);
  }

  /** The largest forward count so far; -1 for none. */
  get forwardCount(): number {
    let most = this.arriving?.path.forwardCount ?? (this.settledBy === null ? -1 : 0);
    for (const { path } of this.requests) most = Math.max(most, path.forwardCount);
    return most;
  }

  add(request: ServedRequest): void {
    this.requests = this.requests.length === 0 ? [request] : [...this.requests, request];
  }

  remove(request: ServedRequest): void {
    this.requests = this.requests.filter((r) => r !== request);
  }

  /** The client has the response of that request. One that others may ask about, too, is kept. */
  settle(request: ServedRequest): void {
    const { path, resident } = request;
    if (this.requests.length > 1 || path.forwardCount > 0 || isGroup(path.to)) return;
    this.requests = none;
    this.settledBy = resident.entity;
    // Nothing is to be waited for until the client's next transaction, which may be long.
    this.timer.stop();
  }

  /** What came of the transaction before is over. */
  clear(): void {
    this.requests = none;
    this.settledBy = null;
  }
}
