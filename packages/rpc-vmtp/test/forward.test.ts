import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { codeOf, type EntityId, type Message, message, ReplyCode, wordOf } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { asks, type Clerk, Desk, echo, question } from './desk.ts';
import { type Host, World } from './world.ts';

/** A clerk that passes on to whoever is named. */
const passes = (to: () => EntityId): Clerk =>
  function* (request) {
    const passed = yield* request.forward(to(), request.message);
    if (!passed) yield* request.respond(message({ code: ReplyCode.user, words: [1] }));
  };

/** A chain of that many forwards over the hosts in turn, and what its end said. */
function chain(hosts: readonly Host[], forwards: number): { first: Desk; last: Desk } {
  const at = (i: number): Host => hosts[i % hosts.length] as Host;
  const last = new Desk(at(forwards));
  let next = last;
  for (let i = forwards - 1; i >= 0; i--) {
    const to = next.entity;
    next = new Desk(
      at(i),
      passes(() => to),
    );
  }
  return { first: next, last };
}

const send = (world: World, host: Host, to: EntityId, m: Message): Message =>
  world.drive(() => host.entities.send(asks(host), to, m)).message;

describe('forwarding', () => {
  for (const [name, count] of [
    ['on one host', 1],
    ['between two hosts', 2],
    ['over three hosts', 3],
  ] as const)
    it(`brings the answer of the last server, ${name}, up to 15 times`, () => {
      for (const clients of ['apart', 'among them']) {
        const world = new World();
        const hosts = Array.from({ length: count }, (_, i) => world.host(`h${i}`));
        const client = clients === 'apart' ? world.host('client') : (hosts[0] as Host);
        for (const forwards of [1, 2, 3, 15]) {
          const { first, last } = chain(hosts, forwards);
          const bytes = 700 * forwards;
          const reply = send(world, client, first.entity, question(bytes));
          expect(reply.segment, `${forwards} forwards, ${clients}`).toEqual(question(bytes).segment);
          expect([first.arrivals.length, last.arrivals.length]).toEqual([1, 1]);
        }
      }
    });

  it('is refused for the 16th time: that server answers itself', () => {
    const world = new World();
    const hosts = [world.host('a'), world.host('b')];
    const { first, last } = chain(hosts, 16);
    const reply = send(world, hosts[0] as Host, first.entity, question(0));
    expect([codeOf(reply), wordOf(reply, 1), last.arrivals.length]).toEqual([ReplyCode.user, 1, 0]);
  });

  it('delivers once whatever is lost, and the client gets its answer', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const world = new World({ seed });
      world.link.records = false;
      const hosts = [world.host('a'), world.host('b'), world.host('c')];
      const random = world.engine.random('faults');
      const loss = 0.15 * random.unit();
      world.link.judge = () =>
        random.chance(loss) ? 'drop' : { delaysNs: random.chance(0.1) ? [0, ms(5)] : [0] };
      const { first, last } = chain(hosts, 1 + random.below(4));
      const m = question(random.below(5000));
      const reply = send(world, hosts[random.below(3)] as Host, first.entity, m);
      expect(codeOf(reply), `seed ${seed}`).toBe(ReplyCode.ok);
      expect(reply.segment, `seed ${seed}`).toEqual(m.segment);
      expect([first.arrivals.length, last.arrivals.length], `seed ${seed}`).toEqual([1, 1]);
    }
  });

  it('keeps the client waiting while the last server works, and no longer when that has crashed', () => {
    const world = new World();
    const [a, b, c] = [world.host('a'), world.host('b'), world.host('c')];
    const slow = new Desk(c, function* (request): Task<void> {
      yield* sleep(seconds(60));
      yield* echo(request);
    });
    const first = new Desk(
      b,
      passes(() => slow.entity),
    );
    expect(codeOf(send(world, a, first.entity, question(0)))).toBe(ReplyCode.ok);
    expect(slow.arrivals.length).toBe(1);
    expect(codeOf(send(world, b, first.entity, question(0)))).toBe(ReplyCode.ok);
    const threads = [a, b].map((host) =>
      host.spawn('asks', host.entities.send(asks(host), first.entity, question(0))),
    );
    world.after(seconds(5));
    c.crash();
    world.after(seconds(20));
    for (const thread of threads)
      expect(codeOf(world.drive(() => thread.join()).message)).toBe(ReplyCode.retransmissionTimeout);
  });

  it('tells the client that the next server does not exist, and follows one that has moved', () => {
    const world = new World();
    const [a, b, c, d] = [world.host('a'), world.host('b'), world.host('c'), world.host('d')];
    const target = new Desk(c);
    const first = new Desk(
      b,
      passes(() => target.entity),
    );
    for (const client of [a, b]) {
      expect(codeOf(send(world, client, first.entity, question(3000)))).toBe(ReplyCode.ok);
    }
    const moved = new Desk(d, echo, target.entity);
    target.leave();
    for (const client of [a, b])
      expect(codeOf(send(world, client, first.entity, question(3000)))).toBe(ReplyCode.ok);
    expect(moved.arrivals.length).toBe(2);
    moved.leave();
    for (const client of [a, b])
      expect(codeOf(send(world, client, first.entity, question(3000)))).toBe(ReplyCode.nonexistentEntity);
  });

  it('reaches a next server that is busy at first, and says what one says that awaits nothing', () => {
    const world = new World();
    const [a, b, c] = [world.host('a'), world.host('b'), world.host('c')];
    for (const host of [b, c]) {
      const target = new Desk(host);
      const first = new Desk(
        b,
        passes(() => target.entity),
      );
      target.verdict = 'busy';
      const thread = a.spawn('asks', a.entities.send(asks(a), first.entity, question(2000)));
      world.after(seconds(8));
      expect(thread.ended).toBe(false);
      target.verdict = 'taken';
      expect(codeOf(world.drive(() => thread.join()).message)).toBe(ReplyCode.ok);
      expect(target.arrivals.length).toBe(1);
      target.verdict = 'notAwaiting';
      expect(codeOf(send(world, a, first.entity, question(2000)))).toBe(ReplyCode.notAwaitingMessage);
    }
  });
});
