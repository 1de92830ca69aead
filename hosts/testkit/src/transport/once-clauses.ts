/** At most once: a property over drawn courses of events. A failing one names its seed. */
import { ms, type RandomStream, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import { isKernelError, type LinkVerdict, type Payload } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, same, within } from '../check.ts';
import { equal, nothing, numbered, numberOf, work } from './calls.ts';
import type { Bounds } from './under-test.ts';
import { type Host, World } from './world.ts';

interface Course {
  readonly seed: number;
  /** Crashes and boots of the server, and of a client, in the middle of it. */
  readonly serverReboots?: boolean;
  readonly clientReboots?: boolean;
}

/** Loses, repeats and delays frames; a delay is what reorders them. */
function faults(random: RandomStream): () => LinkVerdict {
  const loss = random.unit() * 0.12;
  const copies = random.unit() * 0.15;
  const late = random.unit() * 0.2;
  const lateNs = random.chance(0.3) ? seconds(4) : ms(300);
  return () => {
    if (random.chance(loss)) return 'drop';
    if (random.chance(copies)) return { copies: 2, spacingNs: 1 + random.below(lateNs) };
    return random.chance(late) ? { delayNs: 1 + random.below(lateNs) } : 'pass';
  };
}

/** What the handler answers depends on the request alone, so that the right bytes are known to both sides. */
const answerTo = (asked: Payload): Payload => {
  const key = numberOf(asked) * 31 + asked.data.length;
  return numbered(key, key % 200, key % 4 === 0 ? (key * 7919) % 6000 : key % 700);
};

interface Outcome {
  asked: number;
  answered: number;
}

function follow(
  boards: Bounds['boards'],
  { seed, serverReboots = false, clientReboots = false }: Course,
): Outcome {
  const world = new World(boards, ['server', 'a', 'b'], { seed });
  const { engine } = world;
  const random = engine.random('course of a check');
  world.judge = faults(engine.random('faults of a check'));
  const server = world.host(0);
  const clients = [world.host(1), world.host(2)];
  const executed = new Map<number, number>();
  server.serves(function* (asked): Task<Payload> {
    executed.set(numberOf(asked), (executed.get(numberOf(asked)) ?? 0) + 1);
    if (random.chance(0.3)) yield* sleep(random.below(random.chance(0.1) ? seconds(8) : ms(300)));
    return answerTo(asked);
  });
  const outcome: Outcome = { asked: 0, answered: 0 };
  const wrong: number[] = [];
  function* calls(client: Host): Task<void> {
    for (let i = 0; i < 4; i++) {
      const asked = numbered(++outcome.asked, random.below(900), random.chance(0.4) ? random.below(7000) : 0);
      try {
        const reply = yield* client.transport.call(server.id, work, asked);
        if (!equal(reply, answerTo(asked))) wrong.push(numberOf(asked));
        outcome.answered++;
      } catch (e) {
        if (!isKernelError(e, 'peerDown')) throw e;
      }
      yield* sleep(random.below(ms(100)));
    }
  }
  world.drive(function* () {
    const threads: Thread[] = [];
    for (const client of clients)
      for (let t = 0; t < 1 + random.below(3); t++) threads.push(client.spawn(calls(client)));
    for (let i = 0; serverReboots && i < 3; i++) {
      yield* sleep(random.below(seconds(1)));
      server.crash();
      if (random.chance(0.5)) yield* sleep(random.below(seconds(3)));
      server.boot();
    }
    if (clientReboots) {
      yield* sleep(random.below(seconds(1)));
      world.host(1).reboot();
      yield* world.host(1).running();
      threads.push(world.host(1).spawn(calls(world.host(1))));
    }
    for (const thread of threads) if (thread.scope.alive) yield* thread.join();
  });
  const repeated = [...executed].filter(([, times]) => times > 1).map(([call]) => call);
  same(`calls executed more than once (seed ${seed})`, repeated, []);
  same(`calls with a wrong answer (seed ${seed})`, wrong, []);
  return outcome;
}

export const onceClauses = ({ boards, courses, silenceSeconds }: Bounds): readonly Check[] => {
  /** The part of the calls that was answered. */
  const answered = (course: (seed: number) => Course): number => {
    const total: Outcome = { asked: 0, answered: 0 };
    for (let seed = 1; seed <= courses; seed++) {
      const outcome = follow(boards, course(seed));
      total.asked += outcome.asked;
      total.answered += outcome.answered;
    }
    return total.answered / total.asked;
  };
  return [
    {
      name: 'a handler runs at most once for a call, whatever the network loses, repeats or delays',
      run: () =>
        within(
          'answered',
          answered((seed) => ({ seed })),
          0.97,
          1,
        ),
    },
    {
      name: 'a handler runs at most once for a call, in all lives of a server that reboots',
      run: () =>
        within(
          'answered',
          answered((seed) => ({ seed: 1000 + seed, serverReboots: true })),
          0.2,
          1,
        ),
    },
    {
      name: 'a handler runs at most once for a call of a client that reboots',
      run: () =>
        within(
          'answered',
          answered((seed) => ({ seed: 2000 + seed, clientReboots: true })),
          0.5,
          1,
        ),
    },
    {
      name: 'a call fails with peerDown when its server reboots in between, and the next life does not execute it',
      run: () => {
        const world = new World(boards, ['client', 'server']);
        const [client, server] = [world.host(0), world.host(1)];
        const lives: number[] = [];
        server.serves(function* (asked): Task<Payload> {
          lives.push(server.machine.bootId);
          if (asked.data.length > 0) yield* sleep(seconds(1000));
          return asked;
        });
        const outcome = world.drive(function* () {
          const call = client.spawn(kindOf(client.transport.call(server.id, work, numbered(1, 4, 1))));
          yield* sleep(seconds(3));
          server.reboot();
          return yield* call.join();
        });
        same('the call', outcome, 'peerDown');
        same('lives that executed it', lives.length, 1);
        within('seconds that it took to notice', world.engine.nowNs / 1e9, 3, 3 + silenceSeconds);
      },
    },
    {
      name: 'a call that begins after a reboot succeeds, though the caller has not noticed that',
      run: () => {
        const world = new World(boards, ['client', 'server']);
        const [client, server] = [world.host(0), world.host(1)];
        server.serves(function* (asked): Task<Payload> {
          return asked;
        });
        const call = (): string =>
          world.on(client, () => kindOf(client.transport.call(server.id, work, nothing)));
        for (let i = 0; i < 4; i++) {
          same(`call ${i}`, call(), 'ok');
          server.reboot();
          world.after(seconds(2));
        }
      },
    },
  ];
};
