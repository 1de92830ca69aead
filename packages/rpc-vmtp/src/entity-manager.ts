/**
 * Who may make, end, signal and describe entities by asking managers, and change how they are served (RFC 1045, appendix III).
 *
 *   asked           by                           of which entity             what happens
 *   createEntity    who may manage this host     beside any of this host     a number is minted, and is here from now on, vacant
 *   deleteEntity    who may manage the entity    one made by request         it is detached; who waits for it is told
 *                                                any other                   noPermission: its kernel alone ends it
 *   queryEntity     anybody                      any                         its descriptor
 *   signalEntity    who may manage the entity    one with a handler          it is told
 *                                                one that waits for a reply  its transaction ends: userTimeout
 *                                                any other                   notAwaitingMessage: nothing to interrupt
 *   modifyService   who may manage the entity    any                         the bound of its line is set
 *                   with no threads              any                         stopped; what it has is discarded
 *                   with threads                 any                         noPermission: its kernel alone makes threads
 *
 * A host may be managed by its own entities, and by whoever has a number that it made; an entity by entities of its host, by
 * whoever has a number of the host that made its own, and by itself. And both by managers. What is a kernel's own (its entity,
 * its manager, its clients) is managed by nobody.
 */
import { type Task, tasks } from '@backplane/engine';
import { type EntityId, type EntityService, type Message, message, noEntity } from '@backplane/slots';
import type { ClientRecords } from './client-records.ts';
import { responseCodes } from './codes.ts';
import {
  type CreateEntity,
  createEntity,
  entityFlags,
  type ModifyService,
  modifyService,
  queryEntity,
  type SignalEntity,
  serviceFlags,
  unboundedQueue,
} from './entity-management.ts';
import type { EntityServices } from './entity-services.ts';
import { isManager, samePrincipal } from './principals.ts';
import type { Resident, Residents } from './residents.ts';
import type { Servers } from './servers.ts';

/** A service that has something to do when its entity is signalled. */
export interface SignalledService extends EntityService {
  /** SignalEntity. Not on a thread: it must not block. Without it, a signal ends the entity's transaction, if there is one. */
  signalled(signal: number): void;
}

export interface EntityManagerParts {
  /** The host's manager. */
  readonly entity: EntityId;
  readonly residents: Residents;
  readonly servers: Servers;
  readonly services: EntityServices;
  readonly clients: ClientRecords;
}

/** More than wait for anybody: a host remembers no more clients. */
const queueMost = 4096;
const knownFlags: number = Object.values(serviceFlags).reduce<number>((all, flag) => all | flag, 0);

export class EntityManager {
  static {
    tasks(EntityManager);
  }

  readonly #parts: EntityManagerParts;

  constructor(parts: EntityManagerParts) {
    this.#parts = parts;
  }

  // ---- lives ----

