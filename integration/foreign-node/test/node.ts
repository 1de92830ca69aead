/**
 * A node of V's that none of our boards is part of: about the least that RFC 1045 calls a member (section 2.16). It has one
 * entity, a client and a server, and a manager, which answers ProbeEntity, takes notices, and asks where entities are.
 *
 *   client    event                     action                                                      next
 *   waiting   time is up, tries left    resend the message without data, ask for an ack             waiting
 *   waiting   time is up, none left     the outcome is retransmissionTimeout                        over
 *   waiting   notice ok, busy           wait on, with all tries: who was busy will lack the data    waiting
 *   waiting   notice retry, retryAll    resend what is missing                                      waiting
 *   waiting   notice migrated           ask all managers where the server is, and begin again       over
 *   waiting   another notice            that is the outcome                                         over
 *   waiting   part of a response        keep it; after a silence ask for the rest, or, of one that  waiting
 *                                       is not kept, for all
 *   waiting   the last part             acknowledge it if asked to; that is the outcome             over
 *   over      another of a group        the same                                                    over
 *
 *   server    event                     action                                                      next
 *   unknown   part of a request         keep it; after a silence ask for the rest, at once if       receiving
 *                                       nothing came but the message
 *   any       the last part             acknowledge it if asked to; respond                         responded
 *   responded again, asks for an ack    respond again: the same, or, if that does no harm, anew     responded
 *   responded notice retry              resend what is missing                                      responded
 *   any       a newer transaction       forget the older one                                        unknown
 *
 * It knows nothing of the cluster but the wire that it is attached to.
 */
import { ms, type Scope, Timer } from '@backplane/engine';
import { Frame, type Medium, type StationAddress } from '@backplane/slots';
import * as vmtp from './packet.ts';
import { About, Arriving, blocksOf, Code, has, type Message, type Packet, viewOf } from './packet.ts';

/** Outcomes: of notices, and codes of responses. Those up to `busy` do not end a transaction. */
const [ok, retry, retryAll, busy, nonexistentEntity, entityMigrated] = [0, 1, 2, 3, 4, 5];
const [badTransactionId, streamingNotSupported, retransmissionTimeout, responseDiscarded] = [10, 11, 13, 15];

/** From an entity of some station; or an outcome that nobody responded with. */
export interface Answer {
  readonly from: bigint;
  readonly message: Message;
  readonly station?: StationAddress;
}
type Answered = (answer: Answer) => void;
/** Makes the response to a request. With `Code.dgm` it is not kept, and may be made again. */
type Serve = (request: Message) => Message;

const etherType = 0x805c;
/** RG-1-224.0.1.0: the managers of all hosts. */
const managers = 0x4000_0001_e000_0100n;
/** ProbeEntity, NotifyVmtpClient, NotifyVmtpServer, NotifyRemoteVmtpClient. */
const ask = { probe: 0x0500_0101, client: 0x4500_010f, server: 0x4500_0110, forwarder: 0x4100_0111 } as const;
/** One bit of a code is reserved, and others are flags. */
const sameCode = (a: number, b: number): boolean => ((a ^ b) & 0x1ff_ffff) === 0;
const [triesMax, firstNs, againNs] = [5, ms(300), ms(150)];

const isGroup = (e: bigint): boolean => ((e >> 62n) & 1n) !== 0n;
const low = (e: bigint): number => Number(BigInt.asUintN(32, e));
/** The manager's number, from that of the entity beside it. */
const managerOf = (entity: bigint): bigint => entity + (1n << 32n);
/** A well-known group is heard under its own internet address, another one under 232 and 24 bits of its number. */
const groupStation = (group: bigint): StationAddress =>
  0x0100_5e00_0000 + (low(low(group) >>> 28 === 0xe ? group : group >> 32n) & 0x7f_ffff);

const asksForAck = (p: Packet): boolean => (p.about & About.apg) !== 0;
const isResponse = (p: Packet): boolean => (p.about & About.response) !== 0;
const forwards = (p: Packet): number => (p.about >>> 16) & 15;

const halves = (e: bigint): [number, number] => [low(e >> 32n), low(e)];
/** A message without a segment. */
function plain(...words: readonly number[]): Message {
  const view = new DataView(new ArrayBuffer(32));
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word);
  return { control: new Uint8Array(view.buffer), segment: new Uint8Array(0) };
}

/** As a client. */
interface Call {
  end(outcome: number): void;
  noticed(transaction: number, here: number, outcome: number): void;
  response(p: Packet, from: StationAddress): void;
}

