/** The entities of this host, and the groups that they are members of. */
import { type EntityId, type EntityService, isGroup, type Machine, type Undo } from '@backplane/slots';
import { entityNotHere, entityTaken, groupAttached, notGroup } from './errors.ts';

export interface Attached {
  readonly entity: EntityId;
  readonly service: EntityService;
  /** The instant from which it has been here without interruption. */
  readonly sinceNs: number;
}

export class AttachedEntities {
  readonly #machine: Machine;
  readonly #entities = new Map<EntityId, Attached>();
  /** Members of each group, and how often each has joined. */
  readonly #groups = new Map<EntityId, Map<Attached, number>>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** @throws BackplaneError `ENTITY_TAKEN`, `GROUP_ATTACHED` */
  attach(entity: EntityId, service: EntityService, leaves: () => void): Undo {
    const { name, engine } = this.#machine;
    if (isGroup(entity)) throw groupAttached(name, entity);
    if (this.#entities.has(entity)) throw entityTaken(name, entity);
    const attached: Attached = { entity, service, sinceNs: engine.nowNs };
    this.#entities.set(entity, attached);
    return () => {
      if (this.#entities.get(entity) !== attached) return;
      this.#entities.delete(entity);
      for (const group of [...this.#groups.keys()]) this.#leave(group, attached);
      leaves();
    };
  }

  get(entity: EntityId): Attached | undefined {
    return this.#entities.get(entity);
  }

  /** @throws BackplaneError `NOT_A_GROUP`, `ENTITY_NOT_HERE` */
  join(group: EntityId, entity: EntityId): Undo {
    const { name } = this.#machine;
    if (!isGroup(group)) throw notGroup(name, group);
    const member = this.#entities.get(entity);
    if (member === undefined) throw entityNotHere(name, entity, `joins ${group}`);
    const members = this.#groups.get(group) ?? new Map<Attached, number>();
    this.#groups.set(group, members);
    members.set(member, (members.get(member) ?? 0) + 1);
    let joined = true;
    return () => {
      if (!joined) return;
      joined = false;
      const times = this.#groups.get(group)?.get(member) ?? 0;
      if (times > 1) this.#groups.get(group)?.set(member, times - 1);
      else this.#leave(group, member);
    };
  }

  /** In the order in which they joined; a copy. */
  members(group: EntityId): readonly Attached[] {
    return [...(this.#groups.get(group)?.keys() ?? [])];
  }

  /** Since when the entity, or a member of the group, has been here. */
  sinceNs(entity: EntityId): number | undefined {
    if (!isGroup(entity)) return this.#entities.get(entity)?.sinceNs;
    const [member] = this.#groups.get(entity)?.keys() ?? [];
    return member?.sinceNs;
  }

  #leave(group: EntityId, member: Attached): void {
    const members = this.#groups.get(group);
    if (members?.delete(member) && members.size === 0) this.#groups.delete(group);
  }
}
