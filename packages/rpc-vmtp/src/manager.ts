/**
 * The manager of a host: what other hosts and its own entities ask it, and the notices that hosts send (RFC 1045, section 2.13
 * and appendix III). Most of it may be done twice without harm, so no record of its clients is kept; what changes groups comes
 * as any request to an entity does, by way of the servers.
 *
 *   operation               answer
 *   notifyVmtpClient        none: the client's record takes it
 *   notifyVmtpServer        none: the server's host takes it
 *   notifyRemoteVmtpClient  none: about a request that was forwarded from here
 *   probeEntity             that it is here; who asked only this host is told when it is not
 *   probeEntityBlock        an objection, if a number of the block is known here
 *   queryVmtpNode           what this host can do
 *   queryGroup              the members on this host, if there are any
 *   getRequestForwarder     which entity of this host has passed a request of that client on
 *   createGroup, ...        see `GroupManager`
 *   createEntity, ...       see `EntityManager`
 *   authProbeEntity         of an entity that is here securityNotSupported, unless it came by multicast
 */
import { type Task, tasks } from '@backplane/engine';
import {
  codeOf,
  type Delivery,
  type EntityId,
  type EntityService,
  entityIn,
  flagsOf,
  isGroup,
  type Machine,
  type Message,
  MessageFlag,
  message,
  noEntity,
} from '@backplane/slots';
import type { Place } from './carrier.ts';
import type { ClientRecord } from './client-record.ts';
import type { ClientRecords } from './client-records.ts';
import { responseCodes } from './codes.ts';
import type { Counters } from './counters.ts';
import { blockOf, type EntityBlocks } from './entity-blocks.ts';
import {
  authProbeEntity,
  createEntity,
  deleteEntity,
  modifyService,
  queryEntity,
  signalEntity,
} from './entity-management.ts';
import { EntityManager } from './entity-manager.ts';
import type { EntityServices } from './entity-services.ts';
import { GroupManager } from './group-manager.ts';
import { internetDomain } from './layout.ts';
import {
  addToGroup,
  createGroup,
  getRequestForwarder,
  type ManagementName,
  nodeFlags,
  notifyRemoteVmtpClient,
  notifyVmtpClient,
  notifyVmtpServer,
  operationOf,
  probeEntity,
  probeEntityBlock,
  queryGroup,
  queryVmtpNode,
  removeFromGroup,
} from './management.ts';
import type { Notices } from './notices.ts';
import type { Output } from './output.ts';
import type { Packet } from './packet.ts';
import type { Residents } from './residents.ts';
import type { Routes } from './routes.ts';
import type { ServedRequest } from './served-request.ts';
import type { Servers } from './servers.ts';
import { controlFields } from './words.ts';

export interface ManagerParts {
  readonly machine: Machine;
  /** In whose name it answers. */
  readonly entity: EntityId;
  readonly output: Output;
  readonly packetBytes: number;
  readonly streaming: boolean;
  readonly notices: Notices;
  readonly residents: Residents;
  readonly counters: Counters;
  readonly servers: Servers;
  readonly clients: ClientRecords;
  readonly routes: Routes;
  readonly blocks: EntityBlocks;
  readonly services: EntityServices;
  /** Its own record as a client. */
  readonly own: () => ClientRecord;
}

export class Manager implements EntityService {
  static {
    tasks(Manager);
  }

  readonly #parts: ManagerParts;
  readonly #groups: GroupManager;
  readonly #entities: EntityManager;

  constructor(parts: ManagerParts) {
    this.#parts = parts;
    this.#groups = new GroupManager(parts.residents, parts.own);
    this.#entities = new EntityManager(parts);
  }

  /** A packet to the managers. False if it is to come by way of the servers, because it is to be done once. */
  request(p: Packet, from: Place): boolean {
    const m: Message = { control: p.control, segment: p.data };
    switch (operationOf(m)) {
      case 'notifyVmtpClient':
        this.#notifyClient(m, from);
        break;
      case 'notifyVmtpServer': {
        const notice = notifyVmtpServer.decode(m);
        if (notice !== undefined) this.#parts.servers.noticed(notice);
        break;
      }
      case 'notifyRemoteVmtpClient': {
        const notice = notifyRemoteVmtpClient.decode(m);
        if (notice !== undefined)
          this.#parts.servers.forwarded(notice, controlFields(notice.control).forwardCount);
        break;
      }
      case 'probeEntityBlock':
        this.#object(m, p, from);
        break;
      default:
        if (isChange(m)) return false;
        this.#answer(m, p, from);
    }
    return true;
  }

  /** A request that is to be done once, or of an entity of this host. */
  arrived(request: ServedRequest): Delivery {
    const { machine } = this.#parts;
    const { message: m } = request;
    if (isChange(m)) machine.scope.spawn('vmtp manager', this.#change(request));
    else {
      const reply = this.#has(entityIn(m, 1)) ? this.#reply(m) : responseCodes.nonexistentEntity;
      if (typeof reply !== 'number') request.respondNow(reply);
      else if (isBesideAnybody(m)) request.discard();
      else request.respondNow(message({ code: reply }));
    }
    return 'taken';
  }

  /** Who has nothing to do with it is silent, unless it was asked in particular. */
  *#change(request: ServedRequest): Task<void> {
    const { client, message: m } = request;
    const reply = yield* this.#changed(client, m);
    const silent = codeOf(reply) === responseCodes.nonexistentEntity && isBesideAnybody(m);
    if (silent) request.discard();
    else yield* request.respond(reply);
  }

