import { ms, seconds, sleep, type Task, type Thread, WaitQueue } from '@backplane/engine';
import { gatedWork, nothing, payload, work } from '@backplane/rpc-service/testing';
import type { Payload } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SunRpcOptions } from '../src/index.ts';
import { calls, Hand, message, none, opaque, short } from './hand.ts';
import { type Host, World } from './world.ts';

let world: World;
let server: Host;
let executed: string[];
let gate: WaitQueue;

/** A server whose handler notes each call and, for requests with data, waits until the gate is opened. */
function boot(options: SunRpcOptions = {}): void {
  world = new World();
  executed = [];
  gate = new WaitQueue();
  server = world.host('server', options);
  server.setUp((transport) => gatedWork(transport, executed, gate));
}

const request = (o: {
  xid: number;
  key: number;
  bootId?: number;
  wait?: boolean;
  from?: number;
}): Uint8Array => {
  const bootId = o.bootId ?? 100;
  const xid = (bootId * 0x4000 + server.id * 0x40_0000 + o.xid) >>> 0;
  const credential = short(server.bootId, 0, o.from ?? 9, bootId);
  return message(
    xid,
    0,
    2,
    calls,
    1,
    work.id,
    credential,
    none,
    opaque(o.key),
    o.wait ? opaque(1) : opaque(),
  );
};

describe('sun rpc, the duplicate request cache', () => {
  beforeEach(() => boot());

  it('answers a request that comes again with the same bytes, without executing it', () => {
    const hand = new Hand(world, 9);
    const asked = request({ xid: 1, key: 5 });
    const answer = hand.ask(server, asked);
    expect(answer).toHaveLength(15);
    expect(hand.ask(server, asked)).toEqual(answer);
    expect([executed, server.metric('duplicates'), server.metric('replays')]).toEqual([['9.5'], 1, 1]);
  });

  it('drops a request that comes again while its handler runs', () => {
    const hand = new Hand(world, 9);
    const asked = request({ xid: 1, key: 5, wait: true });
    for (let i = 0; i < 3; i++) expect(hand.ask(server, asked)).toBeUndefined();
    gate.wakeAll();
    world.after(ms(5));
    expect([executed, hand.heard.length, server.metric('replays')]).toEqual([['9.5'], 1, 0]);
  });

  it('tells clients apart that use the same xid', () => {
    const [nine, eight] = [new Hand(world, 9), new Hand(world, 8)];
    nine.ask(server, request({ xid: 1, key: 5 }));
    eight.ask(server, request({ xid: 1, key: 6, from: 8 }));
    expect(executed).toEqual(['9.5', '8.6']);
  });

  it('keeps replies by number; of a call whose reply is gone it says so, and does not execute it again', () => {
    boot({ cachedReplies: 3 });
    const hand = new Hand(world, 9);
    for (let xid = 1; xid <= 5; xid++) hand.ask(server, request({ xid, key: xid }));
    expect(server.metric('cachedReplies')).toBe(3);
    expect(hand.ask(server, request({ xid: 2, key: 2 }))?.at(-1)).toBe(5); // a system error
    expect(hand.ask(server, request({ xid: 3, key: 3 }))).toHaveLength(15);
    expect([executed.length, server.metric('forgotten')]).toEqual([5, 1]);
  });

  it('keeps replies by age', () => {
    boot({ cacheSeconds: 10 });
    const hand = new Hand(world, 9);
    hand.ask(server, request({ xid: 1, key: 1 }));
    world.after(seconds(11));
    hand.ask(server, request({ xid: 2, key: 2 }));
    expect(server.metric('cachedReplies')).toBe(1);
    expect(hand.ask(server, request({ xid: 1, key: 1 }))?.at(-1)).toBe(5);
    expect(executed).toEqual(['9.1', '9.2']);
  });

  it('executes a call that was overtaken by many, and none of them twice', () => {
    boot({ cachedReplies: 1 });
    const hand = new Hand(world, 9);
    for (let xid = 2; xid <= 600; xid++) hand.say(server, request({ xid, key: 2 }));
    hand.ask(server, request({ xid: 1, key: 1 }));
    expect(executed.at(-1)).toBe('9.1');
    for (let xid = 1; xid <= 600; xid += 7) hand.say(server, request({ xid, key: 3 }));
    world.after(ms(50));
    expect(executed).toHaveLength(600);
  });

  it('counts a xid as malformed that no client of ours could have come to', () => {
    const hand = new Hand(world, 9);
    expect(hand.ask(server, request({ xid: 0x10002, key: 1 }))).toBeUndefined();
    expect([executed, server.metric('malformed')]).toEqual([[], 1]);
  });

  it('drops what an earlier life of a client has sent, and begins anew with a later one', () => {
    const hand = new Hand(world, 9);
    for (const [bootId, key] of [
      [100, 1],
      [101, 2],
      [100, 3],
    ] as const)
      hand.ask(server, request({ xid: key, key, bootId }));
    expect([executed, server.metric('stale')]).toEqual([['9.1', '9.2'], 1]);
  });

  it('answers nobody for a client that has another life by then', () => {
    const hand = new Hand(world, 9);
    hand.ask(server, request({ xid: 1, key: 1, wait: true }));
    hand.ask(server, request({ xid: 1, key: 2, bootId: 101 }));
    hand.heard.length = 0;
    gate.wakeAll();
    world.after(ms(5));
    expect([executed, hand.heard.length]).toEqual([['9.1', '9.2'], 0]);
  });

  it('drops a request of a life that ended while it waited for the handlers of the one before', () => {
    server.transport.peers.onDead(function* (): Task<void> {
      yield* sleep(seconds(1));
    });
    const hand = new Hand(world, 9);
    for (const bootId of [100, 101, 102]) hand.ask(server, request({ xid: 1, key: bootId, bootId }));
    world.after(seconds(3));
    expect(executed).toEqual(['9.100', '9.102']);
  });
});

