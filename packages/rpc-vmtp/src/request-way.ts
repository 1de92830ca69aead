/**
 * Where a request goes: to an entity of this host, to the host of its server, or to all that have a member of its group. The
 * transaction says when, and again after what was heard.
 *
 *   the request is for        and meant for those beside   goes
 *   an entity of this host                                 nowhere: it is handed over
 *   an entity elsewhere                                    where that was heard last or minted, or where managers say it is
 *   a group                   nobody named                 to the members here, and by multicast to the group
 *   a group                   an entity                    as to that entity
 *   a group                   a group                      to the members here if one of that group is, and by multicast to that
 *
 *   whereabouts   event                              action                      next
 *   unknown       somebody knows                     aim there                   known
 *   unknown       nobody does                        ask for it                  sought
 *   sought        it was found                       aim there                   known
 *   sought        it has come to this host           none                        unknown
 *   known         sent, or handed over               none                        sent
 *   known, sent   it is not there                    ask all, from now on        unknown
 */
import { type Task, tasks } from '@backplane/engine';
import {
  type EntityId,
  entityIn,
  flagsOf,
  isGroup,
  type Message,
  MessageFlag,
  type MessagePriority,
  noEntity,
  normalPriority,
} from '@backplane/slots';
import { here, type Place } from './carrier.ts';
import type { ClientParts, LocalVerdict, TransactOptions } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import type { Route } from './routes.ts';
import { SentRequest } from './sent-request.ts';

export interface TransactionFacts {
  readonly client: EntityId;
  readonly number: number;
  readonly to: EntityId;
  readonly message: Message;
  readonly options: TransactOptions;
  readonly asking: boolean;
  /** Bits of `groupFlags` of a transaction in a stream; else 0. */
  readonly streamFlags: number;
}

/** Other hosts' word, and managers', before a client believes that there is no such server. */
const searchesMax = 3;

export type Whereabouts = 'unknown' | 'sought' | 'known' | 'sent';

export class RequestWay {
  static {
    tasks(RequestWay);
  }

  readonly client: EntityId;
  readonly number: number;
  /** Of the request's last group, with which a response begins. */
  lastNumber: number;
  readonly to: EntityId;
  readonly message: Message;
  readonly priority: MessagePriority;
  readonly group: boolean;
  readonly datagram: boolean;
  /** It, or its response, may be a run. */
  readonly runs: boolean;
  /** The server is where it is asked, or nowhere. */
  readonly settled: boolean;
  whereabouts: Whereabouts = 'unknown';
  /** To be handed over on this host. */
  local = false;
  /** The request as it went to other hosts. */
  sent: SentRequest | null = null;
  readonly #parts: ClientParts;
  readonly #streamFlags: number;
  /** What was said of the server's place; undefined: nothing against it. */
  #told: number | undefined = undefined;
  #searches = 0;

  constructor(parts: ClientParts, facts: TransactionFacts) {
    const { client, number, to, message, options, streamFlags } = facts;
    this.#parts = parts;
    this.client = client;
    this.number = number;
    this.lastNumber = number;
    this.to = to;
    this.message = message;
    this.priority = options.priority ?? normalPriority;
    this.group = isGroup(to);
    this.datagram = (flagsOf(message) & MessageFlag.datagram) !== 0;
    this.runs = options.runs === true;
    this.settled = options.settled === true;
    this.#streamFlags = streamFlags;
  }

  // ---- facts ----

  /** The entity on whose place this depends: the server, or who shares a host with the members that are meant. */
  get sought(): EntityId | undefined {
    if (!this.group) return this.to;
    const beside = this.#beside;
    return beside === undefined || isGroup(beside) ? undefined : beside;
  }

