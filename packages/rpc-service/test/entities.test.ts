import { ms, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  entityId,
  hostId,
  noEntity,
  normalPriority,
  ReplyCode,
  type Response,
  segmentBytesMax,
} from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { errorOf } from '../src/testing.ts';
import { answerTo, done, flag, type Host, numbered, numberOf, World } from './entities-world.ts';

let world: World;
let here: Host;
let there: Host;
let third: Host;
let client: EntityId;

beforeEach(() => {
  world = new World(3);
  [here, there, third] = [world.host(0), world.host(1), world.host(2)];
  client = here.desk().entity;
});

/** Procedures that reached a handler, in order. */
const calls = (): string[] => world.net.log.map((entry) => entry.replace(/ \d+>\d+$/, ''));

describe('numbers of entities', () => {
  it('say who minted them, and are never minted twice, in any life', () => {
    const minted = new Set<EntityId>();
    for (let life = 0; life < 3; life++) {
      for (let i = 0; i < 1000; i++) {
        minted.add(here.entities.mint());
        minted.add(here.entities.mintGroup());
      }
      here.reboot();
    }
    expect(minted.size).toBe(6000);
    for (const e of minted) expect(e).toMatch(/^[06][0-9a-f]{7}0a010001$/);
  });

  it('of well-known groups are the same everywhere', () => {
    const group = here.entities.wellKnownGroup(3);
    expect(group).toBe('60000003ef010003');
    expect(there.entities.wellKnownGroup(3)).toBe(group);
    expect(errorOf(() => here.entities.wellKnownGroup(0)).code).toBe('NO_SUCH_GROUP');
  });

  it('are attached once, and never those of groups', () => {
    const { entities } = here;
    expect(errorOf(() => here.desk({}, client)).code).toBe('ENTITY_TAKEN');
    expect(errorOf(() => here.desk({}, entities.mintGroup())).code).toBe('GROUP_ATTACHED');
    expect(errorOf(() => entities.join(client, client)).code).toBe('NOT_A_GROUP');
    expect(errorOf(() => entities.join(entities.mintGroup(), noEntity)).code).toBe('ENTITY_NOT_HERE');
  });
});

