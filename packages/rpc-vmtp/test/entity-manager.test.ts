/** Entities that are made, ended, signalled, described and bounded by asking managers. */
import { ms, type Task } from '@backplane/engine';
import {
  type ArrivedRequest,
  codeOf,
  type EntityId,
  hostId,
  internetAddress,
  type Message,
  MessageFlag,
  message,
  noEntity,
  ReplyCode,
  type Response,
} from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  createEntity,
  deleteEntity,
  discriminatorOf,
  type EntityDescriptor,
  entityFlags,
  entityNumber,
  kernelEntity,
  modifyService,
  probeEntity,
  queryEntity,
  type SignalledService,
  serviceFlags,
  signalEntity,
  streamingEntities,
  unboundedQueue,
  vmtpManagerGroup,
} from '../src/index.ts';
import { asks, Desk, echo, question } from './desk.ts';
import { Script } from './script.ts';
import { type Host, World } from './world.ts';

const managerOf = (host: Host): EntityId => entityNumber(0, 2, internetAddress(host.id));

/** Two hosts: x and z at a, y at b. */
class Cast {
  readonly world: World = new World();
  readonly a: Host = this.world.host('a');
  readonly b: Host = this.world.host('b');
  readonly x: EntityId = asks(this.a);
  readonly z: EntityId = asks(this.a);
  readonly y: EntityId = asks(this.b);

  tell(host: Host, from: EntityId, m: Message): Message {
    return this.world.drive(function* (): Task<Message> {
      return (yield* host.entities.send(from, vmtpManagerGroup, m)).message;
    });
  }

  outcome(host: Host, from: EntityId, m: Message): number {
    return codeOf(this.tell(host, from, m));
  }

  /** One that x has had made beside it. */
  make(): EntityId {
    const reply = createEntity.reply.decode(
      this.tell(this.a, this.x, createEntity.request.encode({ place: noEntity })),
    );
    expect(reply?.outcome).toBe(ReplyCode.ok);
    return reply?.entity ?? noEntity;
  }

  query(entity: EntityId): EntityDescriptor | null {
    const reply = this.tell(this.b, this.y, queryEntity.request.encode({ entity }));
    return queryEntity.reply.decode(reply)?.descriptor ?? null;
  }

  modify(entity: EntityId, flags: number, count: number): readonly [outcome: number, count: number] {
    const m = modifyService.request.encode({ entity, flags, count, programCounter: 0, threads: [] });
    const reply = modifyService.reply.decode(this.tell(this.a, this.x, m));
    return [reply?.outcome ?? -1, reply?.count ?? -1];
  }

  /** Sends on a thread, and says how it ended once it has. */
  sends(host: Host, from: EntityId, to: EntityId, m: Message = question(0)): { code?: number } {
    const result: { code?: number } = {};
    host.spawn(
      'sends',
      (function* (): Task<void> {
        result.code = codeOf((yield* host.entities.send(from, to, m)).message);
      })(),
    );
    this.world.after(ms(60));
    return result;
  }
}

const create = (place: EntityId): Message => createEntity.request.encode({ place });
const drop = (entity: EntityId): Message => deleteEntity.request.encode({ entity });
const signal = (entity: EntityId, what: number): Message =>
  signalEntity.request.encode({ entity, signal: what });

