import { ms, seconds, sleep, type Task } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  entityId,
  type Message,
  MessageFlag,
  message,
  ReplyCode,
  type Response,
} from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { asks, Desk, echo, question } from './desk.ts';
import { type Host, World } from './world.ts';

/** Hosts with so many members each. */
function grouped(
  members: readonly number[],
  seed = 1,
): { world: World; hosts: Host[]; group: EntityId; desks: Desk[] } {
  const world = new World({ seed });
  const hosts = members.map((_, i) => world.host(`h${i}`));
  const [first] = hosts;
  if (first === undefined) throw new Error('no host');
  const group = first.entities.mintGroup();
  const desks: Desk[] = [];
  for (const [i, count] of members.entries())
    for (let n = 0; n < count; n++) {
      const host = hosts[i];
      if (host === undefined) continue;
      const desk = new Desk(host);
      host.entities.join(group, desk.entity);
      desks.push(desk);
    }
  return { world, hosts, group, desks };
}

/** The first response, and all that come within the time. */
function* collect(host: Host, from: EntityId, group: EntityId, m: Message, waitNs: number): Task<Response[]> {
  const responses = [yield* host.entities.send(from, group, m)];
  for (;;) {
    const next = yield* host.entities.nextResponse(from, waitNs);
    if (next === undefined) return responses;
    responses.push(next);
  }
}

const host0 = (hosts: readonly Host[]): Host => hosts[0] as Host;

