/** Streams: several transactions of one client under way at once, and what is said to who does not take them. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  type Message,
  MessageFlag,
  message,
  ReplyCode,
  wordOf,
} from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import {
  groupFlags,
  nodeFlags,
  notifyVmtpClient,
  queryVmtpNode,
  responseCodes,
  streamingEntities,
  vmtpManagerGroup,
} from '../src/index.ts';
import { asks, Desk } from './desk.ts';
import { Script } from './script.ts';
import { type Host, sun3, World } from './world.ts';

const numbered = (n: number, bytes = 0): Message =>
  message({ code: 42, words: [n], segment: pattern(bytes, n) });

/** Answers with the number that it was asked, and a segment of that size; notes the order. */
function counting(host: Host, bytes = 0, flags = 0, waitNs = 0): Desk {
  return new Desk(host, function* (request): Task<void> {
    if (waitNs > 0) yield* sleep(waitNs);
    const n = wordOf(request.message, 1);
    yield* request.respond(message({ code: ReplyCode.ok, flags, words: [n], segment: pattern(bytes, n) }));
  });
}

function* stream(
  host: Host,
  from: EntityId,
  to: EntityId,
  requests: readonly Message[],
): Task<readonly Message[]> {
  const entities = streamingEntities(host.transport);
  if (entities === undefined) throw new Error('no streams');
  return (yield* entities.stream(from, to, requests)).map((r) => r.message);
}

const requests = (count: number, bytes = 0): Message[] =>
  Array.from({ length: count }, (_, i) => numbered(i + 1, bytes));
const numbersOf = (messages: readonly Message[]): number[] => messages.map((m) => wordOf(m, 1));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const asked = (desk: Desk): number[] => numbersOf(desk.arrivals.map((r) => r.message));

