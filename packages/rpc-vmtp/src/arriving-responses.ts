/** Responses of which parts have come: of a group, several at once. */
import {
  type EntityId,
  type Message,
  MessageFlag,
  type MessagePriority,
  message,
  ReplyCode,
} from '@backplane/slots';
import type { Place } from './carrier.ts';
import type { ClientParts, Ending } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import type { Packet } from './packet.ts';
import { Arriving, type Position } from './runs.ts';
import type { SentRequest } from './sent-request.ts';

/** What is handed up of a response that lacks something; `sound` if its sender allows that. */
export interface HandedUp {
  readonly message: Message;
  readonly sound: boolean;
  readonly place: Place;
}

/** How transactions end whose server falls silent, is nowhere, or has let its response go. */
const silences: ReadonlySet<number> = /* @__PURE__ */ new Set<number>([
  ReplyCode.badReplySegment,
  ReplyCode.retransmissionTimeout,
  ReplyCode.nonexistentEntity,
  ReplyCode.responseDiscarded,
]);

export class ArrivingResponses {
  readonly #parts: ClientParts;
  readonly #client: EntityId;
  /** Number of a response's first group. */
  readonly #number: number;
  readonly #priority: MessagePriority;
  /** One, mostly. */
  readonly #arriving: Arriving[] = [];
  /** Data of one were sent again. */
  lossy = false;

  constructor(parts: ClientParts, client: EntityId, number: number, priority: MessagePriority) {
    this.#parts = parts;
    this.#client = client;
    this.#number = number;
    this.#priority = priority;
  }

  get servers(): readonly EntityId[] {
    return this.#arriving.map((a) => a.server);
  }

  /** What has come of some may be handed up as it is. */
  get partial(): boolean {
    return this.#arriving.some((a) => a.partial);
  }

  drop(server: EntityId): void {
    const at = this.#arriving.findIndex((a) => a.server === server);
    if (at >= 0) this.#arriving.splice(at, 1);
  }

  /** Data of a response that is not kept were lost: its server learns of it only as a larger gap that is asked for. */
  widenGap(request: SentRequest | null): void {
    if (!this.lossy) request?.widenAsked();
    this.lossy = true;
  }

  /** Of the only one: what has come of it, when that code says that no more will; undefined if nothing has. */
  handedUp(code: number): Ending | undefined {
    const [arriving] = this.#arriving;
    if (arriving === undefined || !silences.has(code)) return undefined;
    const came = this.missing(arriving.server, false);
    if (typeof came !== 'object') return undefined;
    return { from: arriving.server, message: came.message, place: arriving.from };
  }

  #of(server: EntityId): Arriving | undefined {
    for (const arriving of this.#arriving) if (arriving.server === server) return arriving;
    return undefined;
  }

  /** A packet. Returns the message when it is whole; else whether it brought anything. */
  join(p: Packet, from: Place, position: Position): Message | 'more' | 'nothing' {
    const { counters, routes, machine } = this.#parts;
    const { nowNs } = machine.engine;
    let arriving = this.#of(p.server);
    if (arriving !== undefined) routes.pace.came(p, arriving.heard(from, nowNs));
    const joined = arriving?.add(p, position);
    if (joined === 'contradicts') {
      counters.malformed++;
      // An idempotent transaction has been done again, with another result: the later one counts.
      if ((p.messageFlags & MessageFlag.datagram) === 0) return 'nothing';
      this.drop(p.server);
      arriving = undefined;
    }
    if (joined === 'repeated') counters.duplicates++;
    if (arriving === undefined) {
      arriving = new Arriving(p, position, from, nowNs);
      this.#arriving.push(arriving);
    }
    if (arriving.complete) return arriving.message() ?? 'nothing';
    // A packet without data, of a response that has some: the server wants to know what is missing.
    if (p.delivery === 0) this.#demand(from, p.server, arriving);
    return joined === 'repeated' ? 'nothing' : 'more';
  }

  /**
   * Nothing came for a while.
   * @param more whether it is worth trying
   * @returns what is to be handed up; or of an idempotent transaction the blocks that lack, for which the request is to be
   *          sent again: its server has kept nothing, but what it does again has the same blocks
   */
  missing(server: EntityId, more: boolean): HandedUp | number | undefined {
    const arriving = this.#of(server);
    if (arriving === undefined) return undefined;
    const { idempotent, partial } = arriving;
    if (partial && (idempotent || !more)) return this.#handedUp(arriving, arriving.message(), true);
    if (!more) {
      const m = message({ code: ReplyCode.badReplySegment, segment: arriving.prefix() });
      return this.#handedUp(arriving, m, false);
    }
    if (idempotent) {
      arriving.redo();
      return arriving.missing;
    }
    this.#demand(arriving.from, server, arriving);
    return undefined;
  }

  #handedUp({ server, from }: Arriving, m: Message | undefined, sound: boolean): HandedUp | undefined {
    this.drop(server);
    return m === undefined ? undefined : { message: m, sound, place: from };
  }

  /** Asks the server for what lacks of its response. */
  #demand(place: Place, server: EntityId, arriving: Arriving): void {
    const { notices } = this.#parts;
    for (let i = 0; i < arriving.count; i++) {
      const mask = arriving.lacking(i);
      if (mask === undefined) continue;
      const transaction = (this.#number + i) >>> 0;
      notices.toServer(place, this.#client, server, transaction, this.#priority, mask, responseCodes.retry);
    }
  }
}
