/** One fault at a time: what each lost, repeated or late packet costs, and that nothing is done twice. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { codeOf, type Message, MessageFlag, message, ReplyCode, wordOf } from '@backplane/slots';
import type { Judge } from '@backplane/slots/testing';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { ETHER_TYPES } from '@backplane/wire';
import { describe, expect, it } from 'vitest';
import { asks, Desk, echoed, question } from './desk.ts';
import { type Host, World } from './world.ts';

interface Outcome {
  readonly reply: Message;
  readonly executed: number;
  /** Frames that were sent, the lost ones among them. */
  readonly frames: number;
  readonly tookNs: number;
  readonly client: Host;
  readonly server: Host;
}

/** One transaction with what happens to its n-th frame. */
function once(
  requestBytes: number,
  responseBytes: number,
  judge: (n: number) => ReturnType<Judge>,
  flags = 0,
): Outcome {
  const world = new World();
  const client = world.host('client');
  const server = world.host('server');
  const desk = new Desk(server, function* (request) {
    yield* request.respond(message({ code: 0, flags, segment: pattern(responseBytes, 5) }));
  });
  const from = asks(client);
  let n = 0;
  world.link.judge = (frame) => (frame.type === ETHER_TYPES.v ? judge(n++) : 'pass');
  const { nowNs } = world.engine;
  const { message: reply } = world.drive(() =>
    client.entities.send(from, desk.entity, question(requestBytes)),
  );
  const tookNs = world.engine.nowNs - nowNs;
  world.after(seconds(60));
  return { reply, executed: desk.arrivals.length, frames: world.link.carried.length, tookNs, client, server };
}

const sizes = [
  [0, 0],
  [0, 3000],
  [3000, 0],
  [16_384, 0],
  [0, 16_384],
  [5000, 5000],
] as const;

