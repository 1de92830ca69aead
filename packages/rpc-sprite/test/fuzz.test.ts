import { ms, type RandomStream, type Task } from '@backplane/engine';
import { echoes, nothing, payload, work } from '@backplane/rpc-service/testing';
import type { Payload } from '@backplane/slots';
import { faulty, kindOf } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { type SpriteRpcHeader, spriteRpcHeader } from '../src/index.ts';
import { Hand } from './hand.ts';
import { type Host, World } from './world.ts';

/** Real packets of all sorts, from calls over a bad link. */
function samples(): Uint8Array[] {
  const world = new World({ seed: 7 });
  const a = world.host('a');
  const b = world.host('b');
  world.link.judge = faulty(world.engine.random('faults'), {
    loss: 0.3,
    copies: 0.2,
    late: 0.2,
    lateNs: ms(200),
  });
  b.setUp(echoes);
  world.drive(function* () {
    for (let i = 0; i < 30; i++) yield* kindOf(a.transport.call(b.id, work, payload(i * 30, i * 300)));
    yield* a.transport.ask(work, nothing, { windowNs: ms(50), enough: 1 });
  });
  return world.link.carried.map(({ frame }) => frame.payload());
}

function damaged(sample: Uint8Array, random: RandomStream): Uint8Array {
  const bytes = sample.slice(0, random.chance(0.3) ? random.below(sample.length + 1) : sample.length);
  const flips = random.below(6);
  // Mostly in the header: that is where it hurts.
  for (let i = 0; i < flips && bytes.length > 0; i++) {
    const at = random.below(random.chance(0.9) ? Math.min(64, bytes.length) : bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  return bytes;
}

describe('sprite rpc, bytes from anybody', () => {
  it('never throws, whatever arrives, and counts what is malformed', () => {
    const real = samples();
    expect(real.length).toBeGreaterThan(200);
    for (const carrier of ['ethernet', 'internet'] as const) {
      const world = new World({ seed: 11, rpc: { carrier, servers: 1, serversMax: 5, nacks: true } });
      world.link.records = false;
      const random = world.engine.random('fuzz');
      const hosts: Host[] = [world.host('a'), world.host('b')];
      const hand = new Hand(world, 9);
      const alive = hosts.map((host, i) => {
        host.setUp(echoes);
        const to = hosts[1 - i]?.id;
        return host.spawn(
          'calls',
          (function* (): Task<void> {
            for (;;)
              if (to !== undefined)
                yield* kindOf(host.transport.call(to, work, payload(random.below(100), random.below(5000))));
          })(),
        );
      });
      for (let i = 0; i < 5000; i++) {
        const bytes = random.chance(0.1)
          ? Uint8Array.from({ length: random.below(200) }, () => random.below(256))
          : damaged(random.pick(real), random);
        const to = random.pick(hosts);
        if (carrier === 'ethernet') hand.say(to, bytes);
        else to.nic.arrive(hand.datagram(to, bytes));
        if (i % 20 === 0) world.run(world.engine.nowNs + ms(30));
      }
      world.run(world.engine.nowNs + ms(30_000));
      expect(alive.every((thread) => !thread.ended)).toBe(true);
      for (const host of hosts) {
        expect(host.meters.read('rpc.malformed')).toBeGreaterThan(200);
        expect(host.meters.read('rpc.wrongVersion')).toBeGreaterThan(100);
      }
    }
  });

  it('counts as malformed what breaks one rule', () => {
    const world = new World();
    const server = world.host('server');
    const hand = new Hand(world, 2);
    const sound: SpriteRpcHeader = {
      version: 0x0f0e0003,
      flags: 0x110,
      clientId: 2 as never,
      serverId: 1 as never,
      channel: 7,
      serverHint: 0xfa892200,
      bootId: 1,
      id: 1,
      delay: 0,
      numFrags: 0,
      fragMask: 0,
      command: 2,
      paramSize: 4,
      dataSize: 4,
      paramOffset: 0,
      dataOffset: 0,
    };
    const malformed = (change: object, bytes = 8): number => {
      const before = server.meters.read('rpc.malformed');
      hand.say(
        server,
        Uint8Array.from([...spriteRpcHeader.encode({ ...sound, ...change }), ...new Uint8Array(bytes)]),
      );
      world.run(world.engine.nowNs + ms(1));
      return server.meters.read('rpc.malformed') - before;
    };
    expect(malformed({})).toBe(0);
    expect(malformed({ id: 2 }, 40)).toBe(0); // padding
    expect(malformed({ numFrags: 16, fragMask: 0x8000, dataOffset: 16380, paramOffset: 1020 })).toBe(0);
    for (const change of [
      { paramSize: 1025 },
      { paramOffset: 1021 },
      { dataOffset: 16381 },
      { paramSize: 5 },
      { dataSize: 0xffffffff },
      { clientId: 200 },
      { serverId: 200 },
      { clientId: 1 },
      { serverId: 3 },
      { channel: 8 },
      { fragMask: 0x10000 },
      { numFrags: 17, fragMask: 1 },
      { numFrags: 2, fragMask: 0 },
      { numFrags: 2, fragMask: 3 },
      { numFrags: 2, fragMask: 4 },
      { flags: 0x400, clientId: 1, serverId: 0 },
    ])
      expect(malformed(change), JSON.stringify(change)).toBe(1);
    expect(malformed({}, 7)).toBe(1);
  });

  it('refuses fragments that do not fit together, and serves the next call', () => {
    const world = new World();
    const server = world.host('server');
    let served = 0;
    server.setUp((t) =>
      t.serve(work, function* (): Task<Payload> {
        served++;
        return nothing;
      }),
    );
    const hand = new Hand(world, 2);
    const fragment = (id: number, mask: number, offset: number, numFrags = 2): Uint8Array => {
      const head = spriteRpcHeader.encode({
        version: 0x0f0e0003,
        flags: 0x110,
        clientId: 2 as never,
        serverId: 1 as never,
        channel: 0,
        serverHint: 0xfa892200,
        bootId: 1,
        id,
        delay: 0,
        numFrags,
        fragMask: mask,
        command: work.id,
        paramSize: 0,
        dataSize: 4,
        paramOffset: 0,
        dataOffset: offset,
      });
      return Uint8Array.from([...head, 1, 2, 3, 4]);
    };
    hand.say(server, fragment(1, 1, 0));
    hand.say(server, fragment(1, 2, 3)); // overlaps
    hand.say(server, fragment(2, 1, 0));
    hand.say(server, fragment(2, 2, 4, 3)); // of another number of fragments
    hand.say(server, fragment(2, 2, 4));
    world.run(ms(50));
    expect(served).toBe(1);
    expect(server.meters.read('rpc.malformed')).toBe(2);
  });

  it('tells once of each sender that speaks another version', () => {
    const world = new World();
    const told: number[] = [];
    world.engine.trace.listen(['rpc.wrongVersion'], (e) => {
      if (e.kind === 'rpc.wrongVersion') told.push(e.fields.sender);
    });
    const server = world.host('server');
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 6; i++) new Hand(world, 10 + i).say(server, new Uint8Array(64));
    }
    world.run(ms(50));
    expect(told.map((sender) => sender % 256)).toEqual([10, 11, 12, 13]);
    expect(server.meters.read('rpc.wrongVersion')).toBe(12);
  });
});
