/**
 * The manager of a host: what other hosts ask it, and the notices that they send (RFC 1045, section 2.13 and appendix III). All
 * of it may be done twice without harm, so no record of its clients is kept.
 *
 *   operation               answer
 *   notifyVmtpClient        none: the client's record takes it
 *   notifyVmtpServer        none: the server's host takes it
 *   notifyRemoteVmtpClient  none: about a request that was forwarded from here
 *   probeEntity             that it is here; who asked only this host is told when it is not
 *   queryVmtpNode           what this host can do
 *   queryGroup              the members on this host, if there are any
 *   others                  noPermission, unless it came by multicast
 */
import { type EntityId, entityIn, isGroup, type Message, noEntity } from '@backplane/slots';
import type { Place } from './carrier.ts';
import type { ClientRecord } from './client-record.ts';
import { responseCodes } from './codes.ts';
import type { Counters } from './counters.ts';
import { controlFields, internetDomain } from './layout.ts';
import {
  notifyRemoteVmtpClient,
  notifyVmtpClient,
  notifyVmtpServer,
  operationOf,
  probeEntity,
  queryGroup,
  queryVmtpNode,
} from './management.ts';
import type { Notices } from './notices.ts';
import { Outgoing } from './outgoing.ts';
import type { Output } from './output.ts';
import type { Packet } from './packet.ts';
import type { Residents } from './residents.ts';
import type { Servers } from './servers.ts';

export interface ManagerParts {
  /** In whose name it answers. */
  readonly entity: EntityId;
  readonly output: Output;
  readonly packetBytes: number;
  readonly notices: Notices;
  readonly residents: Residents;
  readonly counters: Counters;
  readonly servers: Servers;
  readonly clients: (entity: EntityId) => ClientRecord | undefined;
}

export class Manager {
  readonly #parts: ManagerParts;

  constructor(parts: ManagerParts) {
    this.#parts = parts;
  }

  /** A request to the managers. */
  request(p: Packet, from: Place): void {
    const m: Message = { control: p.control, segment: p.data };
    switch (operationOf(m)) {
      case 'notifyVmtpClient':
        this.#notifyClient(m, from);
        return;
      case 'notifyVmtpServer': {
        const notice = notifyVmtpServer.decode(m);
        if (notice !== undefined) this.#parts.servers.noticed(notice);
        return;
      }
      case 'notifyRemoteVmtpClient': {
        const notice = notifyRemoteVmtpClient.decode(m);
        if (notice !== undefined)
          this.#parts.servers.forwarded(notice, controlFields(notice.control).forwardCount);
        return;
      }
      default:
        this.#answer(m, p, from);
    }
  }

  #notifyClient(m: Message, from: Place): void {
    const notice = notifyVmtpClient.decode(m);
    const record = notice === undefined ? undefined : this.#parts.clients(notice.client);
    if (notice === undefined || record === undefined) this.#parts.counters.stale++;
    else record.notified(notice, from);
  }

  #answer(m: Message, p: Packet, from: Place): void {
    const beside = entityIn(m, 1);
    const reply = this.#has(beside) ? this.#reply(m) : responseCodes.nonexistentEntity;
    if (typeof reply !== 'number') this.#respond(p, from, reply);
    else if (!p.multicast) this.#parts.notices.toClient(from, this.#parts.entity, p, 0, reply);
  }

  /** A reply; or why there is none. */
  #reply(m: Message): Message | number {
    const { packetBytes, residents, clients } = this.#parts;
    const outcome = responseCodes.ok;
    switch (operationOf(m)) {
      case 'probeEntity': {
        const entity = probeEntity.request.decode(m)?.entity;
        if (entity === undefined || !this.#has(entity)) return responseCodes.nonexistentEntity;
        const transaction = clients(entity)?.transaction ?? 0;
        const nobody = { principal: noEntity, effectivePrincipal: noEntity };
        return probeEntity.reply.encode({ outcome, transaction, process: entity, ...nobody });
      }
      case 'queryVmtpNode': {
        const domains = { authDomain: 0, domains: [internetDomain], authDomains: [] };
        return queryVmtpNode.reply.encode({ outcome, packetBytes, flags: 0, ...domains });
      }
      case 'queryGroup': {
        const group = queryGroup.request.decode(m)?.group;
        if (group === undefined || !isGroup(group)) return responseCodes.nonexistentEntity;
        const members = residents.members(group).map((r) => r.entity);
        return members.length === 0
          ? responseCodes.nonexistentEntity
          : queryGroup.reply.encode({ outcome, members });
      }
      default:
        return responseCodes.noPermission;
    }
  }

  #has(entity: EntityId): boolean {
    const { residents, clients } = this.#parts;
    return entity === noEntity || residents.hosts(entity) || clients(entity) !== undefined;
  }

  #respond(p: Packet, to: Place, m: Message): void {
    const { entity, output } = this.#parts;
    const { client, transaction, priority, forwardCount } = p;
    const parts = { client, server: entity, response: true, transaction, priority, forwardCount };
    const out = new Outgoing({ ...parts, flags: 0, gap: 0, multicast: false }, m, to, 0);
    out.wantAll();
    output.again(out);
  }
}