describe('an entity that is made by request', () => {
  it('has a number of its host, is found there, and is served by nobody', () => {
    const c = new Cast();
    const made = c.make();
    expect(addressOf(made)).toBe(internetAddress(c.a.id));
    expect(c.a.entities.isHere(made)).toBe(true);
    expect(c.make()).not.toBe(made);
    expect(c.world.drive(() => c.b.entities.probe(made))).toBe('here');
    expect(c.sends(c.b, c.y, made).code).toBe(ReplyCode.notAwaitingMessage);
    expect(c.query(made)).toEqual({
      ...{ entity: made, flags: entityFlags.made | entityFlags.stopped },
      ...{ transaction: 0, requests: 0, queueMax: unboundedQueue },
    });
  });

  it('keeps as many requests as may wait, and hands them to the program that attaches it, urgent ones first', () => {
    const c = new Cast();
    const made = c.make();
    expect(c.modify(made, 0, 2)).toEqual([ReplyCode.ok, 2]);
    const results = [14, 1, 8].map((priority, i) => {
      const [host, from] = i === 1 ? [c.a, asks(c.a)] : [c.b, asks(c.b)];
      const result: { response?: Response } = {};
      host.spawn(
        'sends',
        (function* (): Task<void> {
          result.response = yield* host.entities.send(from, made, question(priority), { priority });
        })(),
      );
      c.world.after(ms(60));
      return result;
    });
    expect(c.query(made)).toMatchObject({ requests: 2, queueMax: 2 });
    expect(results.map((r) => r.response)).toEqual([undefined, undefined, undefined]);
    const desk = new Desk(c.a, echo, made);
    expect(desk.arrivals.map((r) => r.priority)).toEqual([1, 14]);
    c.world.after(ms(5000)); // the third has been told that there is no room, and asks again
    expect(results.map((r) => r.response && codeOf(r.response.message))).toEqual([0, 0, 0]);
    expect(c.query(made)?.flags).toBe(entityFlags.made | entityFlags.served);
    expect(() => c.a.entities.attach(made, desk)).toThrow(/attached/);
    desk.leave();
    expect(c.a.entities.isHere(made)).toBe(false);
    expect(c.query(made)).toBeNull();
  });

  it('may be beside an entity elsewhere for a manager, and for who has a number of that host, but for nobody else', () => {
    const c = new Cast();
    expect(c.outcome(c.a, c.x, create(c.y))).toBe(ReplyCode.noPermission);
    expect(c.outcome(c.a, c.x, create(entityNumber(0, 4711, internetAddress(c.b.id))))).toBe(
      ReplyCode.nonexistentEntity,
    );
    const moved = c.b.entities.mint();
    c.a.entities.attach(moved, { arrived: () => 'notAwaiting' });
    const reply = createEntity.reply.decode(c.tell(c.a, moved, create(c.y)));
    expect(reply?.outcome).toBe(ReplyCode.ok);
    expect(c.b.entities.isHere(reply?.entity ?? noEntity)).toBe(true);

    const script = new Script(c.world, 9);
    const manager = entityNumber(0, 2, internetAddress(hostId(9)));
    const heading = { client: manager, server: vmtpManagerGroup, response: false, transaction: 5 };
    script.say(c.b.nic.address, heading, create(c.y));
    c.world.after(ms(50));
    const heard = script.heard.find((p) => p.response && p.client === manager);
    expect(heard?.code).toBe(ReplyCode.ok);
    // Who has said so twice has it once.
    const made = heard && createEntity.reply.decode({ control: heard.control, segment: heard.data });
    script.forget();
    script.say(c.b.nic.address, { ...heading, flags: 0x40 }, create(c.y));
    c.world.after(ms(50));
    const again = script.heard.find((p) => p.response);
    expect(again && createEntity.reply.decode({ control: again.control, segment: again.data })).toEqual(made);
  });

  it('is one of 256 at most', () => {
    const c = new Cast();
    const made = Array.from({ length: 256 }, () => c.make());
    expect(new Set(made).size).toBe(256);
    expect(c.outcome(c.a, c.x, create(c.x))).toBe(ReplyCode.busy);
    expect(c.outcome(c.a, c.x, drop(made[7] ?? noEntity))).toBe(ReplyCode.ok);
    expect(c.outcome(c.a, c.x, create(c.x))).toBe(ReplyCode.ok);
  });

  it('ends by request, and who waits for it is told that it is no more', () => {
    const c = new Cast();
    const made = c.make();
    c.modify(made, 0, 5);
    const waiting = [c.sends(c.b, c.y, made), c.sends(c.a, c.z, made)];
    expect(c.outcome(c.b, asks(c.b), drop(made))).toBe(ReplyCode.noPermission);
    expect(c.outcome(c.a, c.x, drop(made))).toBe(ReplyCode.ok);
    c.world.after(ms(100));
    expect(waiting).toEqual([{ code: ReplyCode.nonexistentEntity }, { code: ReplyCode.nonexistentEntity }]);
    expect(c.world.drive(() => c.b.entities.probe(made))).toBe('nonexistent');
    expect(c.outcome(c.a, c.x, drop(made))).toBe(ReplyCode.nonexistentEntity);
  });

  it('ends under the program that serves it, which hears of the requests that it has', () => {
    const c = new Cast();
    const made = c.make();
    const desk = new Desk(c.a, function* () {}, made);
    const waiting = c.sends(c.b, c.y, made);
    const asking = c.sends(c.a, made, new Desk(c.b, function* () {}).entity);
    expect(c.outcome(c.a, c.x, drop(made))).toBe(ReplyCode.ok);
    c.world.after(ms(100));
    expect(waiting.code).toBe(ReplyCode.nonexistentEntity);
    expect(asking.code).toBe(ReplyCode.entityMigrated);
    expect(desk.abandonments).toEqual(desk.arrivals);
    expect(desk.arrivals[0]?.abandoned).toBe(true);
    desk.leave();
    expect(c.a.entities.isHere(made)).toBe(false);
  });

  it('is made once for each request, whatever is lost', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const c = new Cast();
      const asker = asks(c.a, c.b.entities.mint());
      const random = c.world.engine.random('loss', String(seed));
      c.world.link.judge = () => (random.below(4) === 0 ? 'drop' : 'pass');
      const made = Array.from({ length: 5 }, () =>
        createEntity.reply.decode(c.tell(c.a, asker, create(c.y))),
      );
      // Numbers come from a counter, and nobody else at b wants any.
      const first = discriminatorOf(made[0]?.entity ?? noEntity);
      const numbers = made.map((reply) => discriminatorOf(reply?.entity ?? noEntity) - first);
      expect(numbers, `seed ${seed}`).toEqual([0, 1, 2, 3, 4]);
    }
  });

  it('keeps datagrams, too, as many as may wait, until it is stopped', () => {
    const c = new Cast();
    const made = c.make();
    c.modify(made, 0, 3);
    const datagram = (): void => {
      c.world.drive(() => c.b.entities.send(asks(c.b), made, question(0, MessageFlag.datagram)));
      c.world.after(ms(10));
    };
    for (let i = 0; i < 5; i++) datagram();
    c.world.after(ms(20_000)); // nobody remembers who sent them
    datagram();
    c.modify(made, serviceFlags.threads, 0);
    c.modify(made, 0, 3);
    for (let i = 0; i < 2; i++) datagram();
    const desk = new Desk(c.a, echo, made);
    expect(desk.arrivals.length).toBe(2);
    datagram();
    expect(desk.arrivals.length).toBe(3);
  });

  it('moves like others, with what it has, and is as any other where it comes', () => {
    const c = new Cast();
    const made = c.make();
    c.modify(made, 0, 1);
    const slow = new Desk(c.a, function* () {}, made);
    const waiting = c.sends(c.b, c.y, made);
    const [from, to] = [c.a.entities.moves, c.b.entities.moves];
    if (from === undefined || to === undefined) throw new Error('moves');
    const { state, requests } = from.take(made);
    expect(requests.length).toBe(1);
    const there = to.attach(made, slow, state);
    const [request] = there.requests;
    if (request !== undefined) c.world.drive(() => request.respond(message({ code: ReplyCode.ok })));
    c.world.after(ms(5000));
    expect(waiting.code).toBe(ReplyCode.ok);
    expect(c.query(made)).toMatchObject({ queueMax: unboundedQueue });
    expect((c.query(made)?.flags ?? 0) & entityFlags.made).toBe(0);
    expect(c.outcome(c.b, c.y, drop(made))).toBe(ReplyCode.noPermission);
  });

  it('is the only kind that ends by request', () => {
    const c = new Cast();
    expect(c.outcome(c.a, c.x, drop(c.z))).toBe(ReplyCode.noPermission);
    expect(c.outcome(c.a, c.x, drop(managerOf(c.a)))).toBe(ReplyCode.noPermission);
    expect(c.outcome(c.a, c.x, drop(kernelEntity(c.a.id)))).toBe(ReplyCode.noPermission);
    expect(c.a.entities.isHere(c.z)).toBe(true);
  });
});

