import { ms, seconds, sleep, type Task, WaitQueue } from '@backplane/engine';
import { gatedWork, nothing, payload, work } from '@backplane/rpc-service/testing';
import { Frame, inParameters, KernelError, type Payload, type Procedure } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { layout, u32 } from '@backplane/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import { flags, type SpriteRpcOptions, spriteRpcHeader, types } from '../src/index.ts';
import { Hand } from './hand.ts';
import { type Host, World } from './world.ts';

let world: World;
let server: Host;
let executed: string[];
let gate: WaitQueue;

/** A server whose handler notes each call and, for requests with data, waits until the gate is opened. */
function boot(options: SpriteRpcOptions = {}): void {
  world = new World();
  executed = [];
  gate = new WaitQueue();
  server = world.host('server', options);
  server.setUp((transport) => gatedWork(transport, executed, gate));
}

const life = 0xfa8922; // of a host that booted at time 0
/** A request from a hand-made client. */
const request = (o: {
  channel?: number;
  id: number;
  bootId?: number;
  key?: number;
  wait?: boolean;
  flags?: number;
  client?: number;
}): Uint8Array => {
  const head = spriteRpcHeader.encode({
    version: 0x0f0e0003,
    flags: types.request | flags.toServer | (o.flags ?? 0),
    clientId: (o.client ?? 2) as never,
    serverId: 1 as never,
    channel: o.channel ?? 0,
    serverHint: life * 256,
    bootId: o.bootId ?? 100,
    id: o.id,
    delay: 0,
    numFrags: 0,
    fragMask: 0,
    command: work.id,
    paramSize: 1,
    dataSize: o.wait ? 1 : 0,
    paramOffset: 0,
    dataOffset: 0,
  });
  return Uint8Array.from([...head, o.key ?? o.id, ...(o.wait ? [0] : [])]);
};
const flagsHeard = (hand: Hand): number[] => hand.heard.map((f) => spriteRpcHeader.decode(f.payload()).flags);
const soon = (): void => world.run(world.engine.nowNs + ms(5));

