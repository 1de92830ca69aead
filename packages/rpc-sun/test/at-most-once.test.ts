/** Properties over many seeds: a failing one prints its seed. */
import { ms, seconds, sleep, type Thread } from '@backplane/engine';
import { Ledger, type Pace, total } from '@backplane/rpc-service/testing';
import { describe, expect, it } from 'vitest';
import { limits, type SunRpcOptions } from '../src/index.ts';
import { faulty } from './switch.ts';
import { type Host, World } from './world.ts';

interface Course {
  readonly seed: number;
  readonly rpc?: SunRpcOptions;
  /** Crashes and boots of the server, and of a client, in the middle of it. */
  readonly serverReboots?: boolean;
  readonly clientReboots?: boolean;
}

const pace: Pace = {
  dataBytesMax: limits.dataBytes,
  slowNs: seconds(20),
  usualNs: ms(1500),
  pauseNs: ms(500),
};

function follow(course: Course): Ledger {
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
  const ledger = new Ledger(random, pace);
  server.setUp((transport) => ledger.serve(transport));
  const threads: Thread[] = [];
  const begin = (client: Host): void =>
    void threads.push(client.spawn('calls', ledger.calls(client.transport, server.id, 4)));
  for (const client of clients) for (let t = 1 + random.below(3); t > 0; t--) begin(client);
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
      begin(first);
    }
    for (const thread of threads) if (thread.scope.alive) yield* thread.join();
  });
  expect(ledger.repeated, `seed ${seed}: executed twice`).toEqual([]);
  expect(ledger.wrong, `seed ${seed}: wrong bytes`).toEqual([]);
  return ledger;
}

describe('sun rpc, whatever the network does', () => {
  it('never runs a procedure twice and returns the right bytes', () => {
    const { asked, answered } = total(60, (seed) => follow({ seed }));
    expect(asked).toBeGreaterThan(700);
    expect(answered / asked).toBeGreaterThan(0.98);
  });

  it('never runs a procedure twice when hardly any reply is kept', () => {
    const rpc = { cachedReplies: 2, daemons: 1, daemonsMax: 4 };
    const { asked, answered } = total(40, (seed) => follow({ seed: 2000 + seed, rpc }));
    expect(answered / asked).toBeGreaterThan(0.8);
  });

  it('never runs a procedure twice, not even in two lives of the server', () => {
    const { asked, answered } = total(60, (seed) => follow({ seed: 3000 + seed, serverReboots: true }));
    expect(answered / asked).toBeGreaterThan(0.3);
  });

  it('never runs a procedure twice for a client that reboots', () => {
    total(40, (seed) => follow({ seed: 4000 + seed, clientReboots: true, serverReboots: seed % 3 === 0 }));
  });
});