describe('a descriptor', () => {
  it('tells anybody what an entity is and does', () => {
    const c = new Cast();
    const slow = new Desk(c.b, function* () {});
    const { client, awaiting, served, kernels } = entityFlags;
    const asked = c.tell(
      c.a,
      c.x,
      probeEntity.request.encode({ coResident: c.y, entity: c.y, authDomain: 0 }),
    );
    expect(codeOf(asked)).toBe(ReplyCode.ok);
    c.sends(c.a, c.z, slow.entity);
    const z = c.query(c.z);
    expect(z).toMatchObject({ entity: c.z, flags: client | awaiting | served, requests: 0 });
    const probed = c.tell(
      c.b,
      c.y,
      probeEntity.request.encode({ coResident: c.z, entity: c.z, authDomain: 0 }),
    );
    expect(z?.transaction).toBe(probeEntity.reply.decode(probed)?.transaction);
    expect(c.query(slow.entity)).toMatchObject({ flags: served, requests: 1, queueMax: unboundedQueue });
    expect((c.query(managerOf(c.a))?.flags ?? 0) & kernels).toBe(kernels);
    expect(c.query(kernelEntity(c.a.id))).toMatchObject({ flags: served | kernels });
  });

  it('is of nobody who is not there', () => {
    const c = new Cast();
    const nobody = entityNumber(0, 4711, internetAddress(c.a.id));
    const outcome = (m: Message): number => c.outcome(c.b, c.y, m);
    expect(outcome(queryEntity.request.encode({ entity: nobody }))).toBe(ReplyCode.nonexistentEntity);
    expect(outcome(queryEntity.request.encode({ entity: noEntity }))).toBe(ReplyCode.nonexistentEntity);
  });
});

