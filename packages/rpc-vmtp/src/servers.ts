/**
 * A server's host: requests as they arrive, of clients elsewhere and here, and notices about responses (RFC 1045, sections 2.5
 * and 4.6). What a request does once it has been delivered is in `ServedRequest`.
 *
 *   what is known of the client       a packet of a request                 action
 *   nothing, or an older transaction  for nobody here                       say so, unless it came by multicast
 *   the same                          whole                                 end the older; deliver
 *   the same                          a part                                end the older; keep it; set TS1
 *   a newer transaction               any                                   drop
 *   it is arriving                    a part                                keep it; set TS1
 *   it is arriving                    the last part                         deliver; acknowledge it if asked to
 *   it is arriving                    TS1, tries left                       ask for what is missing
 *   it is arriving                    TS1, none left, or a datagram         deliver what came if it is `partial`; else drop it
 *   processing                        again, asks for an acknowledgement    notice ok: we have it
 *   responded                         again, asks for an acknowledgement    send the response again
 *   responded, idempotent             again, asks for an acknowledgement    deliver it again
 *   discarded                         again, asks for an acknowledgement    notice responseDiscarded, unless by multicast
 *   forwarded                         again, asks for an acknowledgement    pass that on: whoever has it now answers
 *   responded                         notice retry                          send what is missing
 *   responded                         TS5 or TS3, data unacknowledged       send the message alone, ask for an ack; set TS3
 *   responded                         the same, too often                   discarded
 *
 *   delivery         action
 *   taken            processing; set TS2
 *   notAwaiting      forget it; notice notAwaitingMessage, unless by multicast
 *   busy             forget it; notice busy, unless by multicast: it comes again
 *   frozen           forget it; notice ok: it comes again, whole when it is delivered elsewhere
 *
 * A repetition that asks for nothing was made by the network, and is dropped. A copy that a service refused is forgotten, so
 * the next one is as new. The sender of a group's request gets no copy of its own.
 */
import { type EntityId, entityIn, isGroup, type Message, MessageFlag } from '@backplane/slots';
import { here, type Place } from './carrier.ts';
import type { LocalRequest, LocalServers, LocalVerdict } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import { type Delivering, Forwarding } from './forwarding.ts';
import { KeptResponses } from './kept-responses.ts';
import { groupFlags } from './layout.ts';
import type { ClientNotice, ServerNotice } from './management.ts';
import type { RequestName } from './notices.ts';
import type { Packet } from './packet.ts';
import type { RemoteClient } from './remote-client.ts';
import { type RecordActs, RemoteClients } from './remote-clients.ts';
import type { Resident } from './residents.ts';
import { Arriving, distance, type Position, positionOf, runGroupsMax, wholeMessage } from './runs.ts';
import { type RequestPath, ServedRequest } from './served-request.ts';
import type { ServerParts } from './server-parts.ts';
import { retriesMax, ts1Ns } from './times.ts';

