/** Groups that are made, joined and left by asking managers, and what else managers are asked. */
import type { Task } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  hostId,
  internetAddress,
  type Message,
  noEntity,
  ReplyCode,
} from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import {
  addToGroup,
  authProbeEntity,
  createGroup,
  deleteEntity,
  entityNumber,
  entityTypes,
  getRequestForwarder,
  groupPermissions,
  probeEntity,
  queryGroup,
  removeFromGroup,
  vmtpManagerGroup,
} from '../src/index.ts';
import { asks, Desk, question } from './desk.ts';
import { type Host, World } from './world.ts';

const { manager, removeBySelf, removeByOthers, addOthers, removeOthers } = groupPermissions;
const restricted = entityNumber(entityTypes.group, 99, internetAddress(hostId(1)));
const unrestricted = entityNumber(
  entityTypes.group | entityTypes.unrestricted,
  99,
  internetAddress(hostId(1)),
);

interface Cast {
  readonly world: World;
  readonly a: Host;
  readonly b: Host;
  readonly x: EntityId;
  readonly y: EntityId;
  readonly z: EntityId;
  readonly desk: Desk;
}

/** x and z at a, y at b. */
function cast(): Cast {
  const world = new World();
  const [a, b] = [world.host('a'), world.host('b')];
  const desk = new Desk(b);
  return { world, a, b, x: asks(a), y: desk.entity, z: asks(a), desk };
}

const tell = ({ world }: Cast, host: Host, from: EntityId, m: Message): Message =>
  world.drive(function* (): Task<Message> {
    return (yield* host.entities.send(from, vmtpManagerGroup, m)).message;
  });
const outcome = (c: Cast, host: Host, from: EntityId, m: Message): number => codeOf(tell(c, host, from, m));
/** A request to the asker's own manager. */
const create = (group: EntityId, entity: EntityId, permissions: number): Message =>
  createGroup.request.encode({ coResident: noEntity, group, entity, permissions });
const add = (group: EntityId, entity: EntityId, permissions: number, coResident = noEntity): Message =>
  addToGroup.request.encode({ coResident, group, entity, permissions });
const remove = (group: EntityId, entity: EntityId, coResident = noEntity): Message =>
  removeFromGroup.request.encode({ coResident, group, entity });
/** Does a message to the group reach y? */
const reachesY = (c: Cast, group: EntityId): boolean => {
  const before = c.desk.arrivals.length;
  c.world.drive(() => c.a.entities.send(c.x, group, question(0), { timeoutNs: 400_000_000 }));
  c.world.after(10_000_000); // members beside x are faster
  return c.desk.arrivals.length > before;
};

