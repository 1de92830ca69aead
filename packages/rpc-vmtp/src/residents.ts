/** The entities of this host, and which of them are members of which groups. */
import { type EntityId, type EntityService, isGroup, type Undo } from '@backplane/slots';
import type { Carrier } from './carrier.ts';
import { entityTaken, notHere } from './errors.ts';
import { vmtpManagerGroup } from './numbers.ts';

export interface Resident {
  readonly entity: EntityId;
  readonly service: EntityService;
  /** Processor time of the server's side of a transaction, where the service does not charge it itself. */
  readonly pathNs: number;
  /** Takes messages of more than one packet group. */
  readonly takesRuns: boolean;
}

/** One that has joined, perhaps more than once. */
interface Membership {
  readonly resident: Resident;
  joins: number;
}

interface Group {
  memberships: readonly Membership[];
  /** In the order in which they joined. */
  members: readonly Resident[];
  readonly deafen: Undo;
}

const nobody: readonly Resident[] = [];

export class Residents {
  readonly #machine: string;
  readonly #carrier: Carrier;
  readonly #here = new Map<EntityId, Resident>();
  readonly #groups = new Map<EntityId, Group>();

  constructor(machine: string, carrier: Carrier) {
    this.#machine = machine;
    this.#carrier = carrier;
    carrier.join(vmtpManagerGroup);
  }

  get(entity: EntityId): Resident | undefined {
    return this.#here.get(entity);
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
    const resident = this.#here.get(member);
    if (resident === undefined) throw notHere(this.#machine, member, 'join a group');
    const group = this.#groups.get(id) ?? { memberships: [], members: [], deafen: this.#carrier.join(id) };
    this.#groups.set(id, group);
    let membership = group.memberships.find((m) => m.resident === resident);
    if (membership === undefined) {
      membership = { resident, joins: 0 };
      this.#keep(id, group, [...group.memberships, membership]);
    }
    membership.joins++;
    return this.#leaving(id, membership);
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