export class Servers implements LocalServers, Delivering, RecordActs {
  readonly #parts: ServerParts;
  readonly #kept: KeptResponses;
  readonly #forwarding: Forwarding;
  readonly #records: RemoteClients;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#kept = new KeptResponses(parts);
    this.#forwarding = new Forwarding(parts, this);
    this.#records = new RemoteClients(parts, this.#kept, this);
  }

  /** Clients that are remembered now. */
  get remembered(): number {
    return this.#records.size;
  }

  // ---- requests that arrive ----

  request(p: Packet, from: Place): void {
    const { counters } = this.#parts;
    const position = positionOf(p.flags);
    if (position === undefined) {
      this.#refuse(p, from, responseCodes.streamingNotSupported);
      return;
    }
    const first = position === 'second' ? (p.transaction - 1) >>> 0 : p.transaction;
    const record = this.#records.get(p.client);
    if (record?.transaction !== undefined) {
      const newer = distance(first, record.transaction);
      if (newer < 0) {
        counters.stale++;
        return;
      }
      if (newer === 0 && !this.#isNew(record, p, from, position)) return;
    }
    if (!this.#isMeant(p, from, position)) return;
    const known = record ?? this.#records.remember(p.client);
    if (known === undefined) return;
    if (known.transaction !== first) this.#records.begin(known, first);
    this.#receive(known, p, from, position, first);
  }

  /** A packet of the transaction that is known: deals with it, unless it is as good as new. */
  #isNew(record: RemoteClient, p: Packet, from: Place, position: Position): boolean {
    const { counters } = this.#parts;
    record.heardNs = this.#nowNs;
    const { arriving } = record;
    if (arriving !== null && arriving.path.forwardCount === p.forwardCount) {
      this.#join(record, p, from, position);
      return false;
    }
    if (record.has(p.forwardCount)) {
      counters.duplicates++;
      if ((p.flags & groupFlags.acknowledge) === 0) return false;
      return this.#again(record, p, from);
    }
    if (p.forwardCount > record.forwardCount) return true;
    counters.stale++;
    return false;
  }

  /** Is its receiver here? Who is not is told of, unless it came by multicast: somebody else may be meant. */
  #isMeant(p: Packet, from: Place, position: Position): boolean {
    const { residents } = this.#parts;
    const takesRuns = (resident: Resident): boolean => position === 'only' || resident.takesRuns;
    if (!isGroup(p.server)) {
      const resident = residents.get(p.server);
      if (resident === undefined) this.#refuse(p, from, this.#whereabouts(p.server, from));
      else if (!takesRuns(resident)) this.#refuse(p, from, responseCodes.streamingNotSupported);
      else return true;
      return false;
    }
    if ((p.messageFlags & MessageFlag.coResident) !== 0) {
      const beside = entityIn({ control: p.control, segment: p.data }, 1);
      if (!residents.hosts(beside)) {
        this.#refuse(p, from, this.#whereabouts(beside, from));
        return false;
      }
    }
    const members = residents.members(p.server);
    return members.length > 0 && members.every(takesRuns);
  }

  /** What is said of an entity that is not here. One that was heard from elsewhere has moved. */
  #whereabouts(entity: EntityId, asker: Place): number {
    const route = this.#parts.routes.of(entity);
    return route === undefined || route.place === asker
      ? responseCodes.nonexistentEntity
      : responseCodes.entityMigrated;
  }

  #receive(record: RemoteClient, p: Packet, from: Place, position: Position, first: number): void {
    const { routes } = this.#parts;
    record.heardNs = this.#nowNs;
    const path: RequestPath = {
      client: p.client,
      to: p.server,
      priority: p.priority,
      transaction: first,
      groups: position === 'only' ? 1 : runGroupsMax,
      forwardCount: p.forwardCount,
      multicast: p.multicast,
      runs: (p.flags & groupFlags.skipTransactions) !== 0,
      from,
      gap: p.gap,
      retransmitCount: p.retransmitCount,
    };
    const m = wholeMessage(p, position);
    if (m !== undefined) {
      this.#complete(record, path, m, p, from);
      return;
    }
    const arriving = new Arriving(p, position);
    record.arriving = { arriving, path };
    record.tries = 0;
    if (arriving.complete) this.#arrived(record, p, from);
    else {
      if (p.delivery === 0) this.#demand(record);
      record.timer.set(ts1Ns(routes.at(from).roundTripNs, 0));
    }
  }

  #join(record: RemoteClient, p: Packet, from: Place, position: Position): void {
    const { counters, routes } = this.#parts;
    const arriving = record.arriving?.arriving;
    const joined = arriving?.add(p, position);
    if (joined === 'complete') this.#arrived(record, p, from);
    else if (joined === 'contradicts') counters.malformed++;
    else {
      if (joined === 'repeated') counters.duplicates++;
      if (p.delivery === 0) this.#demand(record);
      record.timer.set(ts1Ns(routes.at(from).roundTripNs, record.tries));
    }
  }

  #arrived(record: RemoteClient, p: Packet, from: Place): void {
    const { arriving } = record;
    const m = arriving?.arriving.message();
    record.arriving = null;
    if (arriving !== null && m !== undefined) this.#complete(record, arriving.path, m, p, from);
  }

  /** Delivers the message whose last packet has just come. */
  #complete(record: RemoteClient, path: RequestPath, m: Message, p: Packet, from: Place): void {
    const verdict = this.#deliver(record, path, m);
    // Of a group, one that has no room now is worth waiting for, too.
    const waits = isGroup(path.to) ? verdict !== 'nobody' && verdict !== 'notAwaiting' : verdict === 'taken';
    if (waits && (p.flags & groupFlags.acknowledge) !== 0) this.#have(p, from, p.sentBlocks);
  }

  /** Asks for what lacks of the request. */
  #demand(record: RemoteClient): void {
    const { arriving } = record;
    if (arriving === null) return;
    const { path } = arriving;
    for (let i = 0; i < arriving.arriving.count; i++) {
      const mask = arriving.arriving.lacking(i);
      if (mask === undefined) continue;
      const name = { ...path, transaction: (path.transaction + i) >>> 0 };
      this.#notice(path.from, this.#speaker(path), name, mask, responseCodes.retry);
    }
  }

  // ---- delivery ----

  #deliver(record: RemoteClient, path: RequestPath, m: Message): LocalVerdict {
    const { residents } = this.#parts;
    if (isGroup(path.to)) {
      let verdict: LocalVerdict = 'nobody';
      for (const member of [...residents.members(path.to)]) {
        if (member.entity === path.client || record.at(member.entity, path.forwardCount) !== undefined)
          continue;
        verdict = better(verdict, this.offer(record, member, path, m));
      }
      record.schedule();
      return verdict;
    }
    const resident = residents.get(path.to);
    if (resident === undefined) return 'nobody';
    const verdict = this.offer(record, resident, path, m);
    if (verdict === 'notAwaiting') this.#say(path, responseCodes.notAwaitingMessage);
    else if (verdict === 'busy') this.#say(path, responseCodes.busy);
    else if (verdict === 'frozen') this.#say(path, responseCodes.ok);
    record.schedule();
    return verdict;
  }

  /** Hands a request to an entity of this host. */
  offer(record: RemoteClient, resident: Resident, path: RequestPath, m: Message): LocalVerdict {
    const request = new ServedRequest(this.#parts, record, resident, path, m);
    record.requests.push(request);
    const verdict = resident.service.arrived(request);
    if (verdict === 'taken') {
      this.#parts.counters.requests++;
      return verdict;
    }
    request.state = 'over';
    record.remove(request);
    return verdict;
  }

  passHere(record: RemoteClient, request: ServedRequest, to: EntityId, m: Message): void {
    this.#forwarding.here(record, request, to, m);
  }

  respondAgain(record: RemoteClient, request: ServedRequest): void {
    if (this.#repeat(record, request)) this.#deliver(record, request.path, request.message);
  }

  /** To a client elsewhere, about a request that was for one entity. */
  #say(path: RequestPath, code: number): void {
    if (path.from !== here && !path.multicast) this.#notice(path.from, path.to, path, 0, code);
  }

  // ---- repetitions ----

  /** A request that was delivered comes again and asks for a sign. True: it is to be received as new. */
  #again(record: RemoteClient, p: Packet, from: Place): boolean {
    const own = record.requests.filter((r) => r.path.forwardCount === p.forwardCount);
    const [one] = own;
    if (one === undefined) return true;
    if (isGroup(p.server)) this.#deliver(record, one.path, one.message); // who was busy has another chance
    let isNew = false;
    for (const request of own) {
      switch (request.state) {
        case 'processing':
        case 'responding':
          if (request.isDatagram) break;
          this.#have(p, from, p.sentBlocks);
          break;
        case 'responded':
          isNew = this.#repeat(record, request) || isNew;
          break;
        case 'forwarded':
          this.#forwarding.again(record, request);
          break;
        case 'discarded':
          if (!request.isDatagram) this.#refuse(p, from, responseCodes.responseDiscarded);
          break;
        default:
      }
    }
    record.schedule();
    return isNew;
  }

  /** Sends the response again. True for one that may be made again: the request is as new. */
  #repeat(record: RemoteClient, request: ServedRequest): boolean {
    if (!request.idempotent) {
      this.#kept.repeat(request);
      return false;
    }
    this.#parts.counters.redone++;
    request.state = 'over';
    record.remove(request);
    return true;
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
    this.#forwarding.noticed(record, request, out, notice);
  }

  /** About a response. */
  noticed(notice: ServerNotice): void {
    const record = this.#records.get(notice.client);
    const request = record?.requests.find(
      (r) => r.resident.entity === notice.server && r.out !== null && r.state === 'responded',
    );
    const out = request?.out ?? null;
    if (record === undefined || request === undefined || out?.groupOf(notice.transaction) === undefined) {
      this.#parts.counters.stale++;
      return;
    }
    record.heardNs = this.#nowNs;
    this.#kept.noticed(request, out, notice);
    record.schedule();
  }

  // ---- time-outs ----

  /** Parts of a request lack. */
  missing(record: RemoteClient): void {
    const { arriving } = record;
    if (arriving === null) return;
    const { path } = arriving;
    const wanted = arriving.arriving.wantsRest && record.tries < retriesMax;
    if (wanted) {
      this.#demand(record);
      record.tries++;
      record.timer.set(ts1Ns(this.#parts.routes.at(path.from).roundTripNs, record.tries));
      return;
    }
    record.arriving = null;
    const m = arriving.arriving.message();
    if (m !== undefined) this.#deliver(record, path, m);
    else record.schedule();
  }

  // ---- clients of this host ----

  deliver({ client, to, transaction, priority, message }: LocalRequest): LocalVerdict {
    const record = this.#records.remember(client);
    if (record === undefined) return 'busy';
    if (record.transaction !== transaction) this.#records.begin(record, transaction);
    else if (record.at(to, 0) !== undefined) return 'taken';
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
    };
    return this.#deliver(record, path, message);
  }

  workFor(client: EntityId): boolean {
    const record = this.#records.get(client);
    const isWorking = ({ state }: ServedRequest): boolean => state === 'processing' || state === 'responding';
    return record?.requests.some(isWorking) === true;
  }

  repeat(client: EntityId): void {
    const record = this.#records.get(client);
    if (record === undefined) return;
    for (const request of record.requests.filter((r) => r.path.forwardCount === 0)) {
      if (request.state === 'forwarded') this.#forwarding.again(record, request);
      else if (request.state === 'discarded' && !isGroup(request.to))
        this.#forwarding.sayBack(record, request, responseCodes.responseDiscarded);
    }
  }

  abandon(client: EntityId): void {
    const record = this.#records.get(client);
    if (record !== undefined) this.#records.abandon(record);
  }

  get #nowNs(): number {
    return this.#parts.machine.engine.nowNs;
  }

  // ---- what is said ----

  /** We have it. */
  #have(p: Packet, to: Place, delivery: number): void {
    this.#notice(to, isGroup(p.server) ? this.#parts.manager : p.server, p, delivery, responseCodes.ok);
  }

  /** No, unless others may say yes. */
  #refuse(p: Packet, to: Place, code: number): void {
    if (p.multicast || (p.messageFlags & MessageFlag.datagram) !== 0) return;
    this.#notice(to, isGroup(p.server) ? this.#parts.manager : p.server, p, 0, code);
  }

  #speaker({ to }: RequestPath): EntityId {
    return isGroup(to) ? this.#parts.manager : to;
  }

  #notice(to: Place, from: EntityId, name: RequestName, delivery: number, code: number): void {
    this.#parts.notices.toClient(to, from, name, delivery, code);
  }
}

const verdicts: readonly LocalVerdict[] = ['nobody', 'notAwaiting', 'busy', 'frozen', 'taken'];

/** What a group's request has come to, by its members: the more hope, the better. */
const better = (a: LocalVerdict, b: LocalVerdict): LocalVerdict =>
  verdicts.indexOf(b) > verdicts.indexOf(a) ? b : a;