describe('a restricted group', () => {
  it('is made by an entity for one of its own host, once', () => {
    const c = cast();
    expect(outcome(c, c.a, c.x, create(restricted, c.x, 0))).toBe(ReplyCode.ok);
    expect(outcome(c, c.a, c.x, create(restricted, c.x, 0))).toBe(ReplyCode.noPermission);
    expect(outcome(c, c.a, c.x, create(c.y, c.x, 0))).toBe(ReplyCode.protocolError);
    const reply = tell(c, c.b, c.y, queryGroup.request.encode({ group: restricted }));
    expect(queryGroup.reply.decode(reply)?.members).toEqual([c.x]);
  });

  it('takes a member of another host by way of two managers, if who asks may add others', () => {
    const c = cast();
    outcome(c, c.a, c.x, create(restricted, c.x, 0));
    expect(reachesY(c, restricted)).toBe(false);
    expect(outcome(c, c.a, c.z, add(restricted, c.y, 0))).toBe(ReplyCode.noPermission);
    expect(outcome(c, c.a, c.x, add(restricted, c.y, removeByOthers))).toBe(ReplyCode.ok);
    expect(reachesY(c, restricted)).toBe(true);
    // Straight to the member's manager goes only what another manager has looked at.
    expect(outcome(c, c.a, c.x, add(restricted, c.y, manager, c.y))).toBe(ReplyCode.noPermission);
  });

  it('gives a member no permission that its adder has not got', () => {
    const c = cast();
    outcome(c, c.a, c.x, create(restricted, c.x, 0));
    expect(outcome(c, c.a, c.x, add(restricted, c.z, addOthers | removeBySelf))).toBe(ReplyCode.ok);
    expect(outcome(c, c.a, c.z, add(restricted, c.y, removeOthers))).toBe(ReplyCode.noPermission);
    expect(outcome(c, c.a, c.z, add(restricted, c.y, removeBySelf))).toBe(ReplyCode.ok);
  });

  it('loses a member that lets itself be removed, to who may remove it', () => {
    const c = cast();
    outcome(c, c.a, c.x, create(restricted, c.x, 0));
    outcome(c, c.a, c.x, add(restricted, c.y, removeBySelf));
    expect(outcome(c, c.a, c.x, remove(restricted, c.y))).toBe(ReplyCode.noPermission);
    expect(outcome(c, c.b, c.y, remove(restricted, c.y))).toBe(ReplyCode.ok);
    expect(outcome(c, c.b, c.y, remove(restricted, c.y))).toBe(ReplyCode.nonexistentEntity);
    expect(reachesY(c, restricted)).toBe(false);
    outcome(c, c.a, c.x, add(restricted, c.y, removeByOthers));
    expect(outcome(c, c.a, c.z, remove(restricted, c.y))).toBe(ReplyCode.noPermission);
    expect(outcome(c, c.a, c.x, remove(restricted, c.y))).toBe(ReplyCode.ok);
  });
});

describe('an unrestricted group', () => {
  it('takes whom anybody adds, also straight from its manager, and keeps who has not said that it may be removed', () => {
    const c = cast();
    expect(outcome(c, c.a, c.x, add(unrestricted, c.y, 0, c.y))).toBe(ReplyCode.ok);
    expect(reachesY(c, unrestricted)).toBe(true);
    expect(outcome(c, c.a, c.x, remove(unrestricted, c.y, c.y))).toBe(ReplyCode.noPermission);
    expect(outcome(c, c.a, c.x, add(unrestricted, c.y, removeByOthers))).toBe(ReplyCode.ok);
    expect(outcome(c, c.a, c.x, remove(unrestricted, c.y))).toBe(ReplyCode.ok);
    expect(reachesY(c, unrestricted)).toBe(false);
  });

  it('has no member that its own kernel did not put there, when asked to remove it from elsewhere', () => {
    const c = cast();
    const leave = c.b.entities.join(unrestricted, c.y);
    expect(outcome(c, c.a, c.x, remove(unrestricted, c.y))).toBe(ReplyCode.noPermission);
    expect(reachesY(c, unrestricted)).toBe(true);
    leave();
    expect(outcome(c, c.a, c.x, remove(unrestricted, c.y))).toBe(ReplyCode.nonexistentEntity);
    expect(outcome(c, c.a, c.x, add(unrestricted, entityNumber(0, 5, 7), 0))).not.toBe(ReplyCode.ok);
  });

  it('changes once for each request, whatever is lost', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const c = cast();
      const random = c.world.engine.random('loss', String(seed));
      c.world.link.judge = () => (random.below(5) === 0 ? 'drop' : 'pass');
      expect(outcome(c, c.a, c.x, add(unrestricted, c.y, removeByOthers)), `seed ${seed}`).toBe(ReplyCode.ok);
      expect(outcome(c, c.a, c.x, remove(unrestricted, c.y)), `seed ${seed}`).toBe(ReplyCode.ok);
    }
  });
});