  *#changed(asker: EntityId, m: Message): Task<Message> {
    const createsGroup = createGroup.request.decode(m);
    if (createsGroup !== undefined) return said(yield* this.#groups.create(asker, createsGroup));
    const adds = addToGroup.request.decode(m);
    if (adds !== undefined) return said(yield* this.#groups.add(asker, adds));
    const removes = removeFromGroup.request.decode(m);
    if (removes !== undefined) return said(yield* this.#groups.remove(asker, removes));
    const creates = createEntity.request.decode(m);
    if (creates !== undefined) return this.#entities.create(asker, creates);
    const deletes = deleteEntity.request.decode(m);
    if (deletes !== undefined) return said(yield* this.#delete(asker, deletes.entity));
    const signals = signalEntity.request.decode(m);
    if (signals !== undefined) return said(this.#entities.signal(asker, signals));
    const modifies = modifyService.request.decode(m);
    if (modifies !== undefined) return this.#entities.modify(asker, modifies);
    return said(responseCodes.protocolError);
  }

  *#delete(asker: EntityId, entity: EntityId): Task<number> {
    if (!isGroup(entity)) return yield* this.#entities.delete(asker, entity);
    return (yield* this.#groups.dissolve(asker, entity)) ?? responseCodes.nonexistentEntity;
  }

  #notifyClient(m: Message, from: Place): void {
    const notice = notifyVmtpClient.decode(m);
    const record = notice === undefined ? undefined : this.#parts.clients.get(notice.client);
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
    const { packetBytes, residents, clients, streaming, servers } = this.#parts;
    const outcome = responseCodes.ok;
    switch (operationOf(m)) {
      case 'probeEntity': {
        const entity = probeEntity.request.decode(m)?.entity;
        if (entity === undefined || !this.#has(entity)) return responseCodes.nonexistentEntity;
        const transaction = clients.get(entity)?.transaction ?? 0;
        const nobody = { principal: noEntity, effectivePrincipal: noEntity };
        return probeEntity.reply.encode({ outcome, transaction, process: entity, ...nobody });
      }
      case 'queryVmtpNode': {
        const domains = { authDomain: 0, domains: [internetDomain], authDomains: [] };
        const flags = streaming ? nodeFlags.handlesStreams | nodeFlags.issuesStreams : 0;
        return queryVmtpNode.reply.encode({ outcome, packetBytes, flags, ...domains });
      }
      case 'queryGroup': {
        const group = queryGroup.request.decode(m)?.group;
        if (group === undefined || !isGroup(group)) return responseCodes.nonexistentEntity;
        const members = residents.members(group).map((r) => r.entity);
        return members.length === 0
          ? responseCodes.nonexistentEntity
          : queryGroup.reply.encode({ outcome, members });
      }
      case 'getRequestForwarder': {
        const asked = getRequestForwarder.request.decode(m)?.entity;
        const forwarder = asked === undefined ? undefined : servers.forwarderOf(asked);
        return forwarder === undefined
          ? responseCodes.nonexistentEntity
          : getRequestForwarder.reply.encode({ outcome, forwarder, principal: noEntity, authDomain: 0 });
      }
      case 'queryEntity': {
        const asked = queryEntity.request.decode(m)?.entity;
        if (asked === undefined || asked === noEntity || isGroup(asked) || !this.#has(asked))
          return responseCodes.nonexistentEntity;
        return this.#entities.query(asked);
      }
      case 'authProbeEntity': {
        const asked = authProbeEntity.decode(m)?.entity;
        const isHere = asked !== undefined && this.#has(asked);
        return isHere ? responseCodes.securityNotSupported : responseCodes.nonexistentEntity;
      }
      default:
        return responseCodes.protocolError;
    }
  }

  /** Somebody wants a block of numbers. Whoever knows of one of these says so; the others are silent. */
  #object(m: Message, p: Packet, from: Place): void {
    const { blocks, residents, routes } = this.#parts;
    const block = probeEntityBlock.request.decode(m)?.entity;
    if (block === undefined) return;
    const isOfIt = (e: EntityId): boolean => blockOf(e) === block;
    if (!blocks.holds(block) && !residents.some(isOfIt) && !routes.some(isOfIt)) return;
    this.#respond(
      p,
      from,
      probeEntityBlock.reply.encode({ outcome: responseCodes.noPermission, entity: block }),
    );
  }

  #has(entity: EntityId): boolean {
    const { residents, clients } = this.#parts;
    return entity === noEntity || residents.hosts(entity) || clients.get(entity) !== undefined;
  }

  #respond(p: Packet, to: Place, m: Message): void {
    const { entity, output } = this.#parts;
    const { client, transaction, priority, forwardCount } = p;
    const parts = { client, server: entity, response: true, transaction, priority, forwardCount };
    output.sendNow({ ...parts, flags: 0, gap: 0, multicast: false }, m, to);
  }
}

/** No host is meant but the asker's own, or those that have something to say. */
const isBesideAnybody = (m: Message): boolean =>
  (flagsOf(m) & MessageFlag.coResident) === 0 || isGroup(entityIn(m, 1));

const said = (code: number): Message => message({ code });

const changes: ReadonlySet<ManagementName | undefined> = /* @__PURE__ */ new Set<ManagementName | undefined>([
  ...(['createGroup', 'addToGroup', 'removeFromGroup'] as const),
  ...(['createEntity', 'deleteEntity', 'signalEntity', 'modifyService'] as const),
]);

/** Is anything different afterwards? Then it is done once. */
const isChange = (m: Message): boolean => changes.has(operationOf(m));
