/** Responses that may be made again, and are not kept: large ones on a network that loses much. */
import { seconds } from '@backplane/engine';
import { codeOf, type Message, MessageFlag, message, ReplyCode } from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { asks, Desk } from './desk.ts';
import { World } from './world.ts';

const idempotent = (bytes: number, words: readonly number[] = []): Message =>
  message({ code: 0, flags: MessageFlag.datagram, words, segment: pattern(bytes, bytes) });

/** A request that says which blocks of the response it wants: all, until some of them have come. */
const naming = message({ code: 1, flags: MessageFlag.partial });

interface Lossy {
  readonly outcomes: ReadonlyMap<number, number>;
  readonly wrong: number;
  readonly frames: number;
}

function lossy(seed: number, request: Message, transactions: number, percent: number): Lossy {
  const world = new World({ seed });
  const [a, b] = [world.host('a'), world.host('b')];
  const desk = new Desk(b, function* (r) {
    yield* r.respond(idempotent(16_384));
  });
  const from = asks(a);
  const random = world.engine.random('loss');
  world.link.judge = () => (random.below(100) < percent ? 'drop' : 'pass');
  const outcomes = new Map<number, number>();
  let wrong = 0;
  world.drive(function* () {
    for (let i = 0; i < transactions; i++) {
      const { message: reply } = yield* a.entities.send(from, desk.entity, request);
      const code = codeOf(reply);
      outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
      if (code === ReplyCode.ok && !sameBytes(reply.segment, pattern(16_384, 16_384))) wrong++;
    }
  });
  return { outcomes, wrong, frames: world.link.carried.length };
}

describe('an idempotent transaction', () => {
  for (const seed of [1, 2, 3])
    it(`of 16 KB comes to its end on a network that loses a tenth, seed ${seed}`, () => {
      const { outcomes, wrong } = lossy(seed, message({ code: 1 }), 200, 10);
      expect([...outcomes]).toEqual([[ReplyCode.ok, 200]]);
      expect(wrong).toBe(0);
    });

  it('has only the blocks sent again that lack, if its request may name blocks', () => {
    const all = lossy(4, message({ code: 1 }), 100, 10);
    const named = lossy(4, naming, 100, 10);
    expect([...named.outcomes]).toEqual([[ReplyCode.ok, 100]]);
    expect(named.wrong).toBe(0);
    // Of 17 packets, 1.7 are lost: two rounds bring them, not three times all of it.
    expect(named.frames).toBeLessThan(100 * 24);
    expect(all.frames).toBeGreaterThan(100 * 30);
  });

  it('that has another result when it is done again hands up that one, whole', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    let times = 0;
    const desk = new Desk(b, function* (r) {
      times++;
      yield* r.respond(idempotent(3000 + times, [times]));
    });
    let n = 0;
    world.link.judge = () => (n++ === 2 ? 'drop' : 'pass');
    const { message: reply } = world.drive(() => a.entities.send(asks(a), desk.entity, message({ code: 1 })));
    expect(times).toBe(2);
    expect(reply).toEqual(idempotent(3002, [2]));
  });

  it('that keeps losing the same packet fails with what came before it', () => {
    const world = new World();
    const [a, b] = [world.host('a'), world.host('b')];
    const desk = new Desk(b, function* (r) {
      yield* r.respond(idempotent(3000));
    });
    world.link.judge = (frame, from) =>
      from === 'b' && frame.lengthBytes > 1000 && frame.payload()[23] === 0xc ? 'drop' : 'pass';
    const { message: reply } = world.drive(() => a.entities.send(asks(a), desk.entity, message({ code: 1 })));
    expect(codeOf(reply)).toBe(ReplyCode.badReplySegment);
    expect(reply.segment).toEqual(pattern(3000, 3000).subarray(0, 1024));
    expect(world.engine.nowNs).toBeLessThan(seconds(10));
  });
});