describe('sprite rpc, server processes', () => {
  beforeEach(() => boot());

  it('makes processes as they are wanted, and frees them when their clients have gone quiet', () => {
    const clients = [world.host('a'), world.host('b'), world.host('c')];
    for (const client of clients) {
      for (let i = 0; i < 8; i++) client.spawn('call', client.transport.call(server.id, work, payload(1, 1)));
    }
    world.run(ms(50));
    expect(server.meters.read('rpc.servers')).toBe(24);
    gate.wakeAll();
    world.run();
    // Every client answered the probes, so that none had to be taken away.
    expect(server.meters.read('rpc.reclaimed')).toBe(0);
    expect(world.engine.nowNs).toBeLessThan(seconds(8));
  });

  it('makes no more than it may; who finds none free is served later', () => {
    boot({ serversMax: 3 });
    const client = world.host('client');
    const callers = Array.from({ length: 5 }, () =>
      client.spawn('call', kindOf(client.transport.call(server.id, work, payload(1, 1)))),
    );
    world.run(ms(250));
    expect(server.meters.read('rpc.servers')).toBe(3);
    expect(executed).toHaveLength(3);
    expect(server.meters.read('rpc.noServer')).toBeGreaterThan(0);
    world.drive(function* () {
      for (let i = 0; i < 40; i++) {
        gate.wakeAll();
        yield* sleep(ms(200));
      }
      for (const caller of callers) expect(yield* caller.join()).toBe('ok');
    });
    expect(executed).toHaveLength(5);
  });

  it('takes a process away at age 10 from a client that does not answer', () => {
    const hand = new Hand(world, 2);
    hand.say(server, request({ id: 1 }));
    hand.listen(seconds(60));
    expect(server.meters.read('rpc.reclaimed')).toBe(1);
    const probes = flagsHeard(hand).filter((f) => f === (types.ack | flags.close));
    expect(probes).toHaveLength(8);
    expect(world.engine.nowNs).toBe(seconds(60));
  });

  it('takes fragments away of a request that is never completed', () => {
    const hand = new Hand(world, 2);
    const whole = request({ id: 1 });
    spriteRpcHeader.set.numFrags(whole, 0, 2);
    spriteRpcHeader.set.fragMask(whole, 0, 1);
    hand.say(server, whole);
    hand.listen(seconds(60));
    expect(server.meters.read('rpc.reclaimed')).toBe(1);
  });

  it('serves a new call of a channel whose last call is still running by another process', () => {
    const hand = new Hand(world, 2);
    hand.say(server, request({ id: 1, wait: true }));
    soon();
    hand.say(server, request({ id: 2 })); // the client has given up; this one is dropped
    soon();
    expect(executed).toEqual(['2.1']);
    hand.say(server, request({ id: 2, flags: flags.pleaseAck }));
    soon();
    expect(executed).toEqual(['2.1', '2.2']);
    expect(flagsHeard(hand)).toEqual([types.ack, types.reply]);
    // The reply to the first call interests nobody any more.
    hand.heard.length = 0;
    gate.wakeAll();
    soon();
    expect(flagsHeard(hand)).toEqual([]);
  });

  it('sends no reply again that still waits for the wire, but an acknowledgement after it', () => {
    const hand = new Hand(world, 2);
    hand.say(server, request({ id: 1 }));
    world.run(world.engine.nowNs + 72_000); // it has arrived, and the reply is under way
    for (let i = 0; i < 3; i++) server.nic.send(new Frame(0, 0, 0x9000, [new Uint8Array(1500)]));
    hand.say(server, request({ id: 2 }));
    hand.say(server, request({ id: 2, flags: flags.pleaseAck }));
    hand.listen(ms(10));
    expect(flagsHeard(hand)).toEqual([types.reply, types.reply, types.ack]);
    hand.say(server, request({ id: 2, flags: flags.pleaseAck }));
    hand.listen(ms(10));
    expect(flagsHeard(hand)).toEqual([types.reply]);
  });

  it('acknowledges the call of a client that was called dead, and answers it', () => {
    const client = world.host('client');
    client.setUp((t) =>
      t.serve({ ...work, id: 122 }, function* (): Task<Payload> {
        return nothing;
      }),
    );
    const caller = client.spawn('call', kindOf(client.transport.call(server.id, work, payload(1, 1))));
    world.run(ms(20));
    world.link.cut('client', 'server');
    world.drive(() => kindOf(server.transport.call(client.id, { ...work, id: 122 }, nothing)));
    expect(server.transport.peers.isAlive(client.id)).toBe(false);
    world.link.mend();
    world.run(world.engine.nowNs + seconds(6));
    gate.wakeAll();
    world.run(world.engine.nowNs + seconds(6));
    expect(executed).toHaveLength(1);
    expect(world.drive(() => caller.join())).toBeTypeOf('string');
  });
});

describe('sprite rpc, late packets', () => {
  beforeEach(() => boot());

  it('does not execute a duplicate that comes after the channel has gone on', () => {
    const hand = new Hand(world, 2);
    for (const id of [1, 2, 1]) {
      hand.say(server, request({ id }));
      soon();
    }
    expect(executed).toEqual(['2.1', '2.2']);
  });

  it('does not execute a duplicate that comes after the process was given away', () => {
    boot({ servers: 1, serversMax: 1 });
    const hand = new Hand(world, 2);
    hand.say(server, request({ id: 1 }));
    hand.listen(seconds(60));
    hand.say(server, request({ id: 9, channel: 1 }));
    soon();
    hand.say(server, request({ id: 1 }));
    hand.listen(seconds(60));
    hand.say(server, request({ id: 1 }));
    soon();
    expect(executed).toEqual(['2.1', '2.9']);
  });

  it('takes identifiers for serial numbers that wrap', () => {
    const hand = new Hand(world, 2);
    for (const id of [0xffffffff, 0, 1, 0xffffffff]) {
      hand.say(server, request({ id, key: id & 0xff }));
      soon();
    }
    expect(executed).toEqual(['2.255', '2.0', '2.1']);
  });

  it('drops what an earlier life of a client has sent, and begins anew with a later one', () => {
    const hand = new Hand(world, 2);
    for (const [bootId, id] of [
      [100, 7],
      [101, 1],
      [100, 8],
      [101, 2],
    ] as const) {
      hand.say(server, request({ bootId, id }));
      soon();
    }
    expect(executed).toEqual(['2.7', '2.1', '2.2']);
    expect(server.meters.read('rpc.stale')).toBe(1);
  });

  it('drops a request of a life that ended while it waited for the handlers of the one before', () => {
    server.transport.peers.onDead(function* (): Task<void> {
      yield* sleep(seconds(1));
    });
    const hand = new Hand(world, 2);
    for (const [bootId, id] of [
      [100, 1],
      [101, 2], // has to wait for the handlers of life 100
      [102, 3], // has to wait for those of life 101, too
    ] as const) {
      hand.say(server, request({ bootId, id }));
      soon();
    }
    world.run(world.engine.nowNs + seconds(3));
    expect(executed).toEqual(['2.1', '2.3']);
  });

  it('drops a late fragment of a call that the client has given up', () => {
    const hand = new Hand(world, 2);
    const fragment = (id: number, mask: number): Uint8Array => {
      const bytes = request({ id });
      spriteRpcHeader.set.numFrags(bytes, 0, 2);
      spriteRpcHeader.set.fragMask(bytes, 0, mask);
      if (mask === 2) spriteRpcHeader.set.paramOffset(bytes, 0, 1);
      return bytes;
    };
    for (const [id, mask] of [
      [1, 1],
      [2, 1],
      [1, 2],
      [2, 2],
    ] as const)
      hand.say(server, fragment(id, mask));
    soon();
    expect(executed).toEqual(['2.2']);
  });
});