describe('a transaction', () => {
  it('costs one call when the server answers soon, and brings the segment both ways', () => {
    const server = there.desk({ worksNs: ms(30) });
    const segment = pattern(12_000, 3);
    const { from, message } = here.sends(client, server.entity, numbered(7, segment));
    expect([from, codeOf(message), numberOf(message)]).toEqual([server.entity, done, 7]);
    expect(sameBytes(message.segment, segment.toReversed())).toBe(true);
    expect(calls()).toEqual(['entity request']);
    expect(server.requests[0]).toMatchObject({ client, to: server.entity, priority: normalPriority });
  });

  it('costs a second call when the server takes its time', () => {
    const server = there.desk({ worksNs: ms(700) });
    expect(here.code(client, server.entity, numbered(1))).toBe(done);
    expect(calls()).toEqual(['entity request', 'entity response']);
    expect(world.engine.nowNs).toBe(ms(702));
  });

  it('costs no call at all on its own host', () => {
    const server = here.desk();
    expect(here.code(client, server.entity, numbered(1, pattern(100, 1)))).toBe(done);
    expect([calls(), server.seen, world.engine.nowNs]).toEqual([[], [1], 0]);
  });

  it('fetches what of a segment does not fit into a call', () => {
    const server = there.desk();
    for (const [bytes, parts] of [
      [segmentBytesMax, 4],
      [2 * 5000, 2],
      [5000, 0],
    ] as const) {
      world.net.log.length = 0;
      Object.assign(here.transport, { maxDataBytes: 5000 });
      Object.assign(there.transport, { maxDataBytes: 5000 });
      const segment = pattern(bytes, bytes);
      const { message } = here.sends(client, server.entity, numbered(1, segment));
      expect(sameBytes(message.segment, segment.toReversed())).toBe(true);
      world.after(seconds(1));
      // Of the request, and of a response, which then comes in a call of its own.
      expect(calls().filter((name) => name === 'segment part')).toHaveLength(parts === 4 ? 6 : parts);
    }
  });

  it('shares the fetching of segments with others, so that hosts cannot hold each other up', () => {
    for (const { transport } of [here, there]) Object.assign(transport, { maxDataBytes: 1000 });
    const threads = [here, there].flatMap((from, i) => {
      const to = [there, here][i]?.desk();
      return Array.from({ length: 30 }, (_, n) =>
        from.send(from.desk().entity, to?.entity ?? client, numbered(n, pattern(4000, n))),
      );
    });
    for (const [n, thread] of threads.entries()) {
      const { message } = world.result(thread);
      expect([numberOf(message), message.segment.length]).toEqual([n % 30, 4000]);
    }
  });

  it('waits for a server for as long as that works on it, and asks now and then', () => {
    const server = there.desk({ worksNs: seconds(300) });
    expect(here.code(client, server.entity, numbered(1))).toBe(done);
    expect(server.seen).toEqual([1]);
    expect(Math.round(world.engine.nowNs / 1e9)).toBe(300);
    const asked = calls().filter((name) => name === 'ask again').length;
    expect(asked).toBeGreaterThan(8);
    expect(asked).toBeLessThan(13);
  });

  it('of an entity that is not attached, and a wrong message, are errors of the board', () => {
    const attempt = (from: EntityId, bytes: number) => () => {
      const sending = here.entities.send(from, client, {
        control: new Uint8Array(bytes),
        segment: pattern(0, 1),
      });
      sending.next();
    };
    expect(errorOf(attempt(noEntity, 32)).code).toBe('ENTITY_NOT_HERE');
    expect(errorOf(attempt(client, 31)).code).toBe('WRONG_MESSAGE');
  });

  it('ends with userTimeout at the limit, also when the host is silent, busy, or works', () => {
    const silent = third.desk();
    third.crash();
    const busy = there.desk({ delivery: 'busy' });
    const works = there.desk({ worksNs: Infinity });
    for (const [i, to] of [silent.entity, busy.entity, works.entity].entries()) {
      const startNs = world.engine.nowNs;
      const limit = { timeoutNs: seconds(2) };
      expect(here.code(client, to, numbered(i), limit)).toBe(ReplyCode.userTimeout);
      expect(world.engine.nowNs - startNs).toBe(seconds(2));
    }
    world.after(seconds(1));
    expect(works.told).toEqual([2]);
    expect(works.requests[0]?.abandoned).toBe(true);
  });

  it('of a client that has begun another is over, and its answer is lost', () => {
    const works = there.desk({ worksNs: Infinity });
    const other = third.desk();
    const first = here.send(client, works.entity, numbered(1));
    world.after(seconds(1));
    expect(here.code(client, other.entity, numbered(2))).toBe(done);
    expect(codeOf(world.result(first).message)).toBe(ReplyCode.badTransactionId);
    world.after(seconds(1));
    expect(works.told).toEqual([1]);
    const [request] = works.requests;
    if (request !== undefined) works.answer(request);
    world.after(seconds(10));
    expect(here.code(client, other.entity, numbered(3))).toBe(done);
  });

  it('of a thread that is cancelled is abandoned at the server', () => {
    const works = there.desk({ worksNs: Infinity });
    const thread = here.send(client, works.entity, numbered(1));
    world.after(seconds(1));
    thread.cancel();
    world.after(ms(10));
    expect(works.told).toEqual([1]);
  });

  it('that was given up before the request came is not delivered any more', () => {
    const works = there.desk();
    world.net.delayNs = (e) => (e.procedure === 'entity request' ? seconds(3) : ms(1));
    const code = here.code(client, works.entity, numbered(1), { timeoutNs: seconds(1) });
    world.after(seconds(10));
    expect([code, works.seen]).toEqual([ReplyCode.userTimeout, []]);
  });
});

