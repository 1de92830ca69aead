/** The entities of this host, and which of them are members of which groups. */
import { seconds } from '@backplane/engine';
import { type EntityId, type EntityService, isGroup, type Undo } from '@backplane/slots';
import type { Carrier } from './carrier.ts';
import { responseCodes } from './codes.ts';
import { entityTaken, notHere } from './errors.ts';
import { groupPermissions } from './management.ts';

export interface Resident {
  readonly entity: EntityId;
  readonly service: EntityService;
  /** Processor time of the server's side of a transaction, where the service does not charge it itself. */
  readonly pathNs: number;
  /** The host's kernel as other kernels call it: it takes messages of more than one packet group. */
  readonly isKernel: boolean;
}

/** One that has joined, perhaps more than once. */
interface Membership {
  readonly resident: Resident;
  joins: number;
  /** Bits of `groupPermissions`. */
  permissions: number;
}

interface Group {
  memberships: readonly Membership[];
  /** In the order in which they joined. */
  members: readonly Resident[];
  readonly deafen: Undo;
}

/** Of one that this host's own kernel has put into the group: all but that others may remove it. */
const kernelsOwn = 0xff & ~(groupPermissions.removeByPrincipal | groupPermissions.removeByOthers);

const nobody: readonly Resident[] = [];
/** Longer than anybody asks again. */
const departedNs = /* @__PURE__ */ seconds(60);

export class Residents {
  readonly #machine: string;
  readonly #carrier: Carrier;
  readonly #here = new Map<EntityId, Resident>();
  readonly #groups = new Map<EntityId, Group>();
  /** Those that have left of late, and until when that is said. */
  readonly #departed = new Map<EntityId, number>();

  constructor(machine: string, carrier: Carrier) {
    this.#machine = machine;
    this.#carrier = carrier;
  }

  get(entity: EntityId): Resident | undefined {
    return this.#here.get(entity);
  }

  some(f: (entity: EntityId) => boolean): boolean {
    return [...this.#here.keys()].some(f);
  }

  /** @throws BackplaneError `ENTITY_TAKEN` */
  attach(resident: Resident): void {
    const { entity } = resident;
    if (isGroup(entity) || this.#here.has(entity)) throw entityTaken(this.#machine, entity);
    this.#here.set(entity, resident);
  }

  /** False if it was no more here. */
  detach(resident: Resident): boolean {
    if (this.#here.get(resident.entity) !== resident) return false;
    this.#here.delete(resident.entity);
    for (const [id, group] of [...this.#groups])
      this.#keep(
        id,
        group,
        group.memberships.filter((m) => m.resident !== resident),
      );
    return true;
  }

  /** The same, for another host: for a while, who asks is told that it has moved. */
  depart(resident: Resident, nowNs: number): void {
    this.detach(resident);
    for (const [entity, untilNs] of this.#departed) if (untilNs <= nowNs) this.#departed.delete(entity);
    this.#departed.set(resident.entity, nowNs + departedNs);
  }

  /** What is said of an entity that is not here. */
  absence(entity: EntityId, nowNs: number, elsewhere: boolean): number {
    const departed = (this.#departed.get(entity) ?? 0) > nowNs;
    return departed || elsewhere ? responseCodes.entityMigrated : responseCodes.nonexistentEntity;
  }

  /** Members on this host. */
  members(group: EntityId): readonly Resident[] {
    return this.#groups.get(group)?.members ?? nobody;
  }

  /** Whether the entity, or a member of the group, is here. */
  hosts(entity: EntityId): boolean {
    return isGroup(entity) ? this.#groups.has(entity) : this.#here.has(entity);
  }

  /** @throws BackplaneError `ENTITY_NOT_HERE` */
  join(id: EntityId, member: EntityId): Undo {
    const membership = this.#member(id, member, kernelsOwn);
    if (membership === undefined) throw notHere(this.#machine, member, 'join a group');
    membership.joins++;
    return this.#leaving(id, membership);
  }

  /** Makes an entity of this host a member, or changes what it may. */
  admit(id: EntityId, member: EntityId, permissions: number): void {
    const membership = this.#member(id, member, permissions);
    if (membership !== undefined) membership.permissions = permissions;
  }

  /** However it has joined. */
  expel(id: EntityId, member: EntityId): void {
    const group = this.#groups.get(id);
    if (group !== undefined)
      this.#keep(
        id,
        group,
        group.memberships.filter((m) => m.resident.entity !== member),
      );
  }

  /** Bits of `groupPermissions`; undefined for who is no member here. */
  permissions(id: EntityId, member: EntityId): number | undefined {
    return this.#groups.get(id)?.memberships.find((m) => m.resident.entity === member)?.permissions;
  }

  /** Its membership, or a new one; undefined if it is not here. */
  #member(id: EntityId, member: EntityId, permissions: number): Membership | undefined {
    const resident = this.#here.get(member);
    if (resident === undefined) return undefined;
    const group = this.#groups.get(id) ?? { memberships: [], members: [], deafen: this.#carrier.join(id) };
    this.#groups.set(id, group);
    let membership = group.memberships.find((m) => m.resident === resident);
    if (membership === undefined) {
      membership = { resident, joins: 0, permissions };
      this.#keep(id, group, [...group.memberships, membership]);
    }
    return membership;
  }

  #leaving(id: EntityId, membership: Membership): Undo {
    let joined = true;
    return () => {
      if (!joined) return;
      joined = false;
      const group = this.#groups.get(id);
      if (--membership.joins > 0 || group === undefined) return;
      this.#keep(
        id,
        group,
        group.memberships.filter((m) => m !== membership),
      );
    };
  }

  #keep(id: EntityId, group: Group, memberships: readonly Membership[]): void {
    group.memberships = memberships;
    group.members = memberships.map((m) => m.resident);
    if (memberships.length > 0) return;
    this.#groups.delete(id);
    group.deafen();
  }
}