describe('a signal', () => {
  it('goes to who has a handler, and leaves its transaction alone', () => {
    const c = new Cast();
    const heard: number[] = [];
    const service: SignalledService = {
      arrived: () => 'notAwaiting',
      signalled: (what) => void heard.push(what),
    };
    const entity = c.a.entities.mint();
    c.a.entities.attach(entity, service);
    const waiting = c.sends(c.a, entity, new Desk(c.b, function* () {}).entity);
    expect(c.outcome(c.a, c.x, signal(entity, 0xffff_0001))).toBe(ReplyCode.ok);
    expect(c.outcome(c.b, c.y, signal(entity, 2))).toBe(ReplyCode.noPermission);
    expect(heard).toEqual([0xffff_0001]);
    expect(waiting.code).toBeUndefined();
  });

  it('ends the transaction of who has none, wherever its server is', () => {
    const c = new Cast();
    for (const server of [new Desk(c.b, function* () {}), new Desk(c.a, function* () {})]) {
      const waiting = c.sends(c.a, c.z, server.entity);
      expect(waiting.code).toBeUndefined();
      expect(c.outcome(c.a, c.x, signal(c.z, 1))).toBe(ReplyCode.ok);
      c.world.after(ms(1));
      expect(waiting.code).toBe(ReplyCode.userTimeout);
      expect(c.outcome(c.a, c.x, signal(c.z, 1))).toBe(ReplyCode.notAwaitingMessage);
    }
    const after = new Desk(c.b);
    expect(c.sends(c.a, c.z, after.entity).code).toBe(ReplyCode.ok);
  });

  it('ends all transactions of a stream', () => {
    const c = new Cast();
    const slow = new Desk(c.b, function* () {});
    const codes: number[] = [];
    c.a.spawn(
      'streams',
      (function* (): Task<void> {
        const requests = [0, 1, 2].map(() => question(0));
        const streaming = streamingEntities(c.a.transport);
        if (streaming === undefined) return;
        const done = yield* streaming.stream(c.z, slow.entity, requests);
        codes.push(...done.map((r) => codeOf(r.message)));
      })(),
    );
    c.world.after(ms(50));
    expect(c.outcome(c.a, c.x, signal(c.z, 1))).toBe(ReplyCode.ok);
    c.world.after(ms(50));
    expect(codes).toEqual([ReplyCode.userTimeout, ReplyCode.userTimeout, ReplyCode.userTimeout]);
  });

  it('is not for what is a kernel’s own, nor for nobody', () => {
    const c = new Cast();
    for (const entity of [managerOf(c.a), kernelEntity(c.a.id)])
      expect(c.outcome(c.a, c.x, signal(entity, 1))).toBe(ReplyCode.noPermission);
    const nobody = entityNumber(0, 4711, internetAddress(c.a.id));
    expect(c.outcome(c.a, c.x, signal(nobody, 1))).toBe(ReplyCode.nonexistentEntity);
  });

  it('to all managers is answered by the one that has the entity', () => {
    const c = new Cast();
    const script = new Script(c.world, 9);
    const manager = entityNumber(0, 2, internetAddress(hostId(9)));
    const bare = signal(c.y, 1);
    bare.control[0] = MessageFlag.publicCode;
    const heading = {
      client: manager,
      server: vmtpManagerGroup,
      response: false,
      transaction: 5,
      multicast: true,
    };
    for (const host of [c.a, c.b]) script.say(host.nic.address, heading, bare);
    c.world.after(ms(50));
    expect(script.said).toEqual(['response notAwaitingMessage']);
  });
});

