/**
 * All clients that a host's servers remember, and what happens when nothing has been heard of one for a while.
 *
 *   its requests                              the next time-out   what it does
 *   one is processed, for a client elsewhere  TS2                 an orphan: tell the service; no response
 *   a response with data is kept              TS5, then TS3       ask whether it has arrived
 *   none of these                             TS4                 forget the client
 *
 * A group's requests and datagrams make no orphans, because nobody repeats them while they are processed. While packets of a
 * request are coming, the timer is theirs (TS1).
 */

import { LazyTimer } from '@backplane/rpc-service';
import { type EntityId, isGroup, type Message } from '@backplane/slots';
import { here } from './carrier.ts';
import { hasData, type KeptResponses } from './kept-responses.ts';
import { RemoteClient } from './remote-client.ts';
import type { ServedRequest } from './served-request.ts';
import type { ServerParts } from './server-parts.ts';
import { ts2Ns, ts3Ns, ts4Ns, ts5Ns } from './times.ts';

/** What the records' owner does. */
export interface RecordActs {
  /** The rest of a request has not come. */
  missing(record: RemoteClient): void;
  passHere(record: RemoteClient, request: ServedRequest, to: EntityId, m: Message): void;
}

const recordsMax = 4096;

export class RemoteClients {
  readonly #parts: ServerParts;
  readonly #kept: KeptResponses;
  readonly #acts: RecordActs;
  /** In the order in which they were first heard. */
  readonly #records = new Map<EntityId, RemoteClient>();

  constructor(parts: ServerParts, kept: KeptResponses, acts: RecordActs) {
    this.#parts = parts;
    this.#kept = kept;
    this.#acts = acts;
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
    const known = this.#records.get(client);
    if (known !== undefined || !this.#makeRoom()) return known;
    const record = new RemoteClient(
      client,
      (expired) => new LazyTimer(this.#parts.machine.scope, 'vmtp remote client', expired),
      {
        expired: (r) => this.#expired(r),
        schedule: (r) => this.#schedule(r),
        pass: (r, request, to, m) => this.#acts.passHere(r, request, to, m),
      },
    );
    this.#records.set(client, record);
    return record;
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
    record.requests.length = 0;
    record.arriving = null;
    record.transaction = transaction;
  }

  /** The client does not wait any more. */
  abandon(record: RemoteClient): void {
    for (const request of record.requests) {
      const { state, out } = request;
      this.#kept.acknowledged(request);
      if (out !== null) out.over = true;
      request.state = 'over';
      if (state === 'processing' && !request.isDatagram) request.resident.service.abandoned?.(request);
    }
  }

  #forget(record: RemoteClient): void {
    record.timer.dispose();
    this.abandon(record);
    this.#records.delete(record.entity);
  }

  // ---- time-outs ----

  #schedule(record: RemoteClient): void {
    if (record.arriving !== null) return;
    const { routes } = this.#parts;
    let nextNs = ts4Ns;
    for (const request of record.requests) {
      if (isWatched(request)) nextNs = Math.min(nextNs, ts2Ns);
      else if (request.state === 'responded' && request.out !== null && hasData(request.out)) {
        const { tries, packets } = request;
        const { roundTripNs } = routes.at(request.out.place);
        nextNs = Math.min(nextNs, tries === 0 ? ts5Ns(roundTripNs, packets) : ts3Ns(roundTripNs, tries - 1));
      }
    }
    record.timer.set(nextNs);
  }

  #expired(record: RemoteClient): void {
    if (record.arriving !== null) {
      this.#acts.missing(record);
      return;
    }
    const silentNs = this.#parts.machine.engine.nowNs - record.heardNs;
    for (const request of [...record.requests]) {
      if (isWatched(request) && silentNs >= ts2Ns) this.#orphan(request);
      else if (request.state === 'responded' && request.out !== null && hasData(request.out))
        this.#kept.inquire(request);
    }
    if (isIdle(record) && silentNs >= ts4Ns) this.#forget(record);
    else this.#schedule(record);
  }

  #orphan(request: ServedRequest): void {
    this.#parts.counters.orphans++;
    request.orphan = true;
    request.state = 'discarded';
    request.resident.service.abandoned?.(request);
  }
}

/** Its client is elsewhere, and asks again from time to time while it lives. */
const isWatched = ({ state, path, isDatagram }: ServedRequest): boolean =>
  state === 'processing' && path.from !== here && !isGroup(path.to) && !isDatagram;

/** Nothing of it is under way. */
const isIdle = ({ arriving, requests }: RemoteClient): boolean =>
  arriving === null &&
  requests.every((r) => r.isDatagram || (r.state !== 'processing' && r.state !== 'responding'));
