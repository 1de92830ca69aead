/**
 * What a host's servers say to clients elsewhere about their requests. Of a group's request the host's manager speaks, since no
 * member does for the others.
 */
import { type EntityId, isGroup, MessageFlag } from '@backplane/slots';
import { here, type Place } from './carrier.ts';
import { responseCodes } from './codes.ts';
import type { RequestName } from './notices.ts';
import type { Packet } from './packet.ts';
import type { RequestPath } from './served-request.ts';
import type { ServerParts } from './server-parts.ts';

export class ServerWords {
  readonly #parts: ServerParts;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** We have it. */
  have(p: Packet, to: Place, delivery: number): void {
    this.#notice(to, this.#speaker(p.server), p, delivery, responseCodes.ok);
  }

  /** No, unless others may say yes. */
  refuse(p: Packet, to: Place, code: number): void {
    if (p.multicast || (p.messageFlags & MessageFlag.datagram) !== 0) return;
    this.#notice(to, this.#speaker(p.server), p, 0, code);
  }

  /** To a client elsewhere, about a request that was for one entity. */
  say(path: RequestPath, code: number): void {
    if (path.from !== here && !path.multicast) this.#notice(path.from, path.to, path, 0, code);
  }

  /** Of the request's group with that index, only the blocks of `mask` are here. */
  lacks(path: RequestPath, index: number, mask: number): void {
    const name = { ...path, transaction: (path.transaction + index) >>> 0 };
    this.#notice(path.from, this.#speaker(path.to), name, mask, responseCodes.retry);
  }

  #speaker(to: EntityId): EntityId {
    return isGroup(to) ? this.#parts.manager : to;
  }

  #notice(to: Place, from: EntityId, name: RequestName, delivery: number, code: number): void {
    this.#parts.notices.toClient(to, from, name, delivery, code);
  }
}