  /** Of a group's request, beside whom the members are that it is for; undefined: anywhere. */
  get #beside(): EntityId | undefined {
    const isBeside = (flagsOf(this.message) & MessageFlag.coResident) !== 0;
    return isBeside ? entityIn(this.message, 1) : undefined;
  }

  /** Is that the number of one of the request's groups? */
  sends(transaction: number): boolean {
    const { sent } = this;
    return sent === null ? transaction === this.number : sent.out.groupOf(transaction) !== undefined;
  }

  // ---- where to ----

  /** Where it went last, as other hosts would say it; null: that is not known. */
  get at(): { readonly place: Place; readonly multicast: boolean } | null {
    const { sent } = this;
    if (sent !== null) return { place: sent.place, multicast: sent.multicast };
    const { carrier, machine } = this.#parts;
    const place = this.local ? carrier.placeOf(machine.host) : undefined;
    return place === undefined ? null : { place, multicast: false };
  }

  /** Finds out where the request goes, if that needs no question to anybody. */
  locate({ route, multicast = false }: TransactOptions): void {
    const { residents, routes, carrier, finder } = this.#parts;
    const { sought } = this;
    if (route !== undefined && this.#told === undefined) this.aim(route, multicast);
    else if (sought === undefined) {
      const beside = this.#beside;
      this.local = beside === undefined || residents.hosts(beside);
      this.aim(routes.at(carrier.groupPlace(beside ?? this.to)), true);
    } else {
      // Beside nobody is whoever is here.
      this.local = sought === noEntity || residents.hosts(sought);
      const known = this.local || this.#told !== undefined ? undefined : finder().known(sought);
      if (this.local) this.#stay();
      else if (known !== undefined) this.aim(routes.at(known), false);
      else if (this.datagram) this.#parts.machine.scope.spawn('vmtp datagram', this.#sendWhenFound(sought));
      else return;
    }
    this.whereabouts = 'known';
  }

  /**
   * Asks where it goes, while its sender waits, or does not.
   * @param wanted false: nobody waits any more
   * @param done   it is known, or `outcome` is that it cannot be
   */
  seek(wanted: () => boolean, done: (outcome: number | undefined) => void): void {
    if (this.whereabouts !== 'unknown') return;
    this.whereabouts = 'sought';
    this.#parts.machine.scope.spawn('vmtp search', this.#seek(wanted, done));
  }

  *#seek(wanted: () => boolean, done: (outcome: number | undefined) => void): Task<void> {
    const found = yield* this.#parts.finder().find(this.sought ?? this.to, this.#told, this.settled, wanted);
    if (this.whereabouts !== 'sought' || !wanted()) return;
    this.whereabouts = 'unknown';
    if (found.place !== undefined && found.place !== here) {
      this.aim(this.#parts.routes.at(found.place), false);
      this.whereabouts = 'known';
    }
    done(found.code);
  }

  /** The server has answered there, and falls silent. True if it is worth asking there once more. */
  mayAnswerAgain(): boolean {
    return this.settled && this.#searches++ < searchesMax;
  }

  /** The server is not where the request went. False if it has been looked for often enough. */
  mayBeElsewhere(told: number): boolean {
    const { sought } = this;
    if (sought !== undefined) this.#parts.routes.forget(sought);
    if (this.settled || sought === undefined) return false;
    // One that goes on and on lives: how long it is chased is up to the sender's own limit.
    if (told !== responseCodes.entityMigrated && this.#searches++ >= searchesMax) return false;
    this.#told = told;
    this.whereabouts = 'unknown';
    return true;
  }

  aim(route: Route, multicast: boolean): void {
    if (this.sent !== null) this.sent.aim(route);
    else {
      const { client, number, to, message, priority, runs } = this;
      const facts = { client, number, to, message, priority, runs, streamFlags: this.#streamFlags };
      this.sent = new SentRequest(this.#parts, facts, route, multicast);
      this.lastNumber = this.sent.out.lastTransaction;
    }
  }

  /** The server is here, or has come here. */
  #stay(): void {
    if (this.sent !== null) this.sent.out.over = true;
    this.sent = null;
    this.lastNumber = this.number;
  }

  deliverHere(): LocalVerdict {
    const { client, to, number: transaction, priority, message } = this;
    return this.#parts.servers().deliver({ client, to, transaction, priority, message });
  }

  /** A datagram's sender does not wait until its receiver is found. */
  *#sendWhenFound(entity: EntityId): Task<void> {
    const { finder, output, routes } = this.#parts;
    const { place } = yield* finder().find(entity, undefined, this.settled, () => true);
    if (place === undefined || place === here) return;
    this.aim(routes.at(place), false);
    if (this.sent !== null) yield* output.send(this.sent.out);
  }
}