describe('a group that is deleted', () => {
  const drop = (group: EntityId): Message => deleteEntity.request.encode({ entity: group });
  const membersAt = (c: Cast, host: Host, from: EntityId, group: EntityId): readonly EntityId[] =>
    queryGroup.reply.decode(tell(c, host, from, queryGroup.request.encode({ group })))?.members ?? [];

  it('loses all that let themselves be removed, on all hosts, for its manager alone', () => {
    const c = cast();
    outcome(c, c.a, c.x, create(restricted, c.x, 0));
    outcome(c, c.a, c.x, add(restricted, c.y, removeByOthers));
    outcome(c, c.a, c.x, add(restricted, c.z, groupPermissions.removeByPrincipal));
    expect(outcome(c, c.a, c.z, drop(restricted))).toBe(ReplyCode.noPermission);
    expect(reachesY(c, restricted)).toBe(true);
    expect(outcome(c, c.a, c.x, drop(restricted))).toBe(ReplyCode.ok);
    expect(reachesY(c, restricted)).toBe(false);
    expect(membersAt(c, c.a, c.x, restricted)).toEqual([]);
  });

  it('keeps who does not let itself be removed, and who is of its kernel', () => {
    const c = cast();
    outcome(c, c.a, c.x, create(restricted, c.x, 0));
    outcome(c, c.a, c.x, add(restricted, c.z, 0));
    expect(outcome(c, c.a, c.x, drop(restricted))).toBe(ReplyCode.noPermission);
    expect(membersAt(c, c.a, c.x, restricted)).toEqual([c.z]);
    c.b.entities.join(unrestricted, c.y);
    expect(outcome(c, c.a, c.x, drop(unrestricted))).toBe(ReplyCode.noPermission);
    expect(reachesY(c, unrestricted)).toBe(true);
  });

  it('may be anybody’s if it is unrestricted, and nobody’s if it is well known', () => {
    const c = cast();
    outcome(c, c.a, c.x, add(unrestricted, c.y, removeByOthers));
    expect(outcome(c, c.a, c.z, drop(unrestricted))).toBe(ReplyCode.ok);
    expect(reachesY(c, unrestricted)).toBe(false);
    const known = c.a.entities.wellKnownGroup(9);
    c.b.entities.join(known, c.y);
    expect(outcome(c, c.a, c.x, drop(known))).toBe(ReplyCode.noPermission);
    expect(outcome(c, c.a, c.x, drop(vmtpManagerGroup))).toBe(ReplyCode.noPermission);
    expect(reachesY(c, known)).toBe(true);
  });
});

describe('a manager', () => {
  it('answers entities of its own host, too', () => {
    const c = cast();
    const m = probeEntity.request.encode({ coResident: c.z, entity: c.z, authDomain: 0 });
    const reply = tell(c, c.a, c.x, m);
    expect([codeOf(reply), probeEntity.reply.decode(reply)?.process]).toEqual([ReplyCode.ok, c.z]);
  });

  it('says which entity has passed a request on', () => {
    const c = cast();
    const slow = new Desk(c.a, function* () {});
    const passing = new Desk(c.b, function* (request) {
      yield* request.forward(slow.entity, request.message);
    });
    c.a.spawn('asks', c.a.entities.send(c.x, passing.entity, question(0)));
    c.world.after(20_000_000);
    const ask = (entity: EntityId): Message =>
      tell(c, c.a, c.z, getRequestForwarder.request.encode({ coResident: c.y, entity }));
    expect(getRequestForwarder.reply.decode(ask(c.x))?.forwarder).toBe(passing.entity);
    expect(codeOf(ask(c.y))).toBe(ReplyCode.nonexistentEntity);
  });

  it('has a clear word for proofs of identity, of which it has none', () => {
    const c = cast();
    const proves = (entity: EntityId): number =>
      outcome(c, c.a, c.x, authProbeEntity.encode({ coResident: c.y, entity, authDomain: 1, random: 7 }));
    expect(proves(c.y)).toBe(ReplyCode.securityNotSupported);
    expect(proves(c.x)).toBe(ReplyCode.nonexistentEntity);
  });
});