describe('what a service says', () => {
  it('of a conditional request is told the client when it does not wait', () => {
    const server = there.desk({ delivery: 'notAwaiting' });
    const code = here.code(client, server.entity, numbered(1, undefined, flag.conditional));
    expect(code).toBe(ReplyCode.notAwaitingMessage);
  });

  it.each(['busy', 'frozen'] as const)(
    'that it is %s, makes the client try again until it is not',
    (delivery) => {
      for (const host of [here, there]) {
        const server = host.desk({ delivery });
        const thread = here.send(client, server.entity, numbered(1));
        world.after(seconds(40));
        expect(thread.ended).toBe(false);
        server.manner.delivery = 'taken';
        expect(codeOf(world.result(thread).message)).toBe(done);
        expect(server.seen).toEqual([1]);
      }
    },
  );

  it('that it responds to nobody, the client is told', () => {
    for (const worksNs of [0, seconds(1)])
      for (const host of [here, there]) {
        const server = host.desk({ discards: true, worksNs });
        expect(here.code(client, server.entity, numbered(1))).toBe(ReplyCode.responseDiscarded);
      }
  });

  it('twice is an error of the board', () => {
    const server = there.desk();
    here.sends(client, server.entity, numbered(1));
    const [request] = server.requests;
    expect(errorOf(() => request?.discard()).data).toMatchObject({ how: 'responded' });
  });
});

