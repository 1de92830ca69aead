import { ms, sleep, type Task } from '@backplane/engine';
import { nothing, payload, work } from '@backplane/rpc-service/testing';
import { KernelError, type Payload, silent } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { spriteRpcHeader, types } from '../src/index.ts';
import { words } from './hand.ts';
import { type Host, World } from './world.ts';

let world: World;
let asker: Host;
let others: Host[];

/** Who answers what: a handler for each host by its place. */
function serve(answer: (place: number) => Task<Payload | typeof silent>): void {
  for (const [place, host] of others.entries()) host.setUp((t) => t.serve(work, () => answer(place)));
}

const ask = (
  windowNs: number,
  enough: number,
): { readonly from: number[]; readonly tookNs: number; readonly texts: string[] } =>
  world.drive(function* () {
    const startNs = world.engine.nowNs;
    const answers = yield* asker.transport.ask(work, nothing, { windowNs, enough });
    const from = answers.map((a) => a.from - 1).sort((a, b) => a - b);
    return { from, tookNs: world.engine.nowNs - startNs, texts: answers.map((a) => words(a.reply.data)) };
  });

describe('sprite rpc, a question to everybody', () => {
  beforeEach(() => {
    world = new World();
    asker = world.host('asker');
    others = Array.from({ length: 5 }, (_, i) => world.host(`other${i}`));
  });

  it('collects the answers of those who answer until its window is over', () => {
    serve(function* (place) {
      return place % 2 === 0 ? payload(0, 4, place) : silent;
    });
    const { from, tookNs } = ask(ms(300), 10);
    expect(from).toEqual([1, 3, 5]);
    expect(tookNs).toBe(ms(300));
  });

  it('ends as soon as enough have answered', () => {
    serve(function* (place) {
      yield* sleep(ms(10 * place));
      return nothing;
    });
    const { from, tookNs } = ask(ms(300), 2);
    expect(from).toEqual([1, 2]);
    expect(tookNs).toBeLessThan(ms(15));
  });

  it('returns nothing when nobody answers, does not throw, and calls nobody dead', () => {
    serve(function* () {
      return silent;
    });
    const dead: number[] = [];
    asker.transport.peers.onDead(function* (host): Task<void> {
      dead.push(host);
    });
    expect(ask(ms(200), 1).from).toEqual([]);
    world.run();
    expect(dead).toEqual([]);
  });

  it('does not ask its own host', () => {
    let asked = 0;
    asker.setUp((t) =>
      t.serve(work, function* (): Task<Payload> {
        asked++;
        return nothing;
      }),
    );
    expect(ask(ms(100), 1).from).toEqual([]);
    expect(asked).toBe(0);
  });

  it('takes neither an error nor an unknown procedure for an answer', () => {
    const [first, second] = others;
    first?.setUp((t) =>
      t.serve(work, function* (): Task<Payload> {
        throw new KernelError('permission');
      }),
    );
    second?.setUp((t) =>
      t.serve(work, function* (): Task<Payload> {
        return nothing;
      }),
    );
    expect(ask(ms(100), 5).from).toEqual([2]);
    expect(world.link.carried.filter(({ from }) => from !== 'asker')).toHaveLength(1);
  });

  it('puts answers together that came in fragments, host by host', () => {
    serve(function* (place) {
      return { parameters: new Uint8Array(0), data: pattern(4000, place) };
    });
    const { texts } = ask(ms(100), 5);
    expect(texts.sort()).toEqual(others.map((_, place) => words(pattern(4000, place))).sort());
  });

  it('asks again, and each host answers once', () => {
    const executed: number[] = [];
    serve(function* (place) {
      executed.push(place);
      return nothing;
    });
    let lose = 7;
    world.link.judge = () => (lose-- > 0 ? 'drop' : 'pass'); // all of the first round, and some of the second
    expect(ask(ms(900), 5).from).toEqual([1, 2, 3, 4, 5]);
    expect(executed.sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('is not held up by one who only acknowledges', () => {
    serve(function* (place) {
      if (place === 0) yield* sleep(ms(5000));
      return nothing;
    });
    const { from, tookNs } = ask(ms(2000), 5);
    expect([from, tookNs]).toEqual([[2, 3, 4, 5], ms(2000)]);
    const acks = world.link.carried.filter(
      ({ frame }) => (spriteRpcHeader.decode(frame.payload()).flags & types.ack) !== 0,
    );
    expect(acks.length).toBeGreaterThan(0);
  });
});
