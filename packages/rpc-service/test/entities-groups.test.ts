import { ms, seconds } from '@backplane/engine';
import {
  type ArrivedRequest,
  codeOf,
  type EntityId,
  type Message,
  message,
  ReplyCode,
  segmentBytesMax,
} from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Desk, done, flag, type Host, numbered, operation, World } from './entities-world.ts';

let world: World;
let here: Host;
let client: EntityId;
let group: EntityId;

beforeEach(() => {
  world = new World(4);
  here = world.host(0);
  client = here.desk().entity;
  group = here.entities.mintGroup();
});

/** A member on each of these hosts. */
const members = (hosts: readonly number[], how: Parameters<Host['desk']>[0] = {}): readonly Desk[] =>
  hosts.map((i) => {
    const host = world.host(i);
    const member = host.desk(how);
    host.entities.join(group, member.entity);
    return member;
  });

const seen = (desks: readonly Desk[]): readonly (readonly number[])[] => desks.map((desk) => desk.seen);

const many = (number: number, segment?: Uint8Array): Message => numbered(number, segment, flag.manyResponses);

const next = (waitNs: number): EntityId | undefined =>
  world.on(here, () => here.entities.nextResponse(client, waitNs))?.from;

describe('a request to a group', () => {
  it('reaches each member once, on every host and here', () => {
    const desks = members([0, 0, 1, 2, 2, 3]);
    const segment = pattern(3000, 1);
    const { message: m } = here.sends(client, group, numbered(1, segment));
    expect([codeOf(m), sameBytes(m.segment, segment.toReversed())]).toEqual([done, true]);
    world.after(seconds(10));
    expect(seen(desks)).toEqual(Array(6).fill([1]));
    expect(desks[3]?.requests[0]?.to).toBe(group);
  });

  it('returns the first response, and the others one by one where more than one is wanted', () => {
    const desks = members([0, 1, 2, 3]);
    for (const [i, desk] of desks.entries()) desk.manner.worksNs = ms(100 * (4 - i));
    expect(here.sends(client, group, many(1)).from).toBe(desks[3]?.entity);
    expect(next(seconds(1))).toBe(desks[2]?.entity);
    expect(next(ms(10))).toBeUndefined();
    world.after(seconds(1));
    expect(next(0)).toBe(desks[1]?.entity);
    expect([next(0), next(seconds(1))]).toEqual([desks[0]?.entity, undefined]);
  });

  it('drops further responses when the client begins another transaction, or wants only one', () => {
    const [, slow] = members([1, 2]);
    if (slow !== undefined) slow.manner.worksNs = seconds(1);
    const other = world.host(3).desk();
    here.sends(client, group, many(1));
    expect(here.code(client, other.entity, numbered(2))).toBe(done);
    world.after(seconds(5));
    expect(next(seconds(1))).toBeUndefined();
    here.sends(client, group, numbered(3));
    world.after(seconds(5));
    expect(next(seconds(1))).toBeUndefined();
  });

  it('ends the wait for a further response when the client begins another transaction', () => {
    members([1]);
    const other = world.host(3).desk();
    here.sends(client, group, many(1));
    const waiter = here.spawn(here.entities.nextResponse(client, seconds(100)));
    world.after(seconds(1));
    here.sends(client, other.entity, numbered(2));
    expect(world.result(waiter)).toBeUndefined();
    expect(world.engine.nowNs).toBeLessThan(seconds(3));
  });

  it('without members is silence after three seconds', () => {
    members([1]).forEach((desk) => {
      desk.leaves();
    });
    const undo = world.host(2).entities.join(group, world.host(2).desk().entity);
    undo();
    undo();
    expect(here.code(client, group, numbered(1))).toBe(ReplyCode.retransmissionTimeout);
    expect(world.engine.nowNs).toBe(seconds(3));
  });

  it('is not given to the client itself', () => {
    const undo = here.entities.join(group, client);
    expect(here.code(client, group, numbered(1))).toBe(ReplyCode.retransmissionTimeout);
    undo();
  });

  it('is repeated until there is a response, and seen once by each member', () => {
    const desks = members([1, 2, 3], { worksNs: seconds(20) });
    const random = world.engine.random('test');
    world.net.loses = () => random.chance(0.4);
    expect(here.code(client, group, numbered(1))).toBe(done);
    for (const desk of desks) expect(desk.seen.length).toBeLessThanOrEqual(1);
    expect(desks.some((desk) => desk.seen.length === 1)).toBe(true);
  });

  it('waits for members that work on it, and not for hosts that have died', () => {
    const [desk] = members([1], { worksNs: seconds(100) });
    expect(here.code(client, group, numbered(1))).toBe(done);
    expect(world.engine.nowNs).toBe(seconds(100) + ms(2));
    if (desk !== undefined) desk.manner.worksNs = Infinity;
    const thread = here.send(client, group, numbered(2));
    world.after(seconds(10));
    world.host(1).crash();
    expect(codeOf(world.result(thread).message)).toBe(ReplyCode.retransmissionTimeout);
  });

  it('is tried again at members that are busy, and not at those that have it', () => {
    const [busy, works] = members([1, 2], { worksNs: Infinity });
    if (busy === undefined || works === undefined) throw new Error('two members');
    busy.manner.delivery = 'busy';
    const thread = here.send(client, group, numbered(1));
    world.after(seconds(20));
    busy.manner.delivery = 'taken';
    busy.manner.worksNs = 0;
    expect(world.result(thread).from).toBe(busy.entity);
    expect(seen([busy, works])).toEqual([[1], [1]]);
  });

  it('is silence when nobody waits for it, or all discard it', () => {
    const [desk] = members([1], { delivery: 'notAwaiting' });
    const code = here.code(client, group, numbered(1, undefined, flag.conditional));
    expect(code).toBe(ReplyCode.retransmissionTimeout);
    if (desk === undefined) throw new Error('a member');
    desk.manner.delivery = 'taken';
    desk.manner.discards = true;
    expect(here.code(client, group, numbered(2))).toBe(ReplyCode.retransmissionTimeout);
    expect(desk.seen).toEqual([2]);
  });

  it('cannot be forwarded', () => {
    const last = world.host(2).desk();
    const [desk] = members([1], { forwardsTo: last.entity });
    expect(here.sends(client, group, numbered(1)).from).toBe(desk?.entity);
    expect([desk?.forwards, last.seen]).toEqual([[false], []]);
  });

  it('may bring the longest segment, whatever a call carries', () => {
    for (const host of world.hosts) Object.assign(host.transport, { maxDataBytes: 5000 });
    const desks = members([0, 1, 2]);
    for (const host of world.hosts.slice(1)) host.desk();
    const segment = pattern(segmentBytesMax, 5);
    const first = here.sends(client, group, many(1, segment));
    expect(sameBytes(first.message.segment, segment.toReversed())).toBe(true);
    expect(next(seconds(2))).toBeDefined();
    expect(next(seconds(2))).toBeDefined();
    for (const desk of desks)
      expect(sameBytes(desk.requests[0]?.message.segment ?? pattern(0, 1), segment)).toBe(true);
    expect(world.net.log.filter((entry) => entry.startsWith('segment part 4'))).toEqual([]);
    here.sends(client, group, numbered(2, segment, flag.datagram));
    world.after(seconds(10));
    expect(seen(desks)).toEqual(Array(3).fill([1, 2]));
  });

  it('as a datagram ends at once and reaches each member once', () => {
    const desks = members([0, 1, 2]);
    for (const number of [1, 2]) {
      const code = here.code(client, group, numbered(number, undefined, flag.datagram));
      expect([code, world.engine.nowNs]).toEqual([ReplyCode.ok, 0]);
    }
    world.after(seconds(5));
    expect(seen(desks)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  it('that is over, members learn with the next one', () => {
    const [desk, local] = members([1, 0], { worksNs: Infinity });
    const code = here.code(client, group, numbered(1), { timeoutNs: seconds(2) });
    world.after(seconds(1));
    expect([code, desk?.told, local?.told]).toEqual([ReplyCode.userTimeout, [], [1]]);
    here.code(client, group, numbered(2), { timeoutNs: seconds(2) });
    expect([desk?.told, local?.told]).toEqual([[1], [1, 2]]);
  });

  it('that comes late, after one that nobody took, is not given to a member again', () => {
    const [desk] = members([1]);
    // A busy member on another host has the question repeated; the second one is slow on its way to the first member.
    members([2], { delivery: 'busy' });
    let questions = 0;
    world.net.delayNs = (e) => {
      if (e.procedure === 'group request' && e.to === 2 && !e.reply)
        return ++questions === 2 ? seconds(3) : ms(100);
      return ms(1);
    };
    if (desk === undefined) throw new Error('a member');
    here.sends(client, group, numbered(1));
    world.net.delayNs = () => ms(1);
    desk.manner.delivery = 'notAwaiting';
    here.sends(client, desk.entity, numbered(2, undefined, flag.conditional));
    desk.manner.delivery = 'taken';
    world.after(seconds(10));
    expect([questions, desk.seen]).toEqual([2, [1]]);
  });

  it('that a member answers late is refused there', () => {
    const [desk] = members([1], { worksNs: Infinity });
    here.code(client, group, numbered(1), { timeoutNs: seconds(2) });
    const request: ArrivedRequest | undefined = desk?.requests[0];
    if (request !== undefined) desk?.answer(request);
    world.after(seconds(5));
    expect(next(0)).toBeUndefined();
  });
});

describe('a request to the members of a group near an entity', () => {
  const near = (number: number, coResident: EntityId): Message =>
    message({ code: operation, words: [0, 0, number], coResident });

  it('reaches those on its host, and no others', () => {
    const desks = members([0, 1, 1, 2]);
    for (const [host, expected] of [
      [1, [[], [1], [1], []]],
      [0, [[2], [1], [1], []]],
    ] as const) {
      const number = host === 1 ? 1 : 2;
      const target = world.host(host).desk();
      expect(here.code(client, group, near(number, target.entity))).toBe(done);
      world.after(seconds(5));
      expect(seen(desks)).toEqual(expected);
    }
  });

  it('follows an entity that has moved', () => {
    const desks = members([1, 2]);
    const entity = world.host(1).entities.mint();
    world.host(2).desk({}, entity);
    expect(here.code(client, group, near(1, entity))).toBe(done);
    expect(seen(desks)).toEqual([[], [1]]);
  });

  it('reaches those on the hosts of members of another group', () => {
    const desks = members([0, 1, 2, 3]);
    const others = here.entities.mintGroup();
    for (const i of [0, 2]) world.host(i).entities.join(others, world.host(i).desk().entity);
    expect(here.code(client, group, near(1, others))).toBe(done);
    world.after(seconds(5));
    expect(seen(desks)).toEqual([[1], [], [1], []]);
  });

  it('is silence where there is no member, and nonexistent where there is no such entity', () => {
    const target = world.host(1).desk();
    expect(here.code(client, group, near(1, target.entity))).toBe(ReplyCode.retransmissionTimeout);
    target.leaves();
    expect(here.code(client, group, near(2, target.entity))).toBe(ReplyCode.nonexistentEntity);
  });

  it('as a datagram reaches them once', () => {
    const desks = members([0, 1, 2]);
    for (const i of [0, 1]) {
      const target = world.host(i).desk();
      const m = message({
        code: operation,
        flags: flag.datagram,
        words: [0, 0, i],
        coResident: target.entity,
      });
      expect(here.code(client, group, m)).toBe(ReplyCode.ok);
    }
    world.after(seconds(5));
    expect(seen(desks)).toEqual([[0], [1], []]);
  });
});
