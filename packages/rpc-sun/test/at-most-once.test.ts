/** Properties over many seeds: a failing one prints its seed. */
import { ms, type RandomStream, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import { isKernelError, type Payload } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import type { SunRpcOptions } from '../src/index.ts';
import { pattern, work } from './calls.ts';
import { faulty } from './switch.ts';
import { type Host, World } from './world.ts';

interface Course {
  readonly seed: number;
  readonly rpc?: SunRpcOptions;
  /** Crashes and boots of the server, and of a client, in the middle of it. */
  readonly serverReboots?: boolean;
  readonly clientReboots?: boolean;
}

const sizes = (random: RandomStream): Payload => {
  const parameters = random.chance(0.3) ? random.below(1021) : random.below(64);
  const data = random.chance(0.4) ? random.below(8193) : random.chance(0.5) ? random.below(1500) : 0;
  return { parameters: pattern(4 + parameters, 1), data: pattern(data, random.below(256)) };
};

/** What the handler answers depends on the request alone, so that the right bytes are known to both sides. */
const answerTo = ({ parameters, data }: Payload): Payload => {
  const key = (parameters.length * 31 + data.length) & 0xffff;
  const bytes = key % 5 === 0 ? (key * 7919) % 8193 : key % 3 === 0 ? (key * 31) % 3000 : key % 100;
  return { parameters: pattern(key % 200, key), data: pattern(bytes, data[data.length >>> 1] ?? 3) };
};

const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

function follow(course: Course): { asked: number; answered: number } {
  const { seed, rpc = {}, serverReboots = false, clientReboots = false } = course;
  const world = new World({ seed, rpc });
  world.net.records = false;
  const random = world.engine.random('course');
  const server = world.host('server');
  const clients = [world.host('a'), world.host('b'), world.host('c')];
  world.net.judge = faulty(world.engine.random('faults'), {
    loss: random.unit() * 0.2,
    copies: random.unit() * 0.3,
    late: random.unit() * 0.4,
    lateNs: random.chance(0.3) ? seconds(15) : ms(1500),
  });

  const executed = new Map<string, number>();
  server.setUp((transport) => {
    transport.serve(work, function* (request, from): Task<Payload> {
      const number = new DataView(request.parameters.buffer, request.parameters.byteOffset).getUint32(0);
      const key = `${from.host}.${from.bootId}.${number}`;
      executed.set(key, (executed.get(key) ?? 0) + 1);
      if (random.chance(0.3)) yield* sleep(random.below(random.chance(0.1) ? seconds(20) : ms(1500)));
      return answerTo(request);
    });
  });

  const outcome = { asked: 0, answered: 0 };
  const wrong: number[] = [];
  function* calls(client: Host, count: number): Task<void> {
    for (let i = 0; i < count; i++) {
      const request = sizes(random);
      const number = ++outcome.asked;
      new DataView(request.parameters.buffer).setUint32(0, number);
      try {
        const reply = yield* client.transport.call(server.id, work, request);
        const right = answerTo(request);
        if (!equal(reply.parameters, right.parameters) || !equal(reply.data, right.data)) wrong.push(number);
        outcome.answered++;
      } catch (e) {
        if (!isKernelError(e, 'peerDown')) throw e;
      }
      if (random.chance(0.3)) yield* sleep(random.below(ms(500)));
    }
  }
  const threads: Thread[] = [];
  for (const client of clients)
    for (let t = 0; t < 1 + random.below(3); t++) threads.push(client.spawn('calls', calls(client, 4)));
  world.drive(function* () {
    for (let i = 0; serverReboots && i < 3; i++) {
      yield* sleep(random.below(seconds(4)));
      server.crash();
      if (random.chance(0.5)) yield* sleep(random.below(seconds(10)));
      server.boot();
    }
    const [first] = clients;
    if (clientReboots && first !== undefined) {
      yield* sleep(random.below(seconds(3)));
      first.reboot();
      threads.push(first.spawn('calls', calls(first, 4)));
    }
    for (const thread of threads) if (thread.scope.alive) yield* thread.join();
  });
  const repeated = [...executed].filter(([, times]) => times > 1).map(([key]) => key);
  expect(repeated, `seed ${seed}: executed twice`).toEqual([]);
  expect(wrong, `seed ${seed}: wrong bytes`).toEqual([]);
  return outcome;
}

function sum(seeds: number, course: (seed: number) => Course): { asked: number; answered: number } {
  const total = { asked: 0, answered: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    const { asked, answered } = follow(course(seed));
    total.asked += asked;
    total.answered += answered;
  }
  return total;
}

describe('sun rpc, whatever the network does', () => {
  it('never runs a procedure twice and returns the right bytes', () => {
    const { asked, answered } = sum(60, (seed) => ({ seed }));
    expect(asked).toBeGreaterThan(700);
    expect(answered / asked).toBeGreaterThan(0.99);
  });

  it('never runs a procedure twice when hardly any reply is kept', () => {
    const rpc = { cachedReplies: 2, daemons: 1, daemonsMax: 4 };
    const { asked, answered } = sum(40, (seed) => ({ seed: 2000 + seed, rpc }));
    expect(answered / asked).toBeGreaterThan(0.8);
  });

  it('never runs a procedure twice, not even in two lives of the server', () => {
    const { asked, answered } = sum(60, (seed) => ({ seed: 3000 + seed, serverReboots: true }));
    expect(answered / asked).toBeGreaterThan(0.3);
  });

  it('never runs a procedure twice for a client that reboots', () => {
    sum(40, (seed) => ({ seed: 4000 + seed, clientReboots: true, serverReboots: seed % 3 === 0 }));
  });
});
