/**
 * Requests as they arrive, packet by packet (RFC 1045, sections 2.5 and 4.6). What becomes of whole ones is in `Deliveries`.
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
 *   it was delivered                  again                                 see `Deliveries`
 *   a stream, this is a later one     any                                   as nothing, with a record of its own
 *   no such stream                    a later one of a stream               notice noRunRecord
 *
 * A repetition that asks for nothing was made by the network, and is dropped.
 */
import { type EntityId, entityIn, isGroup, type Message, MessageFlag } from '@backplane/slots';
import type { Place } from './carrier.ts';
import { responseCodes } from './codes.ts';
import type { Deliveries } from './deliveries.ts';
import { groupFlags } from './layout.ts';
import type { Packet } from './packet.ts';
import type { RemoteClient } from './remote-client.ts';
import type { RemoteClients } from './remote-clients.ts';
import type { Resident } from './residents.ts';
import {
  Arriving,
  distance,
  isStreamed,
  type Position,
  positionOf,
  runGroupsMax,
  skippedTransactions,
  wholeMessage,
} from './runs.ts';
import type { RequestPath } from './served-request.ts';
import type { ServerParts } from './server-parts.ts';
import type { ServerWords } from './server-words.ts';
import { retriesMax, ts1Ns } from './times.ts';

export class RequestIntake {
  readonly #parts: ServerParts;
  readonly #records: RemoteClients;
  readonly #deliveries: Deliveries;
  readonly #words: ServerWords;

  constructor(parts: ServerParts, records: RemoteClients, deliveries: Deliveries, words: ServerWords) {
    this.#parts = parts;
    this.#records = records;
    this.#deliveries = deliveries;
    this.#words = words;
  }

  request(p: Packet, from: Place): void {
    const { counters, residents, routes, streaming } = this.#parts;
    const isKernels = residents.get(p.server)?.isKernel === true;
    // Kernels are where their numbers say.
    if (p.forwardCount === 0 && !isKernels) routes.asked(p.client, from);
    const takesRuns = p.toGroup || isKernels;
    const streamed = !takesRuns && streaming && isStreamed(p.flags);
    const position = streamed ? 'only' : positionOf(p.flags);
    if (position === undefined) {
      this.#words.refuse(p, from, responseCodes.streamingNotSupported);
      return;
    }
    const first = position === 'second' ? (p.transaction - 1) >>> 0 : p.transaction;
    const follows = streamed && (p.flags & groupFlags.notStartOfRun) !== 0;
    const head = this.#records.get(p.client);
    const record = follows ? head?.follower(first) : head;
    const known = record?.transaction ?? (follows ? head?.transaction : undefined);
    if (known !== undefined) {
      const newer = distance(first, known);
      if (newer < 0) {
        counters.stale++;
        return;
      }
      if (record !== undefined && newer === 0 && !this.#isNew(record, p, from, position)) return;
    }
    if (!this.#isMeant(p, from, position)) return;
    const own = follows ? this.#follower(head, p, from) : (head ?? this.#records.begun(p.client));
    if (own === undefined) return;
    if (own.transaction !== first) this.#records.begin(own, first);
    if (streamed && !follows) own.streams = true;
    this.#receive(own, p, from, position, first, streamed);
  }

  /** The record of a further transaction of a stream. Its first one may have been lost, and comes again. */
  #follower(head: RemoteClient | undefined, p: Packet, from: Place): RemoteClient | undefined {
    const begun =
      head?.streams === true && distance(p.transaction, head.transaction ?? 0) < skippedTransactions;
    const own = begun ? this.#records.follow(head, p.transaction) : undefined;
    if (own === undefined)
      this.#words.refuse(p, from, begun ? responseCodes.busy : responseCodes.noRunRecord);
    return own;
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
    if (record.held !== null) {
      counters.duplicates++;
      if ((p.flags & groupFlags.acknowledge) !== 0) this.#words.have(p, from, p.sentBlocks);
      return false;
    }
    if (record.has(p.forwardCount)) {
      counters.duplicates++;
      if ((p.flags & groupFlags.acknowledge) === 0) return false;
      return this.#deliveries.again(record, p, from);
    }
    if (p.forwardCount > record.forwardCount) return true;
    counters.stale++;
    return false;
  }

  /** Is its receiver here? Who is not is told of, unless it came by multicast: somebody else may be meant. */
  #isMeant(p: Packet, from: Place, position: Position): boolean {
    const { residents } = this.#parts;
    const takesRuns = (resident: Resident): boolean => position === 'only' || resident.isKernel;
    if (!isGroup(p.server)) {
      const resident = residents.get(p.server);
      if (resident === undefined) this.#words.refuse(p, from, this.#whereabouts(p.server, from));
      else if (!takesRuns(resident)) this.#words.refuse(p, from, responseCodes.streamingNotSupported);
      else return true;
      return false;
    }
    if ((p.messageFlags & MessageFlag.coResident) !== 0) {
      const beside = entityIn({ control: p.control, segment: p.data }, 1);
      if (!residents.hosts(beside)) {
        this.#words.refuse(p, from, this.#whereabouts(beside, from));
        return false;
      }
    }
    const members = residents.members(p.server);
    return members.length > 0 && members.every(takesRuns);
  }

  /** What is said of an entity that is not here. One that was heard from elsewhere has moved. */
  #whereabouts(entity: EntityId, asker: Place): number {
    const route = this.#parts.routes.of(entity);
    const elsewhere = route !== undefined && route.place !== asker;
    return this.#parts.residents.absence(entity, this.#nowNs, elsewhere);
  }

  #receive(
    record: RemoteClient,
    p: Packet,
    from: Place,
    position: Position,
    first: number,
    streamed: boolean,
  ): void {
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
      streamed,
    };
    const m = wholeMessage(p, position);
    if (m !== undefined) {
      this.#complete(record, path, m, p, from);
      return;
    }
    const arriving = new Arriving(p, position, from, this.#nowNs);
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
    if (arriving !== undefined) routes.pace.came(p, arriving.heard(from, this.#nowNs));
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
    const verdict = this.#deliveries.deliver(record, path, m);
    // Of a group, one that has no room now is worth waiting for, too.
    const waits = isGroup(path.to) ? verdict !== 'nobody' && verdict !== 'notAwaiting' : verdict === 'taken';
    if (waits && (p.flags & groupFlags.acknowledge) !== 0) this.#words.have(p, from, p.sentBlocks);
  }

  /** Asks for what lacks of the request. */
  #demand(record: RemoteClient): void {
    const { arriving } = record;
    if (arriving === null) return;
    const { path } = arriving;
    for (let i = 0; i < arriving.arriving.count; i++) {
      const mask = arriving.arriving.lacking(i);
      if (mask === undefined) continue;
      this.#words.lacks(path, i, mask);
    }
  }

  // ---- time-outs ----

  /** Parts of a request lack. */
  missing(record: RemoteClient): void {
    const { arriving } = record;
    if (arriving === null) return;
    const { path } = arriving;
    const wanted = arriving.arriving.wantsRest && record.tries < retriesMax;
    if (wanted) {
      const { routes } = this.#parts;
      this.#demand(record);
      record.tries++;
      record.timer.set(ts1Ns(routes.at(path.from).roundTripNs, record.tries));
      return;
    }
    record.arriving = null;
    const m = arriving.arriving.message();
    if (m !== undefined) this.#deliveries.deliver(record, path, m);
    else record.schedule();
  }

  get #nowNs(): number {
    return this.#parts.machine.engine.nowNs;
  }
}
