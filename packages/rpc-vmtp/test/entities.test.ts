import { Gate, ms, seconds, sleep, type Task } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  entityId,
  type Message,
  MessageFlag,
  message,
  ReplyCode,
  type Response,
  type SendOptions,
} from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { vmtpHeader } from '../src/index.ts';
import { asks, Desk, echo, echoed, question } from './desk.ts';
import { type Host, sun3, World } from './world.ts';

const some = (world: World, count: number): Host[] =>
  Array.from({ length: count }, (_, i) => world.host(`h${i}`));

/** One transaction, to its end. */
const send = (
  world: World,
  host: Host,
  from: EntityId,
  to: EntityId,
  m: Message,
  o?: SendOptions,
): Response => world.drive(() => host.entities.send(from, to, m, o));

describe('entities', () => {
  for (const bytes of [0, 1, 511, 512, 513, 1024, 1433, 5000, 16_384])
    it(`bring ${bytes} bytes there and back, on another host and on their own`, () => {
      const world = new World();
      const [a, b] = some(world, 2) as [Host, Host];
      const client = asks(a);
      for (const desk of [new Desk(a), new Desk(b)]) {
        const { from, message: m } = send(world, a, client, desk.entity, question(bytes));
        expect(from).toBe(desk.entity);
        expect(m.segment).toEqual(question(bytes).segment);
        expect(codeOf(desk.arrivals[0]?.message ?? question(0, 0, 0))).toBe(42);
        expect(desk.arrivals[0]?.client).toBe(client);
      }
    });

  it('need no frames on one host', () => {
    const world = new World();
    const a = world.host('a');
    const desk = new Desk(a);
    send(world, a, asks(a), desk.entity, question(3000));
    expect(world.link.carried.length).toBe(0);
    expect(a.metric('vmtp.localTransactions')).toBe(1);
  });

  it('take two packets for a transaction that fits them', () => {
    const world = new World();
    const [a, b] = some(world, 2) as [Host, Host];
    const desk = new Desk(b);
    for (let i = 0; i < 5; i++) send(world, a, asks(a), desk.entity, question(0));
    expect(world.link.carried.length).toBe(10);
    world.after(seconds(100));
    expect(world.link.carried.length).toBe(10);
  });

  it('mint numbers that no life of a host repeats', () => {
    const world = new World();
    const a = world.host('a');
    const numbers = new Set<EntityId>();
    for (let life = 0; life < 5; life++) {
      for (let i = 0; i < 200; i++) numbers.add(a.entities.mint());
      for (let i = 0; i < 200; i++) numbers.add(a.entities.mintGroup());
      a.reboot();
    }
    expect(numbers.size).toBe(2000);
  });

  it('are told of a receiver that is not there, and of one that is silent', () => {
    const world = new World();
    const [a, b] = some(world, 2) as [Host, Host];
    const client = asks(a);
    const desk = new Desk(b);
    desk.leave();
    expect(codeOf(send(world, a, client, desk.entity, question(0)).message)).toBe(
      ReplyCode.nonexistentEntity,
    );
    expect(world.drive(() => a.entities.probe(desk.entity))).toBe('nonexistent');
    const own = a.entities.mint();
    expect(codeOf(send(world, a, client, own, question(0)).message)).toBe(ReplyCode.nonexistentEntity);
    const other = new Desk(b);
    expect(world.drive(() => a.entities.probe(other.entity))).toBe('here');
    b.crash();
    const startNs = world.engine.nowNs;
    const { message: m, from } = send(world, a, client, other.entity, question(0));
    expect([codeOf(m), from]).toEqual([ReplyCode.retransmissionTimeout, other.entity]);
    expect(world.engine.nowNs - startNs).toBeLessThan(seconds(10));
    expect(world.drive(() => a.entities.probe(other.entity))).toBe('noAnswer');
    const nowhere = entityId('00001234c0a80001');
    expect(codeOf(send(world, a, client, nowhere, question(0)).message)).toBe(
      ReplyCode.retransmissionTimeout,
    );
    expect(world.drive(() => a.entities.probe(nowhere))).toBe('noAnswer');
  });

  it('wait as long as the receiver works, and not longer than they want', () => {
    const world = new World();
    const [a, b] = some(world, 2) as [Host, Host];
    const slow = function* (request: Parameters<typeof echo>[0]): Task<void> {
      yield* sleep(seconds(100));
      yield* echo(request);
    };
    for (const desk of [new Desk(b, slow), new Desk(a, slow)]) {
      const client = asks(a);
      expect(codeOf(send(world, a, client, desk.entity, question(0)).message)).toBe(ReplyCode.ok);
      expect(desk.arrivals.length).toBe(1);
      const startNs = world.engine.nowNs;
      const { message: m } = send(world, a, client, desk.entity, question(0), { timeoutNs: seconds(5) });
      expect(codeOf(m)).toBe(ReplyCode.userTimeout);
      expect(world.engine.nowNs - startNs).toBe(seconds(5));
      world.after(seconds(30));
      expect(desk.arrivals[1]?.abandoned).toBe(true);
      expect(desk.abandonments).toEqual([desk.arrivals[1]]);
      world.after(seconds(100));
    }
  });

  it('give up a message that nobody waits for if it is conditional', () => {
    const world = new World();
    const [a, b] = some(world, 2) as [Host, Host];
    for (const desk of [new Desk(b), new Desk(a)]) {
      const client = asks(a);
      desk.verdict = 'notAwaiting';
      const conditional = question(10, MessageFlag.conditional);
      expect(codeOf(send(world, a, client, desk.entity, conditional).message)).toBe(
        ReplyCode.notAwaitingMessage,
      );
      desk.verdict = 'taken';
      expect(codeOf(send(world, a, client, desk.entity, conditional).message)).toBe(ReplyCode.ok);
    }
  });

  it('try again when the receiver is busy, until their own limit', () => {
    const world = new World();
    const [a, b] = some(world, 2) as [Host, Host];
    for (const desk of [new Desk(b), new Desk(a)]) {
      const client = asks(a);
      desk.verdict = 'busy';
      const o = { timeoutNs: seconds(3) };
      expect(codeOf(send(world, a, client, desk.entity, question(5000), o).message)).toBe(
        ReplyCode.userTimeout,
      );
      const thread = a.spawn('asks', a.entities.send(client, desk.entity, question(5000)));
      world.after(seconds(20));
      expect(thread.ended).toBe(false);
      desk.verdict = 'taken';
      const { message: m } = world.drive(() => thread.join());
      expect(m.segment).toEqual(question(5000).segment);
      expect(desk.arrivals.length).toBe(1);
    }
  });

  it('are kept waiting by a receiver that is frozen, and find it where it thaws', () => {
    const world = new World();
    const [a, b, c] = some(world, 3) as [Host, Host, Host];
    for (const from of [a, b]) {
      const client = asks(from);
      const desk = new Desk(b);
      desk.verdict = 'frozen';
      const thread = from.spawn('asks', from.entities.send(client, desk.entity, question(6000)));
      world.after(seconds(20));
      expect(thread.ended).toBe(false);
      const moved = new Desk(c, echo, desk.entity);
      desk.leave();
      const { message: m } = world.drive(() => thread.join());
      expect(m.segment).toEqual(question(6000).segment);
      expect([desk.arrivals.length, moved.arrivals.length]).toEqual([0, 1]);
    }
  });

  it('find a receiver that has moved, also when its first host is gone', () => {
    const world = new World();
    const [a, b, c] = some(world, 3) as [Host, Host, Host];
    const client = asks(a);
    const desk = new Desk(b);
    send(world, a, client, desk.entity, question(0));
    const moved = new Desk(c, echo, desk.entity);
    desk.leave();
    expect(codeOf(send(world, a, client, desk.entity, question(2000)).message)).toBe(ReplyCode.ok);
    expect(moved.arrivals.length).toBe(1);
    expect(a.metric('vmtp.probes')).toBe(1);
    b.crash();
    send(world, a, client, desk.entity, question(2000));
    expect([moved.arrivals.length, a.metric('vmtp.probes')]).toEqual([2, 1]);
    // Home, under another life of its host.
    b.boot();
    const back = new Desk(b, echo, desk.entity);
    moved.leave();
    send(world, a, client, desk.entity, question(0));
    expect(back.arrivals.length).toBe(1);
    // Somebody who never heard of it begins with the host in its number, and so does one whose own number it is.
    back.leave();
    const away = new Desk(c, echo, desk.entity);
    for (const from of [a, b]) send(world, from, asks(from), desk.entity, question(0));
    expect(away.arrivals.length).toBe(2);
  });

  it('ask on where a transaction went that they have moved in the middle of, and nobody else', () => {
    const world = new World();
    const [a, b, c, d] = some(world, 4) as [Host, Host, Host, Host];
    const done = new Gate();
    const first = new Desk(b);
    const server = new Desk(
      c,
      function* (request) {
        yield* done.pass();
        yield* request.respond(message({ code: ReplyCode.ok }));
      },
      first.entity,
    );
    first.leave();
    const client = asks(a);
    a.spawn('asks', a.entities.send(client, server.entity, question(100)));
    world.after(seconds(1));
    expect([server.arrivals.length, a.metric('vmtp.probes')]).toEqual([1, 1]);
    const state = a.entities.moves?.take(client).state ?? new Uint8Array(0);
    d.entities.moves?.attach(client, { arrived: () => 'notAwaiting' }, state);
    const sending = d.entities.send(client, server.entity, question(100), { again: true });
    const thread = d.spawn('asks again', sending);
    world.after(seconds(1));
    done.open();
    expect(codeOf(world.drive(() => thread.join()).message)).toBe(ReplyCode.ok);
    expect([server.arrivals.length, d.metric('vmtp.probes')]).toEqual([1, 0]);
  });

  it('move as clients, too: what waits is lost, what comes next is not', () => {
    const world = new World();
    const [a, b, c] = some(world, 3) as [Host, Host, Host];
    const server = new Desk(b);
    const client = new Desk(a);
    send(world, a, client.entity, server.entity, question(0));
    const moved = new Desk(c, echo, client.entity);
    client.leave();
    expect(codeOf(send(world, c, moved.entity, server.entity, question(700)).message)).toBe(ReplyCode.ok);
    const { message: m } = send(world, b, server.entity, client.entity, question(100));
    expect([codeOf(m), moved.arrivals.length]).toEqual([ReplyCode.ok, 1]);
  });

  it('lose the transaction when they leave, or begin another', () => {
    const world = new World();
    const [a, b] = some(world, 2) as [Host, Host];
    const never = function* (): Task<void> {};
    const desk = new Desk(b, never);
    const client = new Desk(a);
    const thread = a.spawn('asks', a.entities.send(client.entity, desk.entity, question(0)));
    world.after(ms(100));
    const other = a.spawn('asks', a.entities.send(client.entity, desk.entity, question(0)));
    world.after(ms(100));
    expect(codeOf(world.drive(() => thread.join()).message)).toBe(ReplyCode.badTransactionId);
    expect(desk.arrivals.map((r) => r.abandoned)).toEqual([true, false]);
    client.leave();
    expect(codeOf(world.drive(() => other.join()).message)).toBe(ReplyCode.entityMigrated);
  });

  it('get what the service says: an outcome, a discard, an error of its own', () => {
    const world = new World();
    const [a, b] = some(world, 2) as [Host, Host];
    for (const host of [a, b]) {
      const client = asks(a);
      const discards = new Desk(host, function* (request) {
        request.discard();
      });
      expect(codeOf(send(world, a, client, discards.entity, question(0)).message)).toBe(
        ReplyCode.responseDiscarded,
      );
      const fails = new Desk(host, function* (request) {
        yield* request.respond(message({ code: ReplyCode.user + 7 }));
      });
      expect(codeOf(send(world, a, client, fails.entity, question(0)).message)).toBe(ReplyCode.user + 7);
    }
    const wrong: Message = { control: new Uint8Array(31), segment: new Uint8Array(0) };
    expect(codeOf(send(world, a, asks(a), asks(b), wrong).message)).toBe(ReplyCode.protocolError);
  });

  it('send datagrams once, and wait for nothing', () => {
    const world = new World();
    const [a, b] = some(world, 2) as [Host, Host];
    for (const desk of [new Desk(b), new Desk(a)]) {
      const client = asks(a);
      const { message: m } = send(world, a, client, desk.entity, question(3000, MessageFlag.datagram));
      expect(codeOf(m)).toBe(ReplyCode.ok);
      world.after(seconds(1));
      expect(desk.arrivals.map((r) => r.message.segment.length)).toEqual([3000]);
    }
    world.link.judge = () => 'drop';
    const before = world.link.carried.length;
    send(world, a, asks(a), new Desk(b).entity, question(0, MessageFlag.datagram));
    world.after(seconds(10));
    expect(world.link.carried.length).toBe(before + 1);
  });

  it('number their transactions around the end of 32 bits, and of 31', () => {
    // Numbers begin where the clock stands, in units of 15,259 ns.
    for (const end of [0x8000_0000, 0x1_0000_0000]) {
      const world = new World();
      const [a, b] = some(world, 2) as [Host, Host];
      const desk = new Desk(b);
      world.run((end - 20) * 15_259);
      const client = asks(a);
      let done = 0;
      world.drive(function* () {
        for (let i = 0; i < 40; i++) {
          const { message: m } = yield* a.entities.send(client, desk.entity, question(i));
          if (codeOf(m) === ReplyCode.ok && m.segment.length === i) done++;
        }
      });
      expect([done, desk.arrivals.length, a.metric('rpc.retransmissions')]).toEqual([40, 40, 0]);
      const numbers = world.link.carried.map(({ frame }) => vmtpHeader.get.transaction(frame.payload(), 0));
      expect(Math.max(...numbers) - Math.min(...numbers)).toBeGreaterThanOrEqual(39);
    }
  });

  it('charge what they cost: packets, copies, and the path on each side', () => {
    const world = new World({ costs: sun3 });
    const [a, b] = some(world, 2) as [Host, Host];
    const desk = new Desk(b);
    const client = asks(a);
    send(world, a, client, desk.entity, question(0)); // hosts are located
    const startNs = world.engine.nowNs;
    send(world, a, client, desk.entity, question(0));
    const { packetSendNs = 0, packetReceiveNs = 0, vmtpPathNs = 0 } = sun3;
    const wireNs = 2 * 800 * (8 + 14 + 68 + 4);
    expect(world.engine.nowNs - startNs).toBeGreaterThanOrEqual(
      2 * (packetSendNs + packetReceiveNs + vmtpPathNs) + wireNs,
    );
    expect(world.engine.nowNs - startNs).toBeLessThan(
      2 * (packetSendNs + packetReceiveNs + vmtpPathNs) + wireNs + ms(1),
    );
  });

  it('send the more urgent first', () => {
    const world = new World();
    const [a, b] = some(world, 2) as [Host, Host];
    const order: number[] = [];
    const desk = new Desk(b, function* (request) {
      order.push(request.priority);
      yield* request.respond(echoed(request.message));
    });
    send(world, a, asks(a), desk.entity, question(0));
    order.length = 0;
    world.drive(function* () {
      const threads = [15, 8, 12, 0, 4].map((priority) =>
        a.spawn('asks', a.entities.send(asks(a), desk.entity, question(1000), { priority })),
      );
      for (const thread of threads) yield* thread.join();
    });
    expect(order).toEqual([15, 0, 4, 8, 12]); // the first one had the wire already
  });

  it('are refused as members and as clients where they are not', () => {
    const world = new World();
    const a = world.host('a');
    const stranger = a.entities.mint();
    expect(() => a.entities.join(a.entities.mintGroup(), stranger)).toThrow(/not attached/);
    a.spawn('asks', a.entities.send(stranger, stranger, question(0)));
    expect(() => world.run()).toThrow(/not attached/);
    const desk = new Desk(a);
    expect(() => new Desk(a, echo, desk.entity)).toThrow(/here already/);
  });
});
