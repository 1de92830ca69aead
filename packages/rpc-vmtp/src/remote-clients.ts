/**
 * All clients that a host's servers remember, and what happens when nothing has been heard of one for a while.
 *
 *   its requests                              the next time-out   what it does                                     whose timer
 *   one is processed, for a client elsewhere  TS2                 an orphan: tell the service; no response         the host's
 *   a response with data is kept              TS5, then TS3       ask whether it has arrived                       the record's
 *   none of these                             TS4                 forget the client, within a quarter of TS4 more  the host's
 *
 * A group's requests and datagrams make no orphans, because nobody repeats them while they are processed. While packets of a
 * request are coming, the record's timer is theirs (TS1). A time-out that is equally long for all records, and for nearly all
 * in vain, is one for all of them together.
 */
import { LazyTimer } from '@backplane/rpc-service';
import { type EntityId, isGroup, type Message } from '@backplane/slots';
import { here } from './carrier.ts';
import type { KeptResponses } from './kept-responses.ts';
import { type RecordDuties, RemoteClient } from './remote-client.ts';
import { distance } from './runs.ts';
import type { ServedRequest } from './served-request.ts';
import type { ServerParts } from './server-parts.ts';
import { ts2Ns, ts3Ns, ts4Ns, ts5Ns } from './times.ts';

/** What the records' owner does. */
export interface RecordActs {
  /** The rest of a request has not come. */
  missing(record: RemoteClient): void;
  passHere(record: RemoteClient, request: ServedRequest, to: EntityId, m: Message): void;
  /** A request of the record is not processed any more. */
  left(record: RemoteClient): void;
}

const recordsMax = 4096;
/** Transactions of a stream after its first, at once. */
const followersMax = 63;
/** Between two looks at all records. */
const lookPauseNs = ts4Ns / 4;

export class RemoteClients {
  readonly #parts: ServerParts;
  readonly #kept: KeptResponses;
  readonly #acts: RecordActs;
  readonly #duties: RecordDuties;
  /** In the order in which they were first heard. */
  readonly #records = new Map<EntityId, RemoteClient>();
  /** The next look for records that can be forgotten; set as long as there are any. */
  readonly #look: LazyTimer;
  /** Those with a request that might become an orphan, and some that have had one since the last look at these. */
  #watched: RemoteClient[] = [];
  /** That look; set as long as there are any. */
  readonly #watch: LazyTimer;