describe('sun rpc, daemons', () => {
  beforeEach(() => boot());

  it('are made as they are wanted', () => {
    const client = world.host('client');
    for (let i = 0; i < 20; i++) client.spawn('call', client.transport.call(server.id, work, payload(1, 1)));
    world.after(ms(50));
    expect([executed.length, server.metric('servers')]).toEqual([20, 20]);
    gate.wakeAll();
    world.after(ms(50));
    client.spawn('call', client.transport.call(server.id, work, payload(1, 0)));
    world.after(ms(50));
    expect(server.metric('servers')).toBe(20);
  });

  it('are no more than they may be; a request that finds none is dropped and served later', () => {
    boot({ daemons: 1, daemonsMax: 3 });
    const client = world.host('client');
    const callers: Thread<string>[] = [];
    for (let i = 0; i < 5; i++)
      callers.push(client.spawn('call', kindOf(client.transport.call(server.id, work, payload(1, 1)))));
    world.after(seconds(100));
    expect([executed.length, server.metric('servers')]).toEqual([3, 3]);
    expect(server.metric('noServer')).toBeGreaterThan(2);
    expect(client.transport.peers.isAlive(server.id)).toBe(true);
    world.drive(function* () {
      for (let i = 0; i < 60; i++) {
        gate.wakeAll();
        yield* sleep(seconds(1));
      }
      for (const caller of callers) expect(yield* caller.join()).toBe('ok');
    });
    expect(executed).toHaveLength(5);
  });

  it('stop the run when a handler throws anything but a KernelError', () => {
    const client = world.host('client');
    server.setUp((t) =>
      t.serve({ ...work, id: 122 }, function* (): Task<Payload> {
        throw new Error('an invariant');
      }),
    );
    client.spawn('call', client.transport.call(server.id, { ...work, id: 122 }, nothing));
    expect(() => world.run()).toThrow(/rpc daemon .*an invariant/);
  });
});

describe('sun rpc, at rest', () => {
  it('causes no events', () => {
    boot();
    const client = world.host('client');
    world.drive(() => client.transport.call(server.id, work, payload(1, 0)));
    world.after(seconds(20));
    const { events } = world.engine;
    world.after(seconds(100_000));
    expect(world.engine.events).toBe(events);
  });
});