describe('a stream', () => {
  it('is served in the order of its requests, and takes less time than one after the other', () => {
    const took = (streaming: boolean): number => {
      const world = new World({ costs: sun3 });
      const [a, b] = [world.host('a', { streaming }), world.host('b')];
      const desk = counting(b);
      const from = asks(a);
      const replies = world.drive(() => stream(a, from, desk.entity, requests(40)));
      expect(replies.map(codeOf)).toEqual(upTo(40).map(() => ReplyCode.ok));
      expect(numbersOf(replies)).toEqual(upTo(40));
      expect(asked(desk)).toEqual(upTo(40));
      return world.engine.nowNs;
    };
    expect(took(true)).toBeLessThan(0.75 * took(false));
  });

  it('has one request at a time at its server, and the next when that one is answered', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    let working = 0;
    let most = 0;
    const desk = new Desk(b, function* (request): Task<void> {
      most = Math.max(most, ++working);
      yield* sleep(ms(5));
      working--;
      yield* request.respond(message({ code: ReplyCode.ok, words: [wordOf(request.message, 1)] }));
    });
    expect(numbersOf(world.drive(() => stream(a, asks(a), desk.entity, requests(20, 3000))))).toEqual(
      upTo(20),
    );
    expect(most).toBe(1);
    expect(asked(desk)).toEqual(upTo(20));
    world.after(seconds(300));
    expect(b.metric('vmtp.remembered')).toBe(0);
  });

  for (const flags of [0, MessageFlag.datagram])
    it(`comes through whatever is lost, doubled or late, responses ${flags === 0 ? 'kept' : 'made again'}`, () => {
      for (let seed = 1; seed <= 40; seed++) {
        const world = new World({ seed });
        const [a, b] = [world.host('a'), world.host('b')];
        const desk = counting(b, seed % 3 === 0 ? 5000 : 0, flags);
        const random = world.engine.random('faults');
        world.link.judge = () => {
          const drawn = random.below(20);
          if (drawn === 0) return 'drop';
          return drawn <= 2 ? { delaysNs: [0, ms(random.below(300))] } : 'pass';
        };
        const replies = world.drive(() => stream(a, asks(a), desk.entity, requests(30, 2000)));
        expect(replies.map(codeOf), `seed ${seed}`).toEqual(upTo(30).map(() => ReplyCode.ok));
        expect(numbersOf(replies), `seed ${seed}`).toEqual(upTo(30));
        for (const [i, { segment }] of replies.entries())
          expect(sameBytes(segment, pattern(seed % 3 === 0 ? 5000 : 0, i + 1)), `seed ${seed}`).toBe(true);
        if (flags === 0) expect(asked(desk), `seed ${seed}`).toEqual(upTo(30));
      }
    });

  it('becomes one transaction at a time for a host without streams, which is asked once', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b', { streaming: false })];
    const desk = counting(b);
    const from = asks(a);
    for (let round = 0; round < 2; round++)
      expect(numbersOf(world.drive(() => stream(a, from, desk.entity, requests(10))))).toEqual(upTo(10));
    expect(asked(desk)).toEqual([...upTo(10), ...upTo(10)]);
    expect(b.metric('vmtp.notices')).toBeLessThanOrEqual(16);
  });

  it('is one transaction after the other on one host', () => {
    const world = new World();
    const a = world.host('a');
    const desk = counting(a);
    expect(numbersOf(world.drive(() => stream(a, asks(a), desk.entity, requests(5))))).toEqual(upTo(5));
    expect(asked(desk)).toEqual(upTo(5));
  });

  it('says of each transaction how it ended, also when its server goes away', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    const desk = counting(b, 0, 0, ms(10));
    const thread = a.spawn('streams', stream(a, asks(a), desk.entity, requests(10)));
    world.after(ms(35));
    b.crash();
    const replies = world.drive(() => thread.join());
    expect(replies.map(codeOf)).toEqual([
      ...[0, 0, 0].map(() => ReplyCode.ok),
      ...[0, 0, 0, 0, 0, 0, 0].map(() => ReplyCode.retransmissionTimeout),
    ]);
  });

  it('carries the flags of a run, and takes one response for several when its count says so', () => {
    const world = new World();
    const a = world.host('a');
    const server = new Script(world, 2);
    const from = asks(a);
    const thread = a.spawn('streams', stream(a, from, server.entity, requests(4)));
    world.after(ms(5));
    const heard = server.heard.filter((p) => p.server === server.entity);
    const { notStartOfRun, notEndOfRun } = groupFlags;
    expect(heard.map((p) => p.flags)).toEqual([
      notEndOfRun,
      notStartOfRun | notEndOfRun,
      notStartOfRun | notEndOfRun,
      notStartOfRun,
    ]);
    const first = heard[0]?.transaction ?? 0;
    expect(heard.map((p) => p.transaction)).toEqual([0, 1, 2, 3].map((i) => first + i));
    const reply = { client: from, server: server.entity, response: true };
    server.say(a.nic.address, { ...reply, transaction: first }, numbered(1));
    server.say(a.nic.address, { ...reply, transaction: first + 3, gap: 2 }, numbered(9));
    expect(numbersOf(world.drive(() => thread.join()))).toEqual([1, 9, 9, 9]);
  });

  it('waits with a transaction whose run is not known while one before it is open, else does it by itself', () => {
    const world = new World();
    const a = world.host('a');
    const server = new Script(world, 2);
    const from = asks(a);
    const thread = a.spawn('streams', stream(a, from, server.entity, requests(2)));
    world.after(ms(5));
    const first = server.heard[0]?.transaction ?? 0;
    const unknown = (): void => {
      const notice = {
        client: from,
        control: 0,
        receiveSequence: 0,
        delivery: 0,
        code: responseCodes.noRunRecord,
      };
      server.notify(a.nic.address, notifyVmtpClient.encode({ ...notice, transaction: first + 1 }));
    };
    unknown();
    expect(thread.ended).toBe(false);
    server.forget();
    const reply = { client: from, server: server.entity, response: true };
    server.say(a.nic.address, { ...reply, transaction: first }, numbered(1));
    unknown();
    const again = server.heard.find((p) => p.server === server.entity);
    expect([again?.flags, again?.transaction]).toEqual([0, first + 2]);
    server.say(a.nic.address, { ...reply, transaction: first + 2 }, numbered(2));
    expect(numbersOf(world.drive(() => thread.join()))).toEqual([1, 2]);
  });

  it('is announced by the host that takes it', () => {
    for (const streaming of [true, false]) {
      const world = new World();
      const [a, b] = [world.host('a'), world.host('b', { streaming })];
      const desk = new Desk(b);
      const m = queryVmtpNode.request.encode({ coResident: desk.entity });
      const reply = world.drive(() => a.entities.send(asks(a), vmtpManagerGroup, m));
      const both = nodeFlags.handlesStreams | nodeFlags.issuesStreams;
      expect(queryVmtpNode.reply.decode(reply.message)?.flags).toBe(streaming ? both : 0);
    }
  });
});
