/** Properties over many seeds: a failing one prints its seed. */
import { ms, seconds, sleep, type Thread } from '@backplane/engine';
import { Ledger, type Pace, total } from '@backplane/rpc-service/testing';
import { faulty } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { limits, type SpriteRpcOptions } from '../src/index.ts';
import { type Costs, type Host, noCosts, sun3, World } from './world.ts';

interface Course {
  readonly seed: number;
  readonly rpc?: SpriteRpcOptions;
  readonly costs?: Costs;
  /** Crashes and boots of the server, and of a client, in the middle of it. */
  readonly serverReboots?: boolean;
  readonly clientReboots?: boolean;
}

const pace: Pace = { dataBytesMax: limits.dataBytes, slowNs: seconds(4), usualNs: ms(150), pauseNs: ms(50) };

function follow(course: Course): Ledger {
  const { seed, rpc = {}, costs = noCosts, serverReboots = false, clientReboots = false } = course;
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
  const ledger = new Ledger(random, pace);
  server.setUp((transport) => ledger.serve(transport));
  const spawn = (client: Host): Thread => client.spawn('calls', ledger.calls(client.transport, server.id, 3));
  const threads = clients.flatMap((client) =>
    Array.from({ length: 1 + random.below(3) }, () => spawn(client)),
  );
  world.drive(function* () {
    for (let i = 0; serverReboots && i < 3; i++) {
      yield* sleep(random.below(ms(400)));
      server.crash();
      if (random.chance(0.5)) yield* sleep(random.below(seconds(2)));
      server.boot();
    }
    const [first] = clients;
    if (clientReboots && first !== undefined) {
      yield* sleep(random.below(ms(300)));
      first.reboot();
      threads.push(spawn(first));
    }
    for (const thread of threads) if (thread.scope.alive) yield* thread.join();
  });
  expect(ledger.repeated, `seed ${seed}: executed twice`).toEqual([]);
  expect(ledger.wrong, `seed ${seed}: wrong bytes`).toEqual([]);
  return ledger;
}

describe('sprite rpc, whatever the network does', () => {
  it('never runs a procedure twice and returns the right bytes over Ethernet', () => {
    const { asked, answered } = total(160, (seed) => follow({ seed }));
    expect(asked).toBeGreaterThan(1500);
    expect(answered / asked).toBeGreaterThan(0.99);
  });

  it('never runs a procedure twice and returns the right bytes over internet datagrams', () => {
    const { asked, answered } = total(50, (seed) =>
      follow({ seed: 1000 + seed, rpc: { carrier: 'internet' } }),
    );
    expect(answered / asked).toBeGreaterThan(0.99);
  });

  it('never runs a procedure twice on machines whose processors take their time', () => {
    total(40, (seed) => follow({ seed: 5000 + seed, costs: sun3, serverReboots: seed % 4 === 0 }));
  });

  it('never runs a procedure twice when few server processes have to be shared', () => {
    total(40, (seed) =>
      follow({ seed: 2000 + seed, rpc: { servers: 1, serversMax: 2, nacks: seed % 2 === 0 } }),
    );
  });

  it('never runs a procedure twice, not even in two lives of the server', () => {
    const { asked, answered } = total(150, (seed) => follow({ seed: 3000 + seed, serverReboots: true }));
    expect(answered / asked).toBeGreaterThan(0.3);
  });

  it('never runs a procedure twice for a client that reboots', () => {
    total(60, (seed) => follow({ seed: 4000 + seed, clientReboots: true, serverReboots: seed % 3 === 0 }));
  });
});