describe('groups', () => {
  it('without members answer with silence', () => {
    const { world, hosts, group } = grouped([0, 0]);
    const client = asks(host0(hosts));
    const { message: m } = world.drive(() => host0(hosts).entities.send(client, group, question(0)));
    expect(codeOf(m)).toBe(ReplyCode.retransmissionTimeout);
    expect(world.drive(() => host0(hosts).entities.probe(group))).toBe('noAnswer');
  });

  for (const members of [[1], [0, 1], [3], [0, 3], [2, 2, 1], [0, 1, 1, 1, 1]])
    it(`of ${members.join(' + ')} members deliver one copy to each, and bring each answer once`, () => {
      const { world, hosts, group, desks } = grouped(members);
      const host = host0(hosts);
      const client = asks(host);
      for (const bytes of [0, 3000]) {
        const m = question(bytes, MessageFlag.manyResponses);
        const responses = world.drive(() => collect(host, client, group, m, ms(500)));
        expect(responses.map((r) => r.from).sort()).toEqual(desks.map((d) => d.entity).sort());
        for (const r of responses) expect(r.message.segment).toEqual(m.segment);
      }
      expect(desks.map((d) => d.arrivals.length)).toEqual(desks.map(() => 2));
      expect(desks.every((d) => d.arrivals.every((r) => r.to === group))).toBe(true);
    });

  it('answer those who ask though packets are lost, and each member is asked once', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { world, hosts, group, desks } = grouped([1, 1, 2, 1], seed);
      const random = world.engine.random('faults');
      world.link.judge = () => (random.chance(0.15) ? 'drop' : 'pass');
      const host = host0(hosts);
      const client = asks(host);
      const m = question(random.below(4000), MessageFlag.manyResponses);
      const responses = world.drive(() => collect(host, client, group, m, ms(500)));
      expect(codeOf(responses[0]?.message ?? m), `seed ${seed}`).toBe(ReplyCode.ok);
      for (const r of responses) expect(r.message.segment, `seed ${seed}`).toEqual(m.segment);
      expect(new Set(responses.map((r) => r.from)).size, `seed ${seed}`).toBe(responses.length);
      for (const desk of desks) expect(desk.arrivals.length, `seed ${seed}`).toBeLessThanOrEqual(1);
    }
  });

  it('hand out answers that come later one by one, and drop them when the next transaction begins', () => {
    const { world, hosts, group, desks } = grouped([0]);
    const host = host0(hosts);
    const others = [50, 150, 250].map((delay, i) => {
      const other = world.host(`late${i}`);
      const desk = new Desk(other, function* (request) {
        yield* sleep(ms(delay));
        yield* echo(request);
      });
      other.entities.join(group, desk.entity);
      return desk;
    });
    expect(desks).toEqual([]);
    const client = asks(host);
    world.drive(function* () {
      const first = yield* host.entities.send(client, group, question(0));
      expect(first.from).toBe(others[0]?.entity);
      expect(yield* host.entities.nextResponse(client, ms(20))).toBeUndefined();
      expect((yield* host.entities.nextResponse(client, ms(500)))?.from).toBe(others[1]?.entity);
      const next = yield* host.entities.send(client, others[0]?.entity ?? client, question(0));
      expect(codeOf(next.message)).toBe(ReplyCode.ok);
      expect(yield* host.entities.nextResponse(client, ms(500))).toBeUndefined();
    });
  });

  it('keep their members to themselves: who leaves, or is not in it, gets nothing', () => {
    const { world, hosts, group, desks } = grouped([0, 2]);
    const host = host0(hosts);
    const [one, two] = desks as [Desk, Desk];
    const again = one.host.entities.join(group, one.entity);
    again();
    again(); // who joined twice leaves twice
    world.drive(() => host.entities.send(asks(host), group, question(0)));
    expect([one.arrivals.length, two.arrivals.length]).toEqual([1, 1]);
    one.leave();
    two.leave();
    const { message: m } = world.drive(() => host.entities.send(asks(host), group, question(0)));
    expect(codeOf(m)).toBe(ReplyCode.retransmissionTimeout);
  });

  it('share addresses, and are told apart by their numbers', () => {
    const { world, hosts, group, desks } = grouped([0, 1]);
    const host = host0(hosts);
    // The same low 24 bits of the discriminator: one multicast address.
    const twin = entityId(`${group.slice(0, 1)}1${group.slice(2)}`);
    const other = new Desk(hosts[1] as Host);
    other.host.entities.join(twin, other.entity);
    world.drive(() => host.entities.send(asks(host), twin, question(0)));
    expect([other.arrivals.length, desks[0]?.arrivals.length]).toEqual([1, 0]);
  });

  it('are well known by small numbers', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    const group = a.entities.wellKnownGroup(4);
    expect(b.entities.wellKnownGroup(4)).toBe(group);
    const desk = new Desk(b);
    b.entities.join(group, desk.entity);
    expect(codeOf(world.drive(() => a.entities.send(asks(a), group, question(0))).message)).toBe(
      ReplyCode.ok,
    );
    expect(world.drive(() => a.entities.probe(group))).toBe('here');
    expect(world.drive(() => b.entities.probe(group))).toBe('here');
  });

  it('do not tell who does not want the message, has no room or does not answer', () => {
    const { world, hosts, group, desks } = grouped([1, 1, 1]);
    const host = host0(hosts);
    const verdicts = ['notAwaiting', 'busy', 'taken'] as const;
    for (const [i, desk] of desks.entries()) desk.verdict = verdicts[i] ?? 'taken';
    const m = question(10, MessageFlag.conditional | MessageFlag.manyResponses);
    const responses = world.drive(() => collect(host, asks(host), group, m, ms(500)));
    expect(responses.map((r) => r.from)).toEqual([desks[2]?.entity]);
    for (const desk of desks) desk.verdict = 'notAwaiting';
    const { message: none } = world.drive(() => host.entities.send(asks(host), group, m));
    expect(codeOf(none)).toBe(ReplyCode.retransmissionTimeout);
  });

  it('get datagrams, too', () => {
    const { world, hosts, group, desks } = grouped([1, 2]);
    const host = host0(hosts);
    const { message: m } = world.drive(() =>
      host.entities.send(asks(host), group, question(2000, MessageFlag.datagram)),
    );
    expect(codeOf(m)).toBe(ReplyCode.ok);
    world.after(seconds(1));
    expect(desks.map((d) => d.arrivals.length)).toEqual([1, 1, 1]);
  });

  it('beside an entity are its neighbours only, wherever it is', () => {
    const { world, hosts, group, desks } = grouped([1, 1, 1]);
    const host = host0(hosts);
    const [h0, h1, h2] = hosts as [Host, Host, Host];
    const beside = new Desk(h1);
    const m = (coResident: EntityId, bytes = 0): Message =>
      message({ code: 1, flags: MessageFlag.manyResponses, coResident, segment: pattern(bytes, 1) });
    const asked = (): number[] => desks.map((d) => d.arrivals.length);
    const responses = world.drive(() => collect(host, asks(host), group, m(beside.entity), ms(300)));
    expect(responses.map((r) => r.from)).toEqual([desks[1]?.entity]);
    expect(asked()).toEqual([0, 1, 0]);
    const moved = new Desk(h2, echo, beside.entity);
    beside.leave();
    world.drive(() => collect(host, asks(host), group, m(beside.entity, 5000), ms(300)));
    expect(asked()).toEqual([0, 1, 1]);
    const home = new Desk(h0, echo, beside.entity);
    moved.leave();
    world.after(seconds(2)); // until the last response has been acknowledged
    const frames = world.link.carried.length;
    world.drive(() => collect(host, asks(host), group, m(beside.entity), ms(300)));
    expect(asked()).toEqual([1, 1, 1]);
    expect(world.link.carried.length).toBe(frames);
    home.leave();
    const { message: gone } = world.drive(() => host.entities.send(asks(host), group, m(beside.entity)));
    expect(codeOf(gone)).toBe(ReplyCode.nonexistentEntity);
    expect(asked()).toEqual([1, 1, 1]);
  });

  it('beside a group are on the hosts where it has members', () => {
    const { world, hosts, group, desks } = grouped([1, 1, 1]);
    const [h0, , h2] = hosts as [Host, Host, Host];
    const other = h0.entities.mintGroup();
    for (const host of [h0, h2]) host.entities.join(other, new Desk(host).entity);
    const m = message({ code: 1, flags: MessageFlag.manyResponses, coResident: other });
    const responses = world.drive(() => collect(h0, asks(h0), group, m, ms(300)));
    expect(responses.map((r) => r.from).sort()).toEqual([desks[0]?.entity, desks[2]?.entity].sort());
    expect(desks.map((d) => d.arrivals.length)).toEqual([1, 0, 1]);
  });

  it('do not pass requests on, and their members who discard are silent', () => {
    const { world, hosts, group } = grouped([0, 0]);
    const [a, b] = hosts as [Host, Host];
    const target = new Desk(a);
    let forwarded: boolean | null = null;
    const desk = new Desk(b, function* (request) {
      forwarded = yield* request.forward(target.entity, request.message);
      request.discard();
    });
    b.entities.join(group, desk.entity);
    const { message: m } = world.drive(() => a.entities.send(asks(a), group, question(0)));
    expect([forwarded, codeOf(m)]).toEqual([false, ReplyCode.retransmissionTimeout]);
  });
});