  create(asker: EntityId, { place }: CreateEntity): Message {
    const { residents, services, entity: own } = this.#parts;
    const beside = place === noEntity ? asker : place;
    if (residents.get(beside) === undefined) return said(responseCodes.nonexistentEntity);
    if (!this.#manages(asker, own)) return said(responseCodes.noPermission);
    const entity = services.make();
    if (entity === undefined) return said(responseCodes.busy);
    return createEntity.reply.encode({ outcome: responseCodes.ok, entity });
  }

  /** @returns the outcome; so below */
  *delete(asker: EntityId, entity: EntityId): Task<number> {
    const { servers, services } = this.#parts;
    const resident = this.#managed(asker, entity);
    if (typeof resident === 'number') return resident;
    if (!services.isMade(entity)) return responseCodes.noPermission;
    const program = services.programOf(resident);
    const unanswered = servers.unanswered(entity);
    services.end(entity);
    for (const request of unanswered) {
      yield* request.respond(message({ code: responseCodes.nonexistentEntity }));
      request.orphan = true;
      program?.abandoned?.(request);
    }
    return responseCodes.ok;
  }

  // ---- what one is ----

  query(entity: EntityId): Message {
    const { residents, clients, servers, services } = this.#parts;
    const resident = residents.get(entity);
    const client = clients.get(entity);
    const has = (is: boolean, flag: number): number => (is ? flag : 0);
    const flags =
      has(client !== undefined, entityFlags.client) |
      has(client?.waits === true, entityFlags.awaiting) |
      has(resident !== undefined && !services.isVacant(entity), entityFlags.served) |
      has(services.isStopped(entity), entityFlags.stopped) |
      has(services.isMade(entity), entityFlags.made) |
      has(resident === undefined || this.#isKernels(resident), entityFlags.kernels);
    const transaction = client?.transaction ?? 0;
    const requests = servers.unanswered(entity).length;
    const queueMax = services.queueMax(entity) ?? unboundedQueue;
    const descriptor = { entity, flags, transaction, requests, queueMax };
    return queryEntity.reply.encode({ outcome: responseCodes.ok, descriptor });
  }

  // ---- what happens to one ----

  signal(asker: EntityId, { entity, signal }: SignalEntity): number {
    const resident = this.#managed(asker, entity);
    if (typeof resident === 'number') return resident;
    const program = this.#parts.services.programOf(resident);
    if (program !== null && isSignalled(program)) program.signalled(signal);
    else if (this.#parts.clients.get(entity)?.interrupt() !== true) return responseCodes.notAwaitingMessage;
    return responseCodes.ok;
  }

  // ---- how one is served ----

  modify(asker: EntityId, { entity, flags, count, threads }: ModifyService): Message {
    const { services } = this.#parts;
    const resident = this.#managed(asker, entity);
    if (typeof resident === 'number') return said(resident);
    if ((flags & ~knownFlags) !== 0) return said(responseCodes.protocolError);
    if ((flags & (serviceFlags.authenticationRequired | serviceFlags.securityRequired)) !== 0)
      return said(responseCodes.securityNotSupported);
    const adds = (flags & serviceFlags.increment) !== 0;
    if ((flags & serviceFlags.threads) !== 0) {
      if (threads.length !== count || (adds && count === 0)) return said(responseCodes.protocolError);
      if (count > 0) return said(responseCodes.noPermission);
      this.#stop(resident);
      return modifyService.reply.encode({ outcome: responseCodes.ok, count: 0 });
    }
    const now = services.queueMax(entity) ?? (services.isVacant(entity) ? 0 : queueMost);
    const wanted = adds ? now + (count | 0) : count;
    const queueMax = Math.min(Math.max(wanted, 0), queueMost);
    services.bound(entity, queueMax);
    return modifyService.reply.encode({ outcome: responseCodes.ok, count: queueMax });
  }

  /** It serves no more, and what it has is lost. */
  #stop({ entity, service }: Resident): void {
    const { servers, services } = this.#parts;
    services.stop(entity);
    for (const request of servers.unanswered(entity)) {
      request.discard();
      request.orphan = true;
      service.abandoned?.(request);
    }
  }

  // ---- rights ----

  /** The entity, if the asker may do something to it; else what it is told. */
  #managed(asker: EntityId, entity: EntityId): Resident | number {
    const resident = this.#parts.residents.get(entity);
    if (resident === undefined) return responseCodes.nonexistentEntity;
    if (this.#isKernels(resident) || !this.#manages(asker, entity)) return responseCodes.noPermission;
    return resident;
  }

  #manages(asker: EntityId, entity: EntityId): boolean {
    return isManager(asker) || samePrincipal(asker, entity) || this.#parts.residents.get(asker) !== undefined;
  }

  #isKernels({ entity, isKernel }: Resident): boolean {
    return isKernel || entity === this.#parts.entity;
  }
}

const said = (code: number): Message => message({ code });

const isSignalled = (service: EntityService): service is SignalledService => 'signalled' in service;
