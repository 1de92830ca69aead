/**
 * A server's host: puts the parts of it together, takes the requests of clients here, and the notices about responses (RFC 1045,
 * sections 2.5 and 4.6).
 *
 *   a notice about        action
 *   a response            retry: send what is missing; else it has arrived, or nobody wants it: let it go (`KeptResponses`)
 *   a forwarded request   see `Forwarding`
 */
import { type EntityId, isGroup, type Message } from '@backplane/slots';
import { here, type Place } from './carrier.ts';
import type { LocalRequest, LocalServers, LocalVerdict } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import { Deliveries } from './deliveries.ts';
import { KeptResponses } from './kept-responses.ts';
import type { ClientNotice, ServerNotice } from './management.ts';
import type { HeardClient, MovedRequest } from './moved-entity.ts';
import type { Packet } from './packet.ts';
import type { RemoteClient } from './remote-client.ts';
import { type RecordActs, RemoteClients } from './remote-clients.ts';
import { RequestIntake } from './request-intake.ts';
import type { Resident } from './residents.ts';
import { distance } from './runs.ts';
import { type RequestPath, ServedRequest } from './served-request.ts';
import type { ServerParts } from './server-parts.ts';
import { ServerWords } from './server-words.ts';

export class Servers implements LocalServers, RecordActs {
  readonly #parts: ServerParts;
  readonly #kept: KeptResponses;
  readonly #deliveries: Deliveries;
  readonly #records: RemoteClients;
  readonly #intake: RequestIntake;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    const words = new ServerWords(parts);
    this.#kept = new KeptResponses(parts);
    this.#deliveries = new Deliveries(parts, this.#kept, words);
    this.#records = new RemoteClients(parts, this.#kept, this);
    this.#intake = new RequestIntake(parts, this.#records, this.#deliveries, words);
  }

  /** Clients that are remembered now. */
  get remembered(): number {
    return this.#records.size;
  }

  /** A packet of a request. */
  request(p: Packet, from: Place): void {
    this.#intake.request(p, from);
  }

  // ---- what records ask for ----

  missing(record: RemoteClient): void {
    this.#intake.missing(record);
  }

  left(record: RemoteClient): void {
    this.#deliveries.left(record);
  }

  passHere(record: RemoteClient, request: ServedRequest, to: EntityId, m: Message): void {
    this.#deliveries.forwarding.here(record, request, to, m);
  }

  // ---- notices ----

  /** About a request that was forwarded from here. */
  forwarded(notice: ClientNotice, forwardCount: number): void {
    const record = this.#records.get(notice.client);
    const request = record?.requests.find(
      (r) => r.state === 'forwarded' && r.path.forwardCount + 1 === forwardCount,
    );
    const out = request?.out ?? null;
    if (record === undefined || request === undefined || out?.groupOf(notice.transaction) === undefined) {
      this.#parts.counters.stale++;
      return;
    }
    record.heardNs = this.#nowNs;
    this.#deliveries.forwarding.noticed(request, out, notice);
  }

  /** About a response. */
  noticed(notice: ServerNotice): void {
    const record = this.#records.of(notice.client, notice.transaction);
    const request = record?.respondedBy(notice.server);
    const out = request?.out ?? null;
    if (record === undefined || request === undefined || out?.groupOf(notice.transaction) === undefined) {
      this.#parts.counters.stale++;
      return;
    }
    record.heardNs = this.#nowNs;
    this.#kept.noticed(request, out, notice);
    if (request.state === 'discarded') record.settle(request);
    record.schedule();
  }

  /** The entity of this host that has passed a request of that client on. */
  forwarderOf(client: EntityId): EntityId | undefined {
    return this.#records.get(client)?.requests.find((r) => r.state === 'forwarded')?.resident.entity;
  }

  /** Requests that an entity of this host has taken and not answered. */
  unanswered(entity: EntityId): readonly ServedRequest[] {
    const found: ServedRequest[] = [];
    for (const head of this.#records.all())
      for (const { requests } of [head, ...head.followers])
        for (const r of requests) if (r.resident.entity === entity && r.state === 'processing') found.push(r);
    return found;
  }

  // ---- servers that move ----

  /** What is known of requests to an entity that leaves, and of their clients. They are this host's no more. */
  take(entity: EntityId): {
    readonly requests: readonly ServedRequest[];
    readonly heard: readonly HeardClient[];
  } {
    const requests: ServedRequest[] = [];
    const heard: HeardClient[] = [];
    for (const record of this.#records.all()) {
      if (record.arriving?.path.to === entity) record.arriving = null;
      for (const request of record.requests.filter((r) => r.resident.entity === entity)) {
        record.remove(request);
        record.noteServer(entity);
        if (request.state !== 'responded' || !request.idempotent) requests.push(request);
      }
      const settled = record.settledBy === entity;
      if (settled) {
        record.clear();
        record.noteServer(entity);
      }
      if (record.dropServer(entity) && record.transaction !== undefined)
        heard.push({ client: record.entity, transaction: record.transaction, settled });
    }
    return { requests, heard };
  }

  /** An entity that has come here has had a request of that client: nothing older is one. */
  heard(resident: Resident, { client, transaction, settled }: HeardClient): void {
    const record = this.#records.remember(client);
    if (record === undefined) return;
    const known = record.transaction;
    if (known === undefined || distance(transaction, known) > 0) this.#records.begin(record, transaction);
    if (settled && record.transaction === transaction && !record.has(0)) record.settledBy = resident.entity;
    else record.noteServer(resident.entity);
    record.heardNs = this.#nowNs;
    record.schedule();
  }

  /** The clients here of requests that have gone with their server. Others hear it when they ask. */
  follow(requests: readonly ServedRequest[]): void {
    for (const request of requests)
      if (request.path.from === here && request.path.forwardCount === 0)
        this.#deliveries.forwarding.sayBack(request, responseCodes.entityMigrated);
  }

  /** A request to an entity that has come here. One that its client has left since is over. */
  restore(resident: Resident, { path, message, state, response, next }: MovedRequest): ServedRequest {
    const record = this.#records.remember(path.client) ?? null;
    const known = record?.transaction;
    const request = new ServedRequest(
      this.#parts,
      record ?? this.#records.stranger(path.client),
      resident,
      path,
      message,
    );
    if (record === null || (known !== undefined && distance(path.transaction, known) < 0)) {
      request.state = 'over';
      return request;
    }
    if (known !== path.transaction) this.#records.begin(record, path.transaction);
    record.add(request);
    record.heardNs = this.#nowNs;
    request.next = next;
    if (response === null) request.state = state;
    else request.keep(response);
    record.schedule();
    return request;
  }

  // ---- clients of this host ----

  deliver({ client, to, transaction, priority, message }: LocalRequest): LocalVerdict {
    const record = this.#records.remember(client);
    if (record === undefined) return 'busy';
    if (record.transaction !== transaction) this.#records.begin(record, transaction);
    else if (this.#askedAgain(record, to) && !isGroup(to)) return 'taken';
    record.heardNs = this.#nowNs;
    const path: RequestPath = {
      client,
      to,
      priority,
      transaction,
      groups: 1,
      forwardCount: 0,
      multicast: false,
      runs: false,
      from: here,
      gap: 0,
      retransmitCount: 0,
      streamed: false,
    };
    return this.#deliveries.deliver(record, path, message);
  }

  /** A client that has moved here asks again. False if nobody here has had the request, or it may be done again. */
  #askedAgain(record: RemoteClient, to: EntityId): boolean {
    let known = record.settledBy === to;
    for (const request of record.requests.filter((r) => r.path.to === to && r.path.forwardCount === 0)) {
      request.heardFrom(here);
      if (request.state === 'responded' && request.idempotent) record.remove(request);
      else {
        request.handAgain();
        known = true;
      }
    }
    return known;
  }

  workFor(client: EntityId): boolean {
    const record = this.#records.get(client);
    const isWorking = ({ state }: ServedRequest): boolean => state === 'processing' || state === 'responding';
    return record?.requests.some(isWorking) === true;
  }

  repeat(client: EntityId): void {
    const record = this.#records.get(client);
    if (record === undefined) return;
    const { forwarding } = this.#deliveries;
    const { transaction, settledBy } = record;
    if (settledBy !== null && transaction !== undefined)
      forwarding.sayHere({ client, transaction }, responseCodes.responseDiscarded);
    for (const request of record.requests.filter((r) => r.path.forwardCount === 0)) {
      if (request.state === 'forwarded') forwarding.again(record, request);
      else if (request.state === 'discarded' && !isGroup(request.to))
        forwarding.sayBack(request, responseCodes.responseDiscarded);
    }
  }

  abandon(client: EntityId): void {
    const record = this.#records.get(client);
    if (record !== undefined) this.#records.abandon(record);
  }

  get #nowNs(): number {
    return this.#parts.machine.engine.nowNs;
  }
}
