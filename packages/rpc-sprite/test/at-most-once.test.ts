/** Properties over many seeds: a failing one prints its seed. */
import { ms, type RandomStream, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import { isKernelError, type Payload } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import type { SpriteRpcOptions } from '../src/index.ts';
import { pattern, work } from './calls.ts';
import { faulty } from './link.ts';
import { type Costs, type Host, noCosts, sun3, World } from './world.ts';

interface Course {
  readonly seed: number;
  readonly rpc?: SpriteRpcOptions;
  readonly costs?: Costs;
  /** Crashes and boots of the server, and of a client, in the middle of it. */
  readonly serverReboots?: boolean;
  readonly clientReboots?: boolean;
}

interface Outcome {
  readonly asked: number;
  readonly answered: number;
  /** Calls executed more than once. */
  readonly repeated: readonly string[];
  /** Calls that returned something else than the handler did. */
  readonly wrong: readonly string[];
  /** Calls that have ended neither way. */
  readonly open: number;
}

const sizes = (random: RandomStream): Payload => {
  const parameters = random.chance(0.3) ? random.below(1025) : random.below(64);
  const data = random.chance(0.4) ? random.below(16385) : random.chance(0.5) ? random.below(1500) : 0;
  return { parameters: pattern(4 + Math.min(parameters, 1020), 1), data: pattern(data, random.below(256)) };
};

/** What the handler answers depends on the request alone, so that the right bytes are known to both sides. */
const answerTo = ({ parameters, data }: Payload): Payload => {
  const key = (parameters.length * 31 + data.length) & 0xffff;
  const bytes = key % 5 === 0 ? (key * 7919) % 16385 : key % 3 === 0 ? (key * 31) % 3000 : key % 100;
  return { parameters: pattern(key % 200, key), data: pattern(bytes, data[data.length >>> 1] ?? 3) };
};

const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

function follow({
  seed,
  rpc = {},
  costs = noCosts,
  serverReboots = false,
  clientReboots = false,
}: Course): Outcome {
  const world = new World({ seed, rpc, costs });
  world.link.records = false;
  const random = world.engine.random('course');
  const server = world.host('server');
  const clients = [world.host('a'), world.host('b'), world.host('c')];
  world.link.judge = faulty(world.engine.random('faults'), {
    loss: random.unit() * 0.12,
    copies: random.unit() * 0.2,
    late: random.unit() * 0.3,
    lateNs: random.chance(0.2) ? seconds(3) : ms(200),
  });

  const executed = new Map<string, number>();
  server.setUp((transport) => {
    transport.serve(work, function* (request, from): Task<Payload> {
      const number = new DataView(request.parameters.buffer, request.parameters.byteOffset).getUint32(0);
      const key = `${from.host}.${from.bootId}.${number}`;
      executed.set(key, (executed.get(key) ?? 0) + 1);
      if (random.chance(0.3)) yield* sleep(random.below(random.chance(0.1) ? seconds(4) : ms(150)));
      return answerTo(request);
    });
  });

  let asked = 0;
  let answered = 0;
  let ended = 0;
  const wrong: string[] = [];
  function* calls(client: Host, count: number): Task<void> {
    for (let i = 0; i < count; i++) {
      const request = sizes(random);
      const number = ++asked;
      new DataView(request.parameters.buffer).setUint32(0, number);
      try {
        const reply = yield* client.transport.call(server.id, work, request);
        const right = answerTo(request);
        if (!equal(reply.parameters, right.parameters) || !equal(reply.data, right.data))
          wrong.push(`${number}`);
        answered++;
      } catch (e) {
        if (!isKernelError(e, 'peerDown')) throw e;
      } finally {
        ended++;
      }
      if (random.chance(0.3)) yield* sleep(random.below(ms(50)));
    }
  }
  const threads: Thread[] = [];
  for (const client of clients) {
    for (let t = 0; t < 1 + random.below(3); t++) threads.push(client.spawn('calls', calls(client, 3)));
  }
  let lost = 0;
  world.drive(function* () {
    for (let i = 0; serverReboots && i < 3; i++) {
      yield* sleep(random.below(ms(400)));
      server.crash();
      if (random.chance(0.5)) yield* sleep(random.below(seconds(2)));
      server.boot();
    }
    if (clientReboots) {
      const [client] = clients;
      yield* sleep(random.below(ms(300)));
      const before = asked - ended;
      client?.reboot();
      lost = before;
      if (client !== undefined) threads.push(client.spawn('calls', calls(client, 3)));
    }
    for (const thread of threads) yield* thread.join();
  });
  const repeated = [...executed].filter(([, times]) => times > 1).map(([key]) => key);
  return { asked, answered, repeated, wrong, open: asked - ended - lost };
}

function check(course: Course): Outcome {
  const outcome = follow(course);
  expect(outcome.repeated, `seed ${course.seed}: executed twice`).toEqual([]);
  expect(outcome.wrong, `seed ${course.seed}: wrong bytes`).toEqual([]);
  return outcome;
}

function sum(seeds: number, course: (seed: number) => Course): { asked: number; answered: number } {
  const total = { asked: 0, answered: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    const { asked, answered } = check(course(seed));
    total.asked += asked;
    total.answered += answered;
  }
  return total;
}

describe('sprite rpc, whatever the network does', () => {
  it('never runs a procedure twice and returns the right bytes over Ethernet', () => {
    const { asked, answered } = sum(160, (seed) => ({ seed }));
    expect(asked).toBeGreaterThan(1500);
    expect(answered / asked).toBeGreaterThan(0.99);
  });

  it('never runs a procedure twice and returns the right bytes over internet datagrams', () => {
    const { asked, answered } = sum(50, (seed) => ({ seed: 1000 + seed, rpc: { carrier: 'internet' } }));
    expect(answered / asked).toBeGreaterThan(0.99);
  });

  it('never runs a procedure twice on machines whose processors take their time', () => {
    sum(40, (seed) => ({ seed: 5000 + seed, costs: sun3, serverReboots: seed % 4 === 0 }));
  });

  it('never runs a procedure twice when few server processes have to be shared', () => {
    sum(40, (seed) => ({ seed: 2000 + seed, rpc: { servers: 1, serversMax: 2, nacks: seed % 2 === 0 } }));
  });

  it('never runs a procedure twice, not even in two lives of the server', () => {
    const { asked, answered } = sum(150, (seed) => ({ seed: 3000 + seed, serverReboots: true }));
    expect(answered / asked).toBeGreaterThan(0.3);
  });

  it('never runs a procedure twice for a client that reboots', () => {
    sum(60, (seed) => ({ seed: 4000 + seed, clientReboots: true, serverReboots: seed % 3 === 0 }));
  });
});