describe('a service that is modified', () => {
  /** How many of five requests the desk was given, when it answers none. */
  function taken(c: Cast, desk: Desk): number {
    for (let i = 0; i < 5; i++) c.sends(i % 2 === 0 ? c.b : c.a, asks(i % 2 === 0 ? c.b : c.a), desk.entity);
    return desk.arrivals.length;
  }

  it('has one request in hand and as many more as may wait', () => {
    for (const [count, expected] of [
      [0, 1],
      [2, 3],
      [10, 5],
    ] as const) {
      const c = new Cast();
      const desk = new Desk(c.a, function* () {});
      expect(c.modify(desk.entity, 0, count)).toEqual([ReplyCode.ok, count]);
      expect(taken(c, desk)).toBe(expected);
    }
  });

  it('gets what there was no room for when it has answered', () => {
    const c = new Cast();
    const held: ArrivedRequest[] = [];
    const desk = new Desk(c.a, function* (request) {
      held.push(request);
    });
    c.modify(desk.entity, 0, 0);
    const results = [c.sends(c.b, asks(c.b), desk.entity), c.sends(c.a, asks(c.a), desk.entity)];
    expect(held.length).toBe(1);
    for (let i = 0; i < 2; i++) {
      const request = held[i];
      if (request !== undefined) c.world.drive(() => request.respond(message({ code: ReplyCode.ok })));
      c.world.after(ms(5000));
    }
    expect(results).toEqual([{ code: ReplyCode.ok }, { code: ReplyCode.ok }]);
  });

  it('counts from what there is', () => {
    const c = new Cast();
    const desk = new Desk(c.a);
    const { increment } = serviceFlags;
    expect(c.modify(desk.entity, increment, -6 >>> 0)).toEqual([ReplyCode.ok, 4090]);
    expect(c.modify(desk.entity, increment, 100)).toEqual([ReplyCode.ok, 4096]);
    expect(c.modify(desk.entity, 0, 0xffff_ffff)).toEqual([ReplyCode.ok, 4096]);
    expect(c.modify(desk.entity, increment, 0x8000_0000)).toEqual([ReplyCode.ok, 0]);
    expect(c.query(desk.entity)?.queueMax).toBe(0);
    expect(c.modify(c.make(), increment, 3)).toEqual([ReplyCode.ok, 3]);
  });

  it('stops with no threads, loses what it has, and goes on when it is bounded again', () => {
    const c = new Cast();
    const desk = new Desk(c.a, function* () {});
    const [here, there] = [asks(c.a), asks(c.b)];
    const waiting = [c.sends(c.b, there, desk.entity), c.sends(c.a, here, desk.entity)];
    expect(c.modify(desk.entity, serviceFlags.threads, 0)).toEqual([ReplyCode.ok, 0]);
    expect(desk.abandonments).toEqual(desk.arrivals);
    expect(desk.arrivals.every((r) => r.abandoned)).toBe(true);
    c.world.after(ms(20_000));
    expect(waiting).toEqual([{ code: ReplyCode.responseDiscarded }, { code: ReplyCode.responseDiscarded }]);
    expect(c.query(desk.entity)?.flags).toBe(entityFlags.served | entityFlags.stopped);
    expect(c.sends(c.b, there, desk.entity).code).toBe(ReplyCode.notAwaitingMessage);
    expect(c.sends(c.a, here, desk.entity).code).toBe(ReplyCode.notAwaitingMessage);
    expect(c.modify(desk.entity, 0, 1)).toEqual([ReplyCode.ok, 1]);
    c.sends(c.b, there, desk.entity);
    expect(desk.arrivals.length).toBe(3);
  });

  it('gets no threads, no proofs and no secrets, and nothing that makes no sense', () => {
    const c = new Cast();
    const desk = new Desk(c.a);
    const { threads, authenticationRequired, securityRequired, increment } = serviceFlags;
    const thread = { priority: 1, stack: 4096, stackBytes: 1024, segment: 8192, segmentBytes: 16_384 };
    const about = { entity: desk.entity, programCounter: 0x1000 };
    const outcome = (flags: number, count: number, listed: number): number => {
      const list = Array.from({ length: listed }, () => thread);
      const m = modifyService.request.encode({ ...about, flags, count, threads: list });
      return c.outcome(c.a, c.x, m);
    };
    expect(outcome(threads, 3, 3)).toBe(ReplyCode.noPermission);
    expect(outcome(threads | increment, 1, 1)).toBe(ReplyCode.noPermission);
    expect(outcome(threads, 3, 2)).toBe(ReplyCode.protocolError);
    expect(outcome(threads, 0, 1)).toBe(ReplyCode.protocolError);
    expect(outcome(threads | increment, 0, 0)).toBe(ReplyCode.protocolError);
    expect(outcome(authenticationRequired, 1, 0)).toBe(ReplyCode.securityNotSupported);
    expect(outcome(securityRequired, 1, 0)).toBe(ReplyCode.securityNotSupported);
    expect(outcome(0x10, 1, 0)).toBe(ReplyCode.protocolError);
    const cut = modifyService.request.encode({ ...about, flags: threads, count: 1, threads: [thread] });
    const odd = message({ code: 0x10e, flags: cut.control[0] ?? 0, segment: cut.segment.subarray(0, 13) });
    odd.control.set(cut.control.subarray(4, 28), 4);
    expect(c.outcome(c.a, c.x, odd)).toBe(ReplyCode.protocolError);
    const from = (host: Host, asker: EntityId, entity: EntityId): number =>
      c.outcome(
        host,
        asker,
        modifyService.request.encode({ ...about, entity, flags: 0, count: 1, threads: [] }),
      );
    expect(from(c.b, c.y, desk.entity)).toBe(ReplyCode.noPermission);
    expect(from(c.a, c.x, managerOf(c.a))).toBe(ReplyCode.noPermission);
    expect(from(c.a, desk.entity, desk.entity)).toBe(ReplyCode.ok);
    expect(from(c.a, c.x, entityNumber(0, 4711, internetAddress(c.a.id)))).toBe(ReplyCode.nonexistentEntity);
  });

  it('is as it was when its entity is attached again', () => {
    const c = new Cast();
    const desk = new Desk(c.a);
    c.modify(desk.entity, serviceFlags.threads, 0);
    desk.leave();
    new Desk(c.a, echo, desk.entity);
    expect(c.sends(c.b, c.y, desk.entity).code).toBe(ReplyCode.ok);
    expect(c.query(desk.entity)?.queueMax).toBe(unboundedQueue);
  });
});