  constructor(parts: ServerParts, kept: KeptResponses, acts: RecordActs) {
    this.#parts = parts;
    this.#kept = kept;
    this.#acts = acts;
    this.#duties = {
      expired: (r) => this.#expired(r),
      schedule: (r) => this.#schedule(r),
      left: (r) => this.#acts.left(r),
      pursue: (request) => this.#kept.pursue(request),
      passHere: (r, request, to, m) => this.#acts.passHere(r, request, to, m),
    };
    const { scope } = parts.machine;
    this.#look = new LazyTimer(scope, 'vmtp remote clients', () => this.#forgetSilent());
    this.#watch = new LazyTimer(scope, 'vmtp orphans', () => this.#findOrphans());
  }

  get size(): number {
    return this.#records.size;
  }

  get(client: EntityId): RemoteClient | undefined {
    return this.#records.get(client);
  }

  all(): Iterable<RemoteClient> {
    return this.#records.values();
  }

  /** Its record, or a new one. Undefined when there are too many, and none of them can be forgotten. */
  remember(client: EntityId): RemoteClient | undefined {
    return this.#records.get(client) ?? this.begun(client);
  }

  /** A record for a client that has none. Undefined as above. */
  begun(client: EntityId): RemoteClient | undefined {
    if (!this.#makeRoom()) return undefined;
    const record = this.#make(client, null);
    if (this.#records.size === 0) this.#look.set(ts4Ns);
    this.#records.set(client, record);
    return record;
  }

  /** A record that nobody finds, for a request of somebody for whom there is no room. */
  stranger(client: EntityId): RemoteClient {
    return this.#make(client, null);
  }

  /** The record of a further transaction of a stream, or a new one. Undefined when there are too many. */
  follow(head: RemoteClient, transaction: number): RemoteClient | undefined {
    const known = head.follower(transaction);
    if (known !== undefined || head.followers.length >= followersMax) return known;
    const record = this.#make(head.entity, head);
    record.transaction = transaction;
    head.followers = [...head.followers, record].sort((a, b) =>
      distance(a.transaction ?? 0, b.transaction ?? 0),
    );
    return record;
  }

  /** The record of that transaction. */
  of(client: EntityId, transaction: number): RemoteClient | undefined {
    const head = this.#records.get(client);
    return head?.follower(transaction) ?? head;
  }

  #make(client: EntityId, head: RemoteClient | null): RemoteClient {
    return new RemoteClient(client, head, this.#parts.machine.scope, this.#duties);
  }

  #makeRoom(): boolean {
    if (this.#records.size < recordsMax) return true;
    for (const record of this.#records.values())
      if (isIdle(record)) {
        this.#forget(record);
        return true;
      }
    return false;
  }

  /** A new transaction of the client, which acknowledges what came before. */
  begin(record: RemoteClient, transaction: number): void {
    this.abandon(record);
    for (const { resident } of record.requests) record.noteServer(resident.entity);
    if (record.settledBy !== null) record.noteServer(record.settledBy);
    record.clear();
    record.arriving = null;
    record.streams = false;
    record.answered = false;
    record.transaction = transaction;
  }

  /** The client does not wait any more. */
  abandon(record: RemoteClient): void {
    const { followers } = record;
    if (followers.length > 0) record.followers = [];
    record.held = null;
    for (const follower of followers) {
      follower.timer.stop();
      this.abandon(follower);
    }
    for (const request of record.requests) {
      const { state, out } = request;
      this.#kept.acknowledged(request);
      if (out !== null) out.over = true;
      request.state = 'over';
      if (state === 'processing' && !request.isDatagram) request.resident.service.abandoned?.(request);
    }
  }

  #forget(record: RemoteClient): void {
    record.timer.stop();
    this.abandon(record);
    const { head } = record;
    if (head === null) this.#records.delete(record.entity);
    else head.followers = head.followers.filter((f) => f !== record);
  }

  // ---- time-outs ----

  #schedule(record: RemoteClient): void {
    if (record.arriving !== null) return;
    let nextNs = Infinity;
    for (const request of record.requests) {
      if (isWatched(request)) this.#watchOver(record);
      else if (isInquired(request)) {
        const { tries, packets, route } = request;
        const roundTripNs = route?.roundTripNs ?? 0;
        nextNs = Math.min(nextNs, tries === 0 ? ts5Ns(roundTripNs, packets) : ts3Ns(roundTripNs, tries - 1));
      }
    }
    if (nextNs < Infinity) record.timer.set(nextNs);
    else record.timer.cancel();
  }

  #expired(record: RemoteClient): void {
    if (record.arriving !== null) {
      this.#acts.missing(record);
      return;
    }
    for (const request of record.requests) if (isInquired(request)) this.#kept.inquire(request);
    this.#schedule(record);
  }

  #silentNs({ heardNs }: RemoteClient): number {
    return this.#parts.machine.engine.nowNs - heardNs;
  }

  #watchOver(record: RemoteClient): void {
    if (record.watched) return;
    record.watched = true;
    this.#watched.push(record);
    if (this.#watched.length === 1) this.#watch.set(ts2Ns);
  }

  #findOrphans(): void {
    const watched = this.#watched;
    this.#watched = [];
    let longestNs = 0;
    for (const record of watched) {
      const silentNs = this.#silentNs(record);
      if (silentNs >= ts2Ns)
        for (const request of record.requests) if (isWatched(request)) this.#orphan(record, request);
      record.watched = record.requests.some(isWatched);
      if (!record.watched) continue;
      this.#watched.push(record);
      longestNs = Math.max(longestNs, silentNs);
    }
    if (this.#watched.length > 0) this.#watch.set(ts2Ns - longestNs);
  }

  #forgetSilent(): void {
    let longestNs = 0;
    const consider = (record: RemoteClient): void => {
      const silentNs = this.#silentNs(record);
      if (silentNs >= ts4Ns && isIdle(record)) this.#forget(record);
      else longestNs = Math.max(longestNs, silentNs);
    };
    for (const record of this.#records.values()) {
      for (const follower of record.followers) consider(follower);
      consider(record);
    }
    if (this.#records.size > 0) this.#look.set(Math.max(lookPauseNs, ts4Ns - longestNs));
  }

  #orphan(record: RemoteClient, request: ServedRequest): void {
    this.#parts.counters.orphans++;
    request.orphan = true;
    request.state = 'discarded';
    request.resident.service.abandoned?.(request);
    record.left();
  }
}

/** Its client is elsewhere, and asks again from time to time while it lives. */
const isWatched = ({ state, path, isDatagram }: ServedRequest): boolean =>
  state === 'processing' && path.from !== here && !isGroup(path.to) && !isDatagram;

/** Its response is asked after, until it is known to have arrived. */
const isInquired = ({ state, out, astray }: ServedRequest): boolean =>
  state === 'responded' && out !== null && !astray && out.hasData;

/** Nothing of it is under way. */
const isIdle = ({ arriving, requests, held, followers }: RemoteClient): boolean =>
  arriving === null &&
  held === null &&
  followers.length === 0 &&
  requests.every((r) => r.isDatagram || (r.state !== 'processing' && r.state !== 'responding'));