export class ForeignNode {
  readonly entity: bigint;
  readonly scope: Scope;
  /** That it is in. */
  readonly groups: Set<bigint> = new Set([managers]);
  readonly #serve: Serve;
  /** All of a message, or some blocks; nothing where nobody knows where to. */
  readonly #transmit: (to: StationAddress | undefined, h: vmtp.Header, m: Message, mask?: number) => void;
  readonly #stations = new Map<bigint, StationAddress>();
  /** The last one of each client, with a response that must not be made again. */
  readonly #requests = new Map<bigint, { readonly arriving: Arriving; kept?: Message }>();
  /** The present one of the entity, and of the manager. */
  readonly #calls = new Map<bigint, Call>();
  readonly #next: () => number;

  /** It lives as long as its scope. */
  constructor(medium: Medium, scope: Scope, address: StationAddress, entity: bigint, serve: Serve) {
    [this.entity, this.scope, this.#serve] = [entity, scope, serve];
    let transaction = scope.engine.random('first transaction', scope.name).uint32();
    this.#next = () => ++transaction >>> 0;
    const accepts = (to: StationAddress): boolean => [...this.groups].some((g) => groupStation(g) === to);
    const wire = medium.attach({ name: scope.name, address, accepts, deliver: (f) => this.#deliver(f) });
    const queue: Frame[] = [];
    const sent = (): void => {
      queue.shift();
      if (queue[0] !== undefined) wire.send(queue[0], sent);
    };
    this.#transmit = (to, header, message, mask = -1) => {
      if (to === undefined) return;
      const isIdle = queue.length === 0;
      for (const p of vmtp.packets(header, message, mask)) queue.push(new Frame(to, address, etherType, [p]));
      if (isIdle && queue[0] !== undefined) wire.send(queue[0], sent);
    };
  }

  /** One transaction; it ends the one before. Of a group, an answer for each member, until the next one. */
  send(to: bigint, message: Message, answered: Answered): void {
    this.locate(to, (station) => {
      if (station !== undefined) this.#call(this.entity, to, station, message, answered);
      else answered({ from: to, message: plain(retransmissionTimeout) });
    });
  }

  /** Where it was heard last, or where its manager says it is; undefined after silence. */
  locate(entity: bigint, found: (station?: StationAddress) => void): void {
    const known = isGroup(entity) ? groupStation(entity) : this.#stations.get(entity);
    const question = plain(ask.probe, ...halves(entity), ...halves(entity));
    const answered: Answered = ({ station }) => {
      if (station !== undefined) this.#stations.set(entity, station);
      found(station);
    };
    if (known !== undefined) found(known);
    else this.#call(managerOf(this.entity), managers, groupStation(managers), question, answered);
  }

  #deliver(frame: Frame): void {
    if (!this.scope.alive || frame.damaged || frame.type !== etherType) return;
    const [p, from] = [vmtp.decode(frame.payload()), frame.source];
    if (p === undefined) return;
    if (isResponse(p) || forwards(p) === 0) this.#stations.set(isResponse(p) ? p.server : p.client, from);
    if (isResponse(p)) this.#calls.get(p.client)?.response(p, from);
    else if (p.server === managers) this.#manage(p, from);
    else this.#request(p, from);
  }

  // ---- the client ----

  /** A transaction, and what the timer, notices and responses do to it. */
  #call(client: bigint, server: bigint, to: StationAddress, message: Message, answered: Answered): void {
    this.#calls.get(client)?.end(badTransactionId);
    const [multicast, transaction] = [isGroup(server), this.#next()];
    const responses = new Map<bigint, Arriving>();
    let [open, sent, tries] = [true, 0, 0];
    const transmit = (flags: number, mask: number): void => {
      const about = (this.groups.has(server) ? About.mdg : 0) | flags | ((sent++ & 7) << 20);
      this.#transmit(to, { client, server, multicast, about, transaction }, message, mask);
    };
    const wait = (): void => {
      tries = 0;
      timer.set(firstNs);
    };
    const timer = new Timer(this.scope, 'response', () => {
      timer.set(againNs);
      if (tries++ < triesMax) transmit(About.apg, 0);
      else end(retransmissionTimeout);
    });
    const end = (outcome: number): void => {
      timer.cancel();
      for (const { rest } of responses.values()) rest.cancel();
      if (!open) return;
      open = false;
      if (outcome !== ok) this.#stations.delete(server);
      if (outcome === entityMigrated) this.send(server, message, answered);
      else answered({ from: server, message: plain(outcome) });
    };
    const noticed = (about: number, here: number, outcome: number): void => {
      if (!open || about !== transaction) return;
      if (outcome === retry || outcome === retryAll) transmit(0, ~here);
      if (outcome <= busy) wait();
      else end(outcome);
    };
    const response = (p: Packet, from: StationAddress): void => {
      const known = responses.get(p.server);
      const isOurs = p.transaction === transaction;
      if (!isOurs || known?.missing === 0 || !(open || multicast)) {
        if (asksForAck(p)) this.#notify(p, from, 0, isOurs ? responseDiscarded : badTransactionId);
        return;
      }
      const demand = (here: number): void =>
        has(p.control, Code.dgm) ? transmit(About.apg, 0) : this.#notify(p, from, here, retry);
      const arriving = known ?? new Arriving(this.scope, p, demand);
      responses.set(p.server, arriving);
      if (open) wait();
      if (!arriving.add(p)) return;
      if (asksForAck(p)) this.#notify(p, from, blocksOf(p.control), ok);
      timer.cancel();
      open = false;
      answered({ from: p.server, message: arriving, station: from });
    };
    this.#calls.set(client, { end, noticed, response });
    transmit(0, -1);
    if (has(message.control, Code.dgm)) end(ok);
    else wait();
  }

  // ---- the manager ----

  /** About a request: to its client, or who forwarded it; about a response: to its server. */
  #notify(p: Packet, to: StationAddress, here: number, outcome: number): void {
    const outcomes = [p.transaction, here, outcome];
    const code = forwards(p) === 0 ? ask.client : ask.forwarder;
    const toClient = plain(code, ...halves(p.client), p.about | About.response, 0, ...outcomes);
    const toServer = plain(ask.server, ...halves(p.server), ...halves(p.client), ...outcomes);
    const transaction = this.#next();
    const header = { client: this.entity, server: managers, multicast: false, about: 0, transaction };
    this.#transmit(to, header, isResponse(p) ? toServer : toClient);
  }