describe('a datagram', () => {
  it('ends at once, and arrives once', () => {
    const server = there.desk();
    for (let i = 1; i <= 5; i++) {
      const startNs = world.engine.nowNs;
      expect(here.code(client, server.entity, numbered(i, undefined, flag.datagram))).toBe(ReplyCode.ok);
      expect(world.engine.nowNs).toBe(startNs);
    }
    expect(here.code(client, server.entity, numbered(6))).toBe(done);
    world.after(seconds(10));
    expect(server.seen.toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('is not repeated, and not retried', () => {
    const server = there.desk({ delivery: 'busy' });
    here.sends(client, server.entity, numbered(1, undefined, flag.datagram));
    world.net.cut(hostId(1), hostId(2));
    here.sends(client, server.entity, numbered(2, undefined, flag.datagram));
    world.after(seconds(30));
    server.manner.delivery = 'taken';
    world.net.mend(hostId(1), hostId(2));
    world.after(seconds(30));
    expect(server.seen).toEqual([]);
  });

  it('finds an entity that has moved', () => {
    const entity = there.entities.mint();
    const server = third.desk({}, entity);
    here.sends(client, entity, numbered(1, undefined, flag.datagram));
    world.after(seconds(2));
    expect(server.seen).toEqual([1]);
  });
});

describe('where an entity is', () => {
  it('is found by asking everybody, and kept', () => {
    const entity = there.entities.mint();
    third.desk({}, entity);
    expect(here.code(client, entity, numbered(1))).toBe(done);
    expect(calls().filter((name) => name === 'entity request')).toHaveLength(2);
    world.net.log.length = 0;
    expect(here.code(client, entity, numbered(2))).toBe(done);
    expect(calls()).toEqual(['entity request']);
  });

  it('changes, also to the own host and back', () => {
    const entity = there.entities.mint();
    let desk = there.desk({}, entity);
    for (const [i, host] of [third, here, there, here, third, there].entries()) {
      expect(here.code(client, entity, numbered(i))).toBe(done);
      desk.leaves();
      desk = host.desk({}, entity);
    }
    expect(here.code(client, entity, numbered(9))).toBe(done);
  });

  it('is followed while it is moved', () => {
    const entity = there.entities.mint();
    const old = there.desk({ delivery: 'frozen' }, entity);
    const thread = here.send(client, entity, numbered(1));
    world.after(seconds(3));
    const moved = third.desk({}, entity);
    old.leaves();
    expect(codeOf(world.result(thread).message)).toBe(done);
    expect([old.seen, moved.seen]).toEqual([[], [1]]);
  });

  it('may be nowhere: a living host says that it is nonexistent', () => {
    const gone = there.desk();
    gone.leaves();
    const own = here.desk();
    own.leaves();
    for (const { entity } of [gone, own])
      expect(here.code(client, entity, numbered(1))).toBe(ReplyCode.nonexistentEntity);
    expect(here.code(client, noEntity, numbered(1))).toBe(ReplyCode.nonexistentEntity);
  });

  it('may be on a host that is silent, each time anew', () => {
    const moved = third.desk({}, there.entities.mint());
    expect(here.code(client, moved.entity, numbered(1))).toBe(done);
    const server = there.desk();
    there.crash();
    third.crash();
    for (const { entity } of [server, moved, server, moved])
      expect(here.code(client, entity, numbered(2))).toBe(ReplyCode.retransmissionTimeout);
  });

  it('is asked by a probe', () => {
    const [own, server] = [here.desk(), there.desk()];
    const moved = third.desk({}, there.entities.mint());
    const gone = there.entities.mint();
    const probe = (e: EntityId) => world.on(here, () => here.entities.probe(e));
    const group = here.entities.mintGroup();
    expect([own.entity, server.entity, moved.entity].map(probe)).toEqual(['here', 'here', 'here']);
    expect([gone, here.entities.mint(), noEntity].map(probe)).toEqual(Array(3).fill('nonexistent'));
    expect(probe(group)).toBe('noAnswer');
    there.entities.join(group, server.entity);
    expect(probe(group)).toBe('here');
    there.crash();
    expect(probe(server.entity)).toBe('noAnswer');
    expect(probe(entityId('0000000a0a0100c0'))).toBe('noAnswer');
  });
});

describe('a forwarded request', () => {
  it('is answered by the last one, wherever it is', () => {
    for (const [a, b] of [
      [there, third],
      [there, here],
      [here, there],
      [there, there],
      [here, here],
    ] as const) {
      const last = b.desk();
      const first = a.desk({ forwardsTo: last.entity });
      const { from, message } = here.sends(client, first.entity, numbered(1, pattern(50, 1)));
      expect([from, codeOf(message)]).toEqual([last.entity, done]);
      expect(last.requests[0]?.client).toBe(client);
      expect(first.forwards).toEqual([true]);
    }
  });

  it('goes back and forth fifteen times, and not more often', () => {
    const [a, b] = [there.desk(), third.desk()];
    a.manner.forwardsTo = b.entity;
    b.manner.forwardsTo = a.entity;
    expect(here.code(client, a.entity, numbered(1))).toBe(done);
    expect([...a.forwards, ...b.forwards].filter((forwarded) => forwarded)).toHaveLength(15);
    expect([...a.forwards, ...b.forwards].filter((forwarded) => !forwarded)).toHaveLength(1);
    expect(a.seen.length + b.seen.length).toBe(16);
  });

  it('to nobody ends with why', () => {
    const gone = third.entities.mint();
    const silent = third.desk();
    const busy = there.desk({ delivery: 'busy' });
    const first = there.desk({ forwardsTo: gone });
    const response = here.sends(client, first.entity, numbered(1));
    expect([response.from, codeOf(response.message)]).toEqual([gone, ReplyCode.nonexistentEntity]);
    third.crash();
    first.manner.forwardsTo = silent.entity;
    expect(here.code(client, first.entity, numbered(2))).toBe(ReplyCode.retransmissionTimeout);
    first.manner.forwardsTo = busy.entity;
    const thread = here.send(client, first.entity, numbered(3));
    world.after(seconds(20));
    busy.manner.delivery = 'taken';
    expect(world.result(thread).from).toBe(busy.entity);
  });

  it('ends in silence when the one that has it dies, and the one that forwarded it lives', () => {
    const last = third.desk({ worksNs: Infinity });
    const first = there.desk({ forwardsTo: last.entity });
    const thread = here.send(client, first.entity, numbered(1));
    world.after(seconds(20));
    third.crash();
    expect(codeOf(world.result(thread).message)).toBe(ReplyCode.retransmissionTimeout);
    expect(world.engine.nowNs).toBeLessThan(seconds(60));
  });

  it('does not need the one that forwarded it any more', () => {
    const last = third.desk({ worksNs: seconds(60) });
    const first = there.desk({ forwardsTo: last.entity });
    const thread = here.send(client, first.entity, numbered(1));
    world.after(seconds(20));
    there.crash();
    expect(world.result(thread).from).toBe(last.entity);
  });
});

describe('a host that dies', () => {
  it('ends the transactions that its entities worked on', () => {
    const works = there.desk({ worksNs: Infinity });
    const thread = here.send(client, works.entity, numbered(1));
    world.after(seconds(2));
    there.crash();
    expect(codeOf(world.result(thread).message)).toBe(ReplyCode.retransmissionTimeout);
    expect(world.engine.nowNs).toBeLessThan(seconds(20));
  });

  it('and reboots, says that the entity of its former life does not exist', () => {
    const works = there.desk({ worksNs: Infinity });
    const thread = here.send(client, works.entity, numbered(1));
    world.after(seconds(2));
    there.reboot();
    expect(codeOf(world.result(thread).message)).toBe(ReplyCode.nonexistentEntity);
    expect(here.code(client, works.entity, numbered(2))).toBe(ReplyCode.nonexistentEntity);
  });

  it('abandons what its clients have asked', () => {
    for (const comesBack of [false, true]) {
      const works = there.desk({ worksNs: Infinity });
      const asker = third.desk();
      third.send(asker.entity, works.entity, numbered(1));
      world.after(seconds(2));
      expect(works.requests[0]?.abandoned).toBe(false);
      third.crash();
      if (comesBack) third.boot();
      world.after(seconds(60));
      expect([works.requests[0]?.abandoned, works.told]).toEqual([true, [1]]);
      third.reboot();
    }
  });

  it('is not watched for longer than a request of it is worked on', () => {
    const works = there.desk({ worksNs: seconds(100) });
    here.send(client, works.entity, numbered(1));
    world.after(seconds(90));
    expect(there.transport.watchers(hostId(1))).toBe(1);
    world.after(seconds(20));
    expect(there.transport.watchers(hostId(1))).toBe(0);
  });
});

describe('a partition', () => {
  it('shorter than the silence of the transport is not noticed', () => {
    const works = there.desk({ worksNs: seconds(4) });
    const thread = here.send(client, works.entity, numbered(1));
    world.after(seconds(3));
    world.net.cut(hostId(1), hostId(2));
    world.after(seconds(3));
    world.net.mend(hostId(1), hostId(2));
    expect(codeOf(world.result(thread).message)).toBe(done);
    expect(works.seen).toEqual([1]);
  });

  it('in which the response was lost: the client asks again, and gets it', () => {
    const works = there.desk({ worksNs: seconds(16) });
    const thread = here.send(client, works.entity, numbered(1));
    world.after(ms(15_500)); // it asks at 5 s, 15 s and 35 s
    world.net.cut(hostId(1), hostId(2));
    world.after(seconds(10));
    world.net.mend(hostId(1), hostId(2));
    expect(codeOf(world.result(thread).message)).toBe(done);
    expect(works.seen).toEqual([1]);
  });

  it('in which a repeatable response was lost: the request is executed again', () => {
    const works = there.desk({ worksNs: seconds(16), flags: flag.datagram });
    const thread = here.send(client, works.entity, numbered(1));
    world.after(ms(15_500));
    world.net.cut(hostId(1), hostId(2));
    world.after(seconds(10));
    world.net.mend(hostId(1), hostId(2));
    expect(codeOf(world.result(thread).message)).toBe(done);
    expect(works.seen).toEqual([1, 1]);
  });

  it('that ends while the client looks for the entity: the request is seen once', () => {
    const works = there.desk({ worksNs: ms(100) });
    // The request arrives, its answer does not; when the call has been given up, the hosts hear each other again.
    here.spawn(
      (function* (): Task<void> {
        yield* sleep(ms(50));
        world.net.cut(hostId(1), hostId(2));
        yield* sleep(ms(5100));
        world.net.mend(hostId(1), hostId(2));
      })(),
    );
    expect(here.code(client, works.entity, numbered(1))).toBe(done);
    expect(works.seen).toEqual([1]);
  });

  it('after which the entity is elsewhere: the request is not sent there, since it may have been seen', () => {
    const entity = there.entities.mint();
    const works = there.desk({ worksNs: seconds(60) }, entity);
    here.spawn(
      (function* (): Task<void> {
        yield* sleep(ms(50));
        world.net.cut(hostId(1), hostId(2));
        yield* sleep(seconds(2));
        third.desk({}, entity);
        works.leaves();
      })(),
    );
    expect(here.code(client, entity, numbered(1))).toBe(ReplyCode.retransmissionTimeout);
    expect(here.code(client, entity, numbered(2))).toBe(done);
  });

  it('of a host from which the entity had moved before does not matter', () => {
    const entity = there.entities.mint();
    const first = there.desk({}, entity);
    here.sends(client, entity, numbered(1));
    first.leaves();
    third.desk({}, entity);
    world.after(seconds(1));
    there.crash();
    expect(here.code(client, entity, numbered(2))).toBe(done);
  });
});

describe('entities', () => {
  it('that do nothing cause no events', () => {
    there.desk();
    here.sends(client, there.desk().entity, numbered(1));
    world.after(seconds(600));
    const { events } = world.engine;
    world.after(seconds(86_400));
    expect(world.engine.events).toBe(events);
  });

  it('that were detached end what they were waiting for', () => {
    const works = there.desk({ worksNs: Infinity });
    const asker = here.desk();
    const thread = here.send(asker.entity, works.entity, numbered(1));
    world.after(seconds(1));
    asker.leaves();
    expect(codeOf(world.result(thread).message)).toBe(ReplyCode.entityMigrated);
    world.after(seconds(1));
    expect(works.told).toEqual([1]);
  });

  it('answer what was asked, not what was asked before', () => {
    const works = there.desk({ worksNs: Infinity });
    expect(here.code(client, works.entity, numbered(1), { timeoutNs: seconds(1) })).toBe(
      ReplyCode.userTimeout,
    );
    const thread = here.send(client, works.entity, numbered(2));
    world.after(seconds(1));
    const [first, second] = works.requests;
    if (first !== undefined) works.answer(first);
    world.after(seconds(1));
    expect(thread.ended).toBe(false);
    if (second !== undefined) works.answer(second);
    expect(numberOf(world.result(thread).message)).toBe(2);
    expect(numberOf(answerTo(numbered(2)))).toBe(2);
  });
});

describe('searches for one entity by many threads', () => {
  const sendAll = (to: EntityId): Thread<Response>[] => {
    const threads: Thread<Response>[] = [];
    for (let i = 0; i < 40; i++) threads.push(here.send(here.desk().entity, to, numbered(i)));
    return threads;
  };

  it('are one search, and one more for those that came later', () => {
    const asked = vi.spyOn(here.transport, 'ask');
    const lost = there.desk().entity;
    there.reboot();
    const sent = sendAll(lost);
    for (const t of sent) expect(codeOf(world.result(t).message)).toBe(ReplyCode.nonexistentEntity);
    // A search asks twice.
    expect(asked.mock.calls).toHaveLength(4);
  });

  it('end for the others when the thread that asks is cancelled', () => {
    const asked = vi.spyOn(here.transport, 'ask');
    const lost = there.desk().entity;
    there.reboot();
    const [first, ...others] = sendAll(lost);
    world.after(ms(300));
    first?.cancel();
    for (const t of others) expect(codeOf(world.result(t).message)).toBe(ReplyCode.nonexistentEntity);
    expect(asked.mock.calls.length).toBeLessThanOrEqual(5);
  });
});
