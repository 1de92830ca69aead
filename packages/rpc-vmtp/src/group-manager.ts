/**
 * Who may make, join and leave groups by asking managers (RFC 1045, section 3.4 and appendix III). A membership is known at its
 * member's host alone, with the permissions that it carries; so the manager of the member's host changes it, and the manager of
 * the asker's host says whether the asker may.
 *
 *   asked                         by                          what must be so
 *   create                        an entity of this host,     the group has no member here; the first member becomes its
 *                                 or another manager          manager, in the group's sense: all permissions
 *   add, to an unrestricted one   anybody                     the member is here
 *   add, to a restricted one      a member of this host       it may add those of the same principal, or others, and gives no
 *                                                             permission that it has not got
 *                                 another manager             that has looked
 *   remove                        a member of this host       as add, with the permissions to remove; and the member lets itself
 *                                                             be removed by itself, by its principal, or by others
 *                                 another manager             the member lets itself be removed
 *                                 anybody else                the same, of an unrestricted group
 *   delete                        its manager, of this host   members here that let themselves be removed are; other managers
 *                                                             are told, who do the same, as far as they hear of it
 *                                 another manager             members here that let themselves be removed are
 *                                 anybody else                the same, of an unrestricted group
 *                                 anybody                     no well-known group: these are the kernels'
 *
 * Asked about a member elsewhere, by naming no host (co-resident 0), it looks and then asks that member's manager. Managers
 * trust managers: the signature that the RFC reserves for it is not defined.
 *
 * There is no authentication, so the principal of an entity is the host that made its number.
 */
import { Mutex, ms, type Task, tasks } from '@backplane/engine';
import { codeOf, type EntityId, isGroup, noEntity } from '@backplane/slots';
import { isMulticastIpv4 } from '@backplane/wire';
import type { ClientRecord } from './client-record.ts';
import { responseCodes } from './codes.ts';
import { deleteEntity } from './entity-management.ts';
import {
  addToGroup,
  createGroup,
  type GroupMember,
  groupPermissions,
  type PermittedMember,
  removeFromGroup,
} from './management.ts';
import type { MessageForm } from './management-forms.ts';
import { addressOf, entityTypes, typeOf, vmtpManagerGroup } from './numbers.ts';
import { isManager, samePrincipal } from './principals.ts';
import type { Residents } from './residents.ts';

const { manager, removeBySelf, removeByPrincipal, removeByOthers } = groupPermissions;
const { addPrincipal, addOthers, removePrincipal, removeOthers } = groupPermissions;

/** How long other managers are told again that a group is no more: who hears nothing until then keeps its members. */
const dissolvingNs: number = /* @__PURE__ */ ms(200);

export class GroupManager {
  static {
    tasks(GroupManager);
  }

  readonly #residents: Residents;
  /** The manager's own record, for one question to another manager at a time. */
  readonly #record: () => ClientRecord;
  readonly #asking: Mutex = new Mutex();

  constructor(residents: Residents, record: () => ClientRecord) {
    this.#residents = residents;
    this.#record = record;
  }

  /** @returns the outcome; so below */
  *create(asker: EntityId, asked: PermittedMember): Task<number> {
    const { group, entity, permissions } = asked;
    if (!isGroup(group)) return responseCodes.protocolError;
    if (!this.#isTrusted(asker)) return responseCodes.noPermission;
    if (this.#residents.get(entity) === undefined) return yield* this.#elsewhere(createGroup.request, asked);
    if (this.#residents.hosts(group)) return responseCodes.noPermission;
    this.#residents.admit(group, entity, permissions | manager);
    return responseCodes.ok;
  }

  *add(asker: EntityId, asked: PermittedMember): Task<number> {
    const { group, entity, permissions } = asked;
    if (!isGroup(group)) return responseCodes.protocolError;
    if (isRestricted(group) && !isManager(asker)) {
      const own = this.#residents.permissions(group, asker) ?? 0;
      const right = samePrincipal(asker, entity) ? addPrincipal : addOthers;
      if (!may(own, right) || !gives(own, permissions)) return responseCodes.noPermission;
    }
    if (this.#residents.get(entity) === undefined) return yield* this.#elsewhere(addToGroup.request, asked);
    this.#residents.admit(group, entity, permissions);
    return responseCodes.ok;
  }

  *remove(asker: EntityId, asked: GroupMember): Task<number> {
    const { group, entity } = asked;
    if (isRestricted(group) && !isManager(asker) && asker !== entity) {
      const own = this.#residents.permissions(group, asker) ?? 0;
      const right = samePrincipal(asker, entity) ? removePrincipal : removeOthers;
      if (!may(own, right)) return responseCodes.noPermission;
    }
    if (this.#residents.get(entity) === undefined)
      return yield* this.#elsewhere(removeFromGroup.request, asked);
    const lets = this.#residents.permissions(group, entity);
    if (lets === undefined) return responseCodes.nonexistentEntity;
    const by =
      asker === entity ? removeBySelf : samePrincipal(asker, entity) ? removeByPrincipal : removeByOthers;
    if ((lets & by) === 0) return responseCodes.noPermission;
    this.#residents.expel(group, entity);
    return responseCodes.ok;
  }

  /** Undefined where another manager has to judge: then this one is silent. */
  *dissolve(asker: EntityId, group: EntityId): Task<number | undefined> {
    if (isWellKnown(group)) return responseCodes.noPermission;
    const others = isRestricted(group) && !isManager(asker);
    if (others) {
      if (this.#residents.get(asker) === undefined) return undefined;
      if (!may(this.#residents.permissions(group, asker) ?? 0, manager)) return responseCodes.noPermission;
    }
    for (const { entity } of [...this.#residents.members(group)]) {
      const by = samePrincipal(asker, entity) ? removeByPrincipal : removeByOthers;
      const lets = this.#residents.permissions(group, entity) ?? 0;
      // Who wants the group to be no more does not want to be in it.
      if (asker === entity || (lets & by) !== 0) this.#residents.expel(group, entity);
    }
    if (others) yield* this.#passOn(group);
    return this.#residents.hosts(group) ? responseCodes.noPermission : responseCodes.ok;
  }

  /** To all other managers that have members of it. */
  *#passOn(group: EntityId): Task<void> {
    yield* this.#asking.acquire();
    try {
      const m = deleteEntity.request.encode({ entity: group });
      yield* this.#record().ask(vmtpManagerGroup, m, dissolvingNs, Number.POSITIVE_INFINITY);
    } finally {
      this.#asking.release();
    }
  }

  /** Asks the manager of the member's host, if the asker has not named a host itself. */
  *#elsewhere<T extends GroupMember>(form: MessageForm<T>, asked: T): Task<number> {
    if (asked.coResident !== noEntity) return responseCodes.nonexistentEntity;
    yield* this.#asking.acquire();
    try {
      const m = form.encode({ ...asked, coResident: asked.entity });
      const { message } = yield* this.#record().transact(vmtpManagerGroup, m);
      return codeOf(message);
    } finally {
      this.#asking.release();
    }
  }

  #isTrusted(asker: EntityId): boolean {
    return isManager(asker) || this.#residents.get(asker) !== undefined;
  }
}

const isWellKnown = (group: EntityId): boolean => isMulticastIpv4(addressOf(group));
const isRestricted = (group: EntityId): boolean => (typeOf(group) & entityTypes.unrestricted) === 0;
/** The manager of a group may everything. */
const may = (own: number, right: number): boolean => (own & (right | manager)) !== 0;
const gives = (own: number, permissions: number): boolean =>
  (own & manager) !== 0 || (permissions & ~own) === 0;
