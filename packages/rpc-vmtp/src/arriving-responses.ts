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
import type { ClientParts } from './client-parts.ts';
import { responseCodes } from './codes.ts';
import type { Packet } from './packet.ts';
import { Arriving, type Position } from './runs.ts';

/** What is handed up of a response that lacks something; `sound` if its sender allows that. */
export interface HandedUp {
  readonly message: Message;
  readonly sound: boolean;
}

export class ArrivingResponses {
  readonly #parts: ClientParts;
  readonly #client: EntityId;
  /** Number of a response's first group. */
  readonly #number: number;
  readonly #priority: MessagePriority;
  readonly #arriving = new Map<EntityId, Arriving>();

  constructor(parts: ClientParts, client: EntityId, number: number, priority: MessagePriority) {
    this.#parts = parts;
    this.#client = client;
    this.#number = number;
    this.#priority = priority;
  }

  get servers(): readonly EntityId[] {
    return [...this.#arriving.keys()];
  }

  drop(server: EntityId): void {
    this.#arriving.delete(server);
  }

  /** A packet. Returns the message when it is whole. */
  join(p: Packet, from: Place, position: Position): Message | undefined {
    const { counters } = this.#parts;
    let arriving = this.#arriving.get(p.server);
    if (arriving === undefined) {
      arriving = new Arriving(p, position);
      this.#arriving.set(p.server, arriving);
    } else {
      const joined = arriving.add(p, position);
      if (joined === 'contradicts') {
        counters.malformed++;
        // An idempotent transaction may have been done again, with another result.
        if ((p.messageFlags & MessageFlag.datagram) !== 0) this.#arriving.delete(p.server);
        return undefined;
      }
      if (joined === 'repeated') counters.duplicates++;
    }
    if (arriving.complete) return arriving.message();
    // A packet without data, of a response that has some: the server wants to know what is missing.
    if (p.delivery === 0) this.#demand(from, p.server, arriving);
    return undefined;
  }

  /**
   * Nothing came for a while.
   * @param more whether it is worth trying
   * @returns what is to be handed up; or that the request is to be sent again
   */
  missing(server: EntityId, more: boolean): HandedUp | 'repeat' | undefined {
    const arriving = this.#arriving.get(server);
    if (arriving === undefined) return undefined;
    const { idempotent, partial } = arriving;
    if (partial && (idempotent || !more)) return this.#handedUp(server, arriving.message(), true);
    if (!more) {
      const m = message({ code: ReplyCode.badReplySegment, segment: arriving.prefix() });
      return this.#handedUp(server, m, false);
    }
    if (idempotent) {
      this.#arriving.delete(server);
      return 'repeat';
    }
    const place = this.#parts.routes.of(server)?.place;
    if (place !== undefined) this.#demand(place, server, arriving);
    return undefined;
  }

  #handedUp(server: EntityId, m: Message | undefined, sound: boolean): HandedUp | undefined {
    this.#arriving.delete(server);
    return m === undefined ? undefined : { message: m, sound };
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
