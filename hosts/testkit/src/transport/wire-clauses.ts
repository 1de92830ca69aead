/** Bytes from anybody, and the order of events. */
import { ms, type RandomStream, seconds, sleep, type Task } from '@backplane/engine';
import { Frame, type LinkVerdict, type Payload } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, holds, same } from '../check.ts';
import { nothing, numbered, work } from './calls.ts';
import type { Bounds } from './under-test.ts';
import { pass, World } from './world.ts';

/** Some bits turned, or bytes cut off; mostly at the beginning, where it hurts. */
function spoilt(payload: Uint8Array, random: RandomStream): Uint8Array {
  const bytes = payload.slice(0, random.chance(0.2) ? random.below(payload.length + 1) : payload.length);
  for (let flips = random.below(5); flips > 0 && bytes.length > 0; flips--) {
    const at = random.below(random.chance(0.9) ? Math.min(140, bytes.length) : bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  return bytes;
}

/** Two hosts that call each other and ask, until the world ends. */
function busy(boards: Bounds['boards'], seed: number): World {
  const world = new World(boards, ['a', 'b', 'c'], { seed });
  const random = world.engine.random('calls of a check');
  for (const [i, host] of world.hosts.entries()) {
    host.serves(function* (asked): Task<Payload> {
      return asked;
    });
    const to = world.host(i === 0 ? 1 : 0).id;
    host.spawn(
      (function* (): Task<void> {
        for (let n = 0; ; n++) {
          yield* kindOf(host.transport.call(to, work, numbered(n, random.below(200), random.below(3000))));
          if (random.chance(0.1)) yield* host.transport.ask(work, nothing, { windowNs: ms(20), enough: 1 });
          yield* sleep(random.below(ms(200)));
        }
      })(),
    );
  }
  return world;
}

export const wireClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'malformed frames never throw, however they are made',
    run: () => {
      const world = busy(boards, 7);
      const random = world.engine.random('damage of a check');
      world.judge = (): LinkVerdict =>
        random.chance(0.3) ? { damage: (payload) => spoilt(payload, random), undetected: true } : 'pass';
      world.after(seconds(20));
      // The very same frames again, late, damaged in other ways, and from stations that never sent them.
      const frames: Frame[] = [];
      world.judge = pass;
      world.cluster.medium.tap((frame) => {
        if (frames.length < 300) frames.push(frame);
      });
      world.after(seconds(20));
      holds('there are frames', frames.length > 20);
      const stranger = world.cluster.medium.attach({
        name: 'stranger',
        address: 0x02_00_00_00_00_77,
        accepts: () => false,
        deliver: () => {},
      });
      const send = (n: number): void => {
        if (n === 0) return;
        const { destination, source, type } = random.pick(frames);
        const payload = random.chance(0.2)
          ? Uint8Array.from({ length: random.below(300) }, () => random.below(256))
          : spoilt(random.pick(frames).payload(), random);
        stranger.send(new Frame(destination, source, type, [payload]), () => send(n - 1));
      };
      send(2000);
      world.after(seconds(30));
    },
  },
  {
    name: 'the same seed gives the same events, another seed others',
    run: () => {
      const hash = (seed: number): string => {
        const world = busy(boards, seed);
        const random = world.engine.random('faults of a check');
        world.judge = (): LinkVerdict => (random.chance(0.1) ? 'drop' : 'pass');
        world.after(seconds(3));
        return world.engine.traceHash();
      };
      const first = hash(1);
      same('the same seed', hash(1), first);
      holds('another seed', hash(2) !== first);
    },
  },
];