describe('a transaction', () => {
  for (const [asked, answered] of sizes)
    it(`of ${asked} and ${answered} bytes survives the loss of each of its packets`, () => {
      const { frames } = once(asked, answered, () => 'pass');
      for (let lost = 0; lost < frames; lost++) {
        const { reply, executed, tookNs } = once(asked, answered, (n) => (n === lost ? 'drop' : 'pass'));
        expect(codeOf(reply), `packet ${lost}`).toBe(ReplyCode.ok);
        expect(sameBytes(reply.segment, pattern(answered, 5)), `packet ${lost}`).toBe(true);
        expect(executed, `packet ${lost}`).toBe(1);
        expect(tookNs, `packet ${lost}`).toBeLessThan(ms(500));
      }
    });

  for (const [asked, answered] of sizes)
    it(`of ${asked} and ${answered} bytes survives each of its packets twice, late, or late and twice`, () => {
      const { frames } = once(asked, answered, () => 'pass');
      for (const delaysNs of [[0, 0], [0, ms(1)], [ms(20)], [ms(700)], [0, ms(700)], [0, seconds(20)]])
        for (let odd = 0; odd < frames; odd++) {
          const { reply, executed } = once(asked, answered, (n) => (n === odd ? { delaysNs } : 'pass'));
          expect(sameBytes(reply.segment, pattern(answered, 5)), `packet ${odd} after ${delaysNs}`).toBe(
            true,
          );
          expect(executed, `packet ${odd} after ${delaysNs}`).toBe(1);
        }
    });

  it('has only what is missing sent again', () => {
    const { frames } = once(16_384, 0, () => 'pass');
    expect(frames).toBe(17);
    // Two packets of sixteen: the server asks for them, and gets them.
    const lossy = once(16_384, 0, (n) => (n === 3 || n === 7 ? 'drop' : 'pass'));
    expect(lossy.frames).toBe(17 + 1 + 2);
    expect(lossy.client.metric('rpc.retransmissions')).toBe(1);
    // The same of a response; the server asks once whether it has arrived, as it does for every response with data.
    const whole = once(0, 16_384, () => 'pass');
    const back = once(0, 16_384, (n) => (n === 3 || n === 7 ? 'drop' : 'pass'));
    expect(back.frames - whole.frames).toBe(1 + 2);
  });

  it('widens the gap between packets when some of a group are lost', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    const desk = new Desk(b);
    const from = asks(a);
    const send = (): number => {
      const start = world.link.carried.length;
      world.drive(() => a.entities.send(from, desk.entity, question(8192)));
      world.after(seconds(3));
      const own = world.link.carried.slice(start).filter((c) => c.from === 'a');
      return (own[1]?.atNs ?? 0) - (own[0]?.atNs ?? 0);
    };
    const before = send();
    // Every fourth block is overrun.
    let n = 0;
    world.link.judge = (_frame, source) => (source === 'a' && n++ % 4 === 2 ? 'drop' : 'pass');
    for (let i = 0; i < 5; i++) send();
    const wide = send();
    expect(wide - before).toBeGreaterThan(ms(1));
    expect(a.metric('vmtp.gapsWidened')).toBeGreaterThan(4);
    // The gap that the response keeps is what the client asks for.
    world.link.judge = (_frame, source) => (source === 'b' && n++ % 4 === 2 ? 'drop' : 'pass');
    for (let i = 0; i < 5; i++) send();
    world.link.judge = () => 'pass';
    const gapBack = (): number => {
      const start = world.link.carried.length;
      send();
      const [first, second] = world.link.carried.slice(start).filter((c) => c.from === 'b');
      return (second?.atNs ?? 0) - (first?.atNs ?? 0);
    };
    expect(gapBack()).toBeGreaterThan(before + ms(1));
    // It shrinks with each group that comes whole, also if the client says so only when it is asked.
    for (let i = 0; i < 100; i++) send();
    expect(gapBack()).toBeLessThan(before + ms(1));
  });

  it('does not widen it for what its own interface has given up', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    const desk = new Desk(b);
    const from = asks(a);
    let n = 0;
    world.link.judge = (_frame, source) => {
      if (n++ % 4 !== 2) return 'pass';
      (source === 'a' ? a : b).nic.givenUp++;
      return 'drop';
    };
    for (let i = 0; i < 10; i++) world.drive(() => a.entities.send(from, desk.entity, question(8192)));
    expect(a.metric('vmtp.gapsWidened') + b.metric('vmtp.gapsWidened')).toBe(0);
    expect(a.metric('rpc.retransmissions') + b.metric('rpc.retransmissions')).toBeGreaterThan(10);
  });

  it('that may be done again is done again when its response is lost, and the response is not kept', () => {
    for (const lost of [1, 2, 3]) {
      const { reply, executed, server } = once(
        0,
        3000,
        (n) => (n === lost ? 'drop' : 'pass'),
        MessageFlag.datagram,
      );
      expect(reply.segment, `packet ${lost}`).toEqual(pattern(3000, 5));
      expect(executed, `packet ${lost}`).toBe(2);
      expect(server.metric('vmtp.redone')).toBe(1);
    }
  });

  it('that takes blocks as they come gets those that came', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    const flags = MessageFlag.datagram | MessageFlag.partial;
    const all = [0, 0, 0, 0, 0, 0b11_1111];
    const desk = new Desk(b, function* (request) {
      yield* request.respond(message({ code: 0, flags, words: all, segment: pattern(3000, 5) }));
    });
    let n = 0;
    world.link.judge = () => (n++ === 2 ? 'drop' : 'pass');
    const { message: reply } = world.drive(() => a.entities.send(asks(a), desk.entity, question(0)));
    expect(wordOf(reply, 6)).toBe(0b11_0011);
    const expected = pattern(3000, 5);
    expected.fill(0, 1024, 2048);
    expect(reply.segment).toEqual(expected);
    // And sends only the blocks that it names.
    n = 3;
    const few = message({
      code: 1,
      flags: MessageFlag.partial,
      words: [0, 0, 0, 0, 0, 0b1001],
      segment: pattern(3000, 6),
    });
    world.drive(() => a.entities.send(asks(a), desk.entity, few));
    const seen = desk.arrivals[1]?.message ?? few;
    expect([wordOf(seen, 6), seen.segment.length]).toEqual([0b1001, 3000]);
    expect(seen.segment.subarray(0, 512)).toEqual(few.segment.subarray(0, 512));
    expect(seen.segment.subarray(1536, 2048)).toEqual(few.segment.subarray(1536, 2048));
    expect(seen.segment.subarray(512, 1536).every((byte) => byte === 0)).toBe(true);
  });

  it('whose response keeps losing the same packet fails with what came before it', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    const desk = new Desk(b, function* (request) {
      yield* request.respond(message({ code: 0, segment: pattern(3000, 5) }));
    });
    world.link.judge = (frame, from) =>
      from === 'b' &&
      frame.lengthBytes > 1000 &&
      frame.lengthBytes < 1100 &&
      (frame.payload()[21] ?? 0) === 0 &&
      (frame.payload()[23] ?? 0) === 0xc
        ? 'drop'
        : 'pass';
    const { message: reply } = world.drive(() => a.entities.send(asks(a), desk.entity, question(0)));
    expect(codeOf(reply)).toBe(ReplyCode.badReplySegment);
    expect(reply.segment).toEqual(pattern(3000, 5).subarray(0, 1024));
  });

  it('frees what the server keeps for it when the client has it, or is gone', () => {
    for (const crash of [false, true]) {
      const world = new World();
      const [a, b] = [world.host('a'), world.host('b')];
      const desk = new Desk(b);
      world.drive(() => a.entities.send(asks(a), desk.entity, question(9000)));
      if (crash) a.crash();
      world.after(seconds(5));
      const frames = world.link.carried.length;
      world.after(seconds(300));
      expect(world.link.carried.length).toBe(frames);
      expect(b.metric('vmtp.remembered')).toBe(0);
    }
  });

  it('is not done by the next life of its server, which has entities of other numbers', () => {
    for (const restNs of [ms(1), ms(100), ms(400), seconds(3)]) {
      const world = new World();
      const [a, b] = [world.host('a'), world.host('b')];
      const never = function* (): Task<void> {};
      const desk = new Desk(b, never);
      const thread = a.spawn('asks', a.entities.send(asks(a), desk.entity, question(100)));
      world.after(restNs);
      b.reboot();
      const next = new Desk(b, never);
      const { message: reply } = world.drive(() => thread.join());
      expect(codeOf(reply)).toBe(ReplyCode.nonexistentEntity);
      expect(next.arrivals.length).toBe(0);
      expect(next.entity).not.toBe(desk.entity);
    }
  });

  it('is told apart from the next one by its number alone: late packets are no new transactions', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    const desk = new Desk(b);
    const from = asks(a);
    world.link.judge = () => ({ delaysNs: [0, ms(30), seconds(1), seconds(30)] });
    world.drive(function* () {
      for (let i = 0; i < 50; i++) {
        const { message: reply } = yield* a.entities.send(from, desk.entity, question(40 * i));
        expect(reply).toEqual({
          control: echoed(question(40 * i)).control,
          segment: question(40 * i).segment,
        });
        yield* sleep(ms(20));
      }
    });
    world.after(seconds(40));
    expect(desk.arrivals.length).toBe(50);
  });
});
