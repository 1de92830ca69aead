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
import type { Place } from './carrier.ts';
import type { ClientParts, LocalVerdict, TransactOptions } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import type { Finding } from './finder.ts';
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
/** The same while a host says that the server has left it. */
const transitSearchesMax = 24;

export class RequestWay {
  static {
    tasks(RequestWay);
  }

  readonly client: EntityId;
  readonly number: number;
  readonly to: EntityId;
  readonly message: Message;
  readonly priority: MessagePriority;
  readonly group: boolean;
  readonly datagram: boolean;
  /** It, or its response, may be a run. */
  readonly runs: boolean;
  /** To be handed over on this host. */
  local = false;
  /** The request as it went to other hosts. */
  sent: SentRequest | null = null;
  readonly #parts: ClientParts;
  readonly #settled: boolean;
  readonly #streamFlags: number;
  /** What was said of the server's place; undefined: nothing against it. */
  #told: number | undefined = undefined;
  #searches = 0;

  constructor(parts: ClientParts, facts: TransactionFacts) {
    const { client, number, to, message, options, streamFlags } = facts;
    this.#parts = parts;
    this.client = client;
    this.number = number;
    this.to = to;
    this.message = message;
    this.priority = options.priority ?? normalPriority;
    this.group = isGroup(to);
    this.datagram = (flagsOf(message) & MessageFlag.datagram) !== 0;
    this.runs = options.runs === true;
    this.#settled = options.settled === true;
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

  /** Of the request's last group, with which a response begins. */
  get lastNumber(): number {
    return this.sent?.out.lastTransaction ?? this.number;
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

  /** True if it is known where the request goes; else `find` it. */
  locate({ place, multicast = false }: TransactOptions): boolean {
    const { residents, carrier, finder } = this.#parts;
    const { sought } = this;
    if (place !== undefined) this.aim(place, multicast);
    else if (sought === undefined) {
      const beside = this.#beside;
      this.local = beside === undefined || residents.hosts(beside);
      this.aim(carrier.groupPlace(beside ?? this.to), true);
    } else {
      // Beside nobody is whoever is here.
      this.local = sought === noEntity || residents.hosts(sought);
      const known = this.local || this.#told !== undefined ? undefined : finder().heard(sought);
      if (this.local) this.#stay();
      else if (known !== undefined) this.aim(known, false);
      else if (this.datagram) this.#sendWhenFound(sought);
      else return false;
    }
    return true;
  }

  *find(): Task<Finding> {
    return yield* this.#parts.finder().find(this.sought ?? this.to, this.#told, this.#settled);
  }

  /** The server is not where the request went. False if it has been looked for often enough. */
  mayBeElsewhere(told: number): boolean {
    const { sought } = this;
    if (sought !== undefined) this.#parts.routes.forget(sought);
    if (this.#settled || sought === undefined) return false;
    // One that has left a host is somewhere before long.
    const most = told === responseCodes.entityMigrated ? transitSearchesMax : searchesMax;
    if (this.#searches >= most) return false;
    this.#searches++;
    this.#told = told;
    return true;
  }

  aim(place: Place, multicast: boolean): void {
    if (this.sent !== null) this.sent.aim(place);
    else {
      const { client, number, to, message, priority, runs } = this;
      const facts = { client, number, to, message, priority, runs, streamFlags: this.#streamFlags };
      this.sent = new SentRequest(this.#parts, facts, place, multicast);
    }
  }

  /** The server is here, or has come here. */
  #stay(): void {
    if (this.sent !== null) this.sent.out.over = true;
    this.sent = null;
  }

  deliverHere(): LocalVerdict {
    const { client, to, number: transaction, priority, message } = this;
    return this.#parts.servers().deliver({ client, to, transaction, priority, message });
  }

  /** A datagram's sender does not wait until its receiver is found. */
  #sendWhenFound(entity: EntityId): void {
    const { finder, machine } = this.#parts;
    const place = finder().known(entity);
    if (place !== undefined) this.aim(place, false);
    else machine.scope.spawn('vmtp datagram', this.#sendLater(entity));
  }

  *#sendLater(entity: EntityId): Task<void> {
    const { finder, output } = this.#parts;
    const { place } = yield* finder().find(entity, undefined, this.#settled);
    if (place === undefined) return;
    this.aim(place, false);
    if (this.sent !== null) yield* output.send(this.sent.out);
  }
}
