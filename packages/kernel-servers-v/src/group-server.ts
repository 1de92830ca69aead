/**
 * The communication server: processes of this host enter groups and leave them. Only those that came by here are told to who
 * asks for members: a server that joins by itself is found by sending to it.
 */
import { type EntityId, type Ipc, KernelError, type Undo } from '@backplane/slots';
import {
  createGroup,
  entityList,
  joinGroup,
  leaveGroup,
  Operations,
  queryGroup,
} from '@backplane/v-operations';

export function groupServer(ipc: Ipc): Operations {
  const groups = new Map<EntityId, Map<EntityId, Undo>>();
  const membersOf = (group: EntityId): readonly EntityId[] => {
    const members = groups.get(group) ?? new Map<EntityId, Undo>();
    // The transport forgets a process that has died; so do we, when somebody asks.
    for (const id of [...members.keys()]) if (ipc.find(id) === undefined) members.delete(id);
    if (members.size === 0) groups.delete(group);
    return [...members.keys()];
  };
  return new Operations()
    .on(createGroup, function* () {
      return { group: ipc.mintGroup() };
    })
    .on(joinGroup, function* ({ group, process }) {
      const member = ipc.find(process);
      if (member === undefined) throw new KernelError('noProcess', process);
      const members = groups.get(group) ?? new Map<EntityId, Undo>();
      groups.set(group, members);
      if (!members.has(process)) members.set(process, member.join(group));
      return {};
    })
    .on(leaveGroup, function* ({ group, process }) {
      const leave = groups.get(group)?.get(process);
      if (leave === undefined) throw new KernelError('notFound', 'it is not a member');
      leave();
      groups.get(group)?.delete(process);
      membersOf(group);
      return {};
    })
    .on(queryGroup, function* ({ group }) {
      const members = membersOf(group);
      if (members.length === 0) throw new KernelError('notFound', 'no member on this host');
      return { count: members.length, members: entityList(members) };
    });
}