  #manage(p: Packet, from: StationAddress): void {
    const view = viewOf(p.control);
    const [code, entity, other] = [view.getUint32(0), view.getBigUint64(4), view.getBigUint64(12)];
    const [about, here, outcome] = [view.getUint32(20), view.getUint32(24), view.getUint32(28)];
    if (sameCode(code, ask.client)) this.#calls.get(entity)?.noticed(about, here, outcome);
    else if (sameCode(code, ask.server) && outcome === retry) {
      const { arriving, kept } = this.#requests.get(other) ?? {};
      if (kept && arriving?.first.transaction === about) this.#respond(arriving.first, entity, kept, ~here);
    } else if (!sameCode(code, ask.probe)) return;
    else if (entity === other && (entity === this.entity || entity === managerOf(this.entity))) {
      this.#respond(p, managerOf(this.entity), plain(ok, this.#next(), ...halves(entity)));
    } else if (!p.multicast) this.#notify(p, from, 0, nonexistentEntity);
  }

  // ---- the server ----

  #request(p: Packet, from: StationAddress): void {
    const isMember = this.groups.has(p.server);
    const beside = isMember && has(p.control, Code.cre) ? viewOf(p.control).getBigUint64(4) : this.entity;
    const isHere = beside === this.entity && (isMember || p.server === this.entity);
    const whole = (p.about & About.streamed) === 0 ? ok : streamingNotSupported;
    const outcome = isHere ? whole : nonexistentEntity;
    if (outcome !== ok && !p.multicast && !has(p.control, Code.dgm)) this.#notify(p, from, 0, outcome);
    if (outcome !== ok) return;
    let request = this.#requests.get(p.client);
    const first = request?.arriving.first;
    const age = first ? (p.transaction - first.transaction) | 0 || forwards(p) - forwards(first) : 1;
    if (request === undefined || age > 0) {
      request?.arriving.rest.cancel();
      const demand = (here: number): void => this.#notify(p, from, here, retry);
      request = { arriving: new Arriving(this.scope, p, demand) };
      this.#requests.set(p.client, request);
    }
    const again = age === 0 && request.arriving.missing === 0;
    if (age < 0 || (again && !asksForAck(p)) || !request.arriving.add(p)) return;
    if (!again && asksForAck(p)) this.#notify(p, from, blocksOf(p.control), ok);
    const response = request.kept ?? this.#serve(request.arriving);
    if (!has(response.control, Code.dgm)) request.kept = response;
    if (!has(p.control, Code.dgm)) this.#respond(p, this.entity, response);
  }

  #respond(p: Packet, server: bigint, response: Message, mask = -1): void {
    const header = { ...p, server, multicast: false, about: (p.about & 0x7f_00f0) | About.response };
    this.locate(p.client, (to) => this.#transmit(to, header, response, mask));
  }
}
