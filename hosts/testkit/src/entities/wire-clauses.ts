/** Bytes from anybody, and the order of events. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { type LinkVerdict, MessageFlag } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { type Check, holds, same } from '../check.ts';
import { World } from '../transport/world.ts';
import { Desk, entitiesOf, names } from './desk.ts';
import { numbered } from './messages.ts';
import type { Bounds } from './under-test.ts';

/** Clients that ask one another, alone and as a group, until the world ends. */
function busy(boards: Bounds['boards'], seed: number): World {
  const world = new World(boards, names, { seed });
  world.drive(function* () {});
  const random = world.engine.random('transactions of a check');
  const group = entitiesOf(world.host(0)).wellKnownGroup(1);
  const servers = world.hosts.map((host) => new Desk(host));
  for (const server of servers) server.join(group);
  for (const host of world.hosts) {
    const client = new Desk(host);
    host.spawn(
      (function* (): Task<void> {
        for (let n = 0; ; n++) {
          const to = random.chance(0.2) ? group : random.pick(servers).entity;
          const flags = random.chance(0.2) ? MessageFlag.datagram : 0;
          const segment = pattern(random.chance(0.3) ? random.below(9000) : 0, n);
          yield* client.sending(to, numbered(n, { segment, flags }), { timeoutNs: seconds(2) });
          if (random.chance(0.1)) yield* entitiesOf(host).probe(random.pick(servers).entity);
          yield* sleep(random.below(ms(200)));
        }
      })(),
    );
  }
  return world;
}

export const wireClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'damaged frames never throw, wherever they are damaged',
    run: () => {
      const world = busy(boards, 7);
      const random = world.engine.random('damage of a check');
      const spoilt = (payload: Uint8Array): Uint8Array => {
        const bytes = payload.slice(
          0,
          random.chance(0.2) ? random.below(payload.length + 1) : payload.length,
        );
        for (let flips = random.below(5); flips > 0 && bytes.length > 0; flips--) {
          const at = random.below(random.chance(0.9) ? Math.min(240, bytes.length) : bytes.length);
          bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        }
        return bytes;
      };
      world.judge = (): LinkVerdict => (random.chance(0.3) ? { damage: spoilt, undetected: true } : 'pass');
      const before = world.frames;
      world.after(seconds(60));
      holds('there were frames', world.frames - before > 100);
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