describe('sprite rpc, what a handler does', () => {
  beforeEach(() => boot());

  it('makes any other error than a KernelError stop the run', () => {
    const client = world.host('client');
    server.setUp((t) =>
      t.serve({ ...work, id: 122 }, function* (): Task<Payload> {
        throw new Error('an invariant');
      }),
    );
    client.spawn('call', client.transport.call(server.id, { ...work, id: 122 }, nothing));
    expect(() => world.run()).toThrow(/rpc server 0 .*an invariant/);
  });

  it('crosses with the kind of its error', () => {
    const client = world.host('client');
    server.setUp((t) =>
      t.serve({ ...work, id: 122 }, function* (): Task<Payload> {
        throw new KernelError('tooManyLinks');
      }),
    );
    const call = (id: number): Task<unknown> => client.transport.call(server.id, { ...work, id }, nothing);
    expect(world.drive(() => kindOf(call(122)))).toBe('tooManyLinks');
    expect(world.drive(() => kindOf(call(123)))).toBe('unsupported');
  });

  it('is not run for bytes that are not a value', () => {
    const words = inParameters(layout('two words', { a: u32(), b: u32() }));
    const precise: Procedure<{ a: number; b: number }, { a: number; b: number }> = {
      id: 122,
      name: 'precise',
      request: words,
      reply: words,
    };
    let runs = 0;
    server.setUp((t) =>
      t.serve(precise, function* (asked): Task<{ a: number; b: number }> {
        runs++;
        return asked;
      }),
    );
    const client = world.host('client');
    expect(world.drive(() => client.transport.call(server.id, precise, { a: 1, b: 2 }))).toEqual({
      a: 1,
      b: 2,
    });
    expect(
      world.drive(() => kindOf(client.transport.call(server.id, { ...work, id: 122 }, payload(3, 0)))),
    ).toBe('badArgument');
    expect(runs).toBe(1);
  });

  it('may call back its caller, and others', () => {
    const client = world.host('client');
    const third = world.host('third');
    for (const host of [client, third]) {
      host.setUp((t) =>
        t.serve({ ...work, id: 123 }, function* (): Task<Payload> {
          return payload(1, 1);
        }),
      );
    }
    server.setUp((t) =>
      t.serve({ ...work, id: 122 }, function* (_asked, from): Task<Payload> {
        yield* t.call(third.id, { ...work, id: 123 }, nothing);
        return yield* t.call(from.host, { ...work, id: 123 }, nothing);
      }),
    );
    const reply = world.drive(() => client.transport.call(server.id, { ...work, id: 122 }, nothing));
    expect(reply.data).toHaveLength(1);
  });
});

describe('sprite rpc, at rest', () => {
  it('causes no events', () => {
    boot();
    const client = world.host('client');
    world.drive(() => client.transport.call(server.id, work, payload(1, 0)));
    world.run(seconds(20));
    const { events } = world.engine;
    world.run(seconds(100_000));
    expect(world.engine.events - events).toBe(0);
  });
});
