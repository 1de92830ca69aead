/** Properties over many seeds: a failing one prints its seed. */
import { ms, type RandomStream, seconds, sleep, type Task, type Thread } from '@backplane/engine';
import { Ledger, type Pace, total } from '@backplane/rpc-service/testing';
import {
  codeOf,
  type EntityId,
  type Message,
  MessageFlag,
  message,
  ReplyCode,
  wordOf,
} from '@backplane/slots';
import { faulty, type Judge, pattern, sameBytes } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { kernelLimits, type VmtpOptions } from '../src/index.ts';
import { asks, Desk } from './desk.ts';
import { type Host, sun3, World, type WorldOptions } from './world.ts';

interface Course extends WorldOptions {
  readonly seed: number;
  /** Crashes and boots of the server, and of a client, in the middle of it. */
  readonly serverReboots?: boolean;
  readonly clientReboots?: boolean;
}

const pace: Pace = {
  dataBytesMax: kernelLimits.dataBytes,
  slowNs: seconds(4),
  usualNs: ms(150),
  pauseNs: ms(50),
};

const drawn = (random: RandomStream, faults: RandomStream): Judge =>
  faulty(faults, {
    loss: random.unit() * 0.12,
    copies: random.unit() * 0.2,
    late: random.unit() * 0.3,
    lateNs: random.chance(0.2) ? seconds(3) : ms(200),
  });

/** Calls between kernels. */
function follow({ serverReboots = false, clientReboots = false, ...options }: Course): Ledger {
  const { seed } = options;
  const world = new World(options);
  world.link.records = false;
  const random = world.engine.random('course');
  const server = world.host('server');
  const clients = [world.host('a'), world.host('b'), world.host('c')];
  world.link.judge = drawn(random, world.engine.random('faults'));
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

const internet: VmtpOptions = { carrier: 'internet' };

describe('calls between kernels, whatever the network does', () => {
  it('run a procedure at most once and return the right bytes, over Ethernet', () => {
    const { asked, answered } = total(100, (seed) => follow({ seed }));
    expect(asked).toBeGreaterThan(1000);
    expect(answered / asked).toBeGreaterThan(0.98);
  });

  it('do so over internet datagrams', () => {
    const { asked, answered } = total(30, (seed) => follow({ seed: 1000 + seed, rpc: internet }));
    expect(answered / asked).toBeGreaterThan(0.98);
  });

  it('do so on machines whose processors take their time', () => {
    total(20, (seed) => follow({ seed: 5000 + seed, costs: sun3, serverReboots: seed % 4 === 0 }));
  });

  it('do so with few threads that execute calls, and few calls under way', () => {
    total(25, (seed) => follow({ seed: 2000 + seed, rpc: { workers: 2, clients: 2 } }));
  });

  it('do so in all lives of the server', () => {
    const { asked, answered } = total(80, (seed) => follow({ seed: 3000 + seed, serverReboots: true }));
    expect(answered / asked).toBeGreaterThan(0.3);
  });

  it('do so for a client that reboots', () => {
    total(40, (seed) => follow({ seed: 4000 + seed, clientReboots: true, serverReboots: seed % 3 === 0 }));
  });
});

/** Servers that note each request by its number, move about, pass on to each other, and freeze for a while. */
function wander(seed: number): { asked: number; answered: number } {
  const world = new World({ seed });
  world.link.records = false;
  const random = world.engine.random('course');
  const hosts = Array.from({ length: 4 }, (_, i) => world.host(`h${i}`));
  world.link.judge = faulty(world.engine.random('faults'), {
    loss: 0.05,
    copies: 0.05,
    late: 0.05,
    lateNs: ms(100),
  });
  const executed = new Map<number, number>();
  const servers: { entity: EntityId; desk: Desk }[] = [];
  const answer = (number: number): Message => {
    const bytes = (number * 7919) % 6000;
    const flags = number % 5 === 0 ? MessageFlag.datagram : 0;
    return message({ code: 0, flags, words: [number], segment: pattern(bytes, number) });
  };
  const serve = (host: Host, entity: EntityId): Desk =>
    new Desk(
      host,
      function* (request): Task<void> {
        const number = wordOf(request.message, 1);
        const [other] = servers.filter((s) => s.entity !== entity);
        if (number % 3 === 0 && other !== undefined && wordOf(request.message, 2) === 0) {
          const passed = message({ code: 1, words: [number, 1], segment: request.message.segment });
          if (yield* request.forward(other.entity, passed)) return;
        }
        executed.set(number, (executed.get(number) ?? 0) + 1);
        if (number % 4 === 0) yield* sleep(random.below(ms(400)));
        yield* request.respond(answer(number));
      },
      entity,
    );
  for (let i = 0; i < 2; i++) {
    const host = random.pick(hosts);
    const entity = host.entities.mint();
    servers.push({ entity, desk: serve(host, entity) });
  }
  const result = { asked: 0, answered: 0 };
  const wrong: number[] = [];
  function* calls(host: Host): Task<void> {
    const from = asks(host);
    for (let i = 0; i < 8; i++) {
      const number = ++result.asked;
      const m = message({ code: 1, words: [number], segment: pattern(random.below(4000), number) });
      const { message: reply } = yield* host.entities.send(from, random.pick(servers).entity, m);
      if (codeOf(reply) !== ReplyCode.ok) continue;
      result.answered++;
      if (wordOf(reply, 1) !== number || !sameBytes(reply.segment, answer(number).segment))
        wrong.push(number);
    }
  }
  function* moves(): Task<void> {
    for (let i = 0; i < 4; i++) {
      yield* sleep(random.below(seconds(1)));
      const server = random.pick(servers);
      const old = server.desk;
      old.verdict = 'frozen';
      yield* sleep(seconds(1)); // what it has received is done by then
      const to = random.pick(hosts.filter((h) => h !== old.host));
      server.desk = serve(to, server.entity);
      old.leave();
    }
  }
  world.drive(function* () {
    const threads: Thread[] = hosts.flatMap((host) => [
      host.spawn('asks', calls(host)),
      host.spawn('asks', calls(host)),
    ]);
    yield* moves();
    for (const thread of threads) yield* thread.join();
  });
  const repeated = [...executed].filter(([number, times]) => times > 1 && number % 5 !== 0);
  expect(repeated, `seed ${seed}: executed twice`).toEqual([]);
  expect(wrong, `seed ${seed}: wrong bytes`).toEqual([]);
  return result;
}

describe('entities that move, freeze and pass on, over a link with 5 % of each fault', () => {
  it('execute each request at most once, answer nearly all, and nothing hangs', () => {
    const { asked, answered } = total(60, wander);
    expect(asked).toBe(60 * 64);
    expect(answered / asked).toBeGreaterThan(0.97);
  });
});
