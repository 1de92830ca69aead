import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { nothing, payload, work } from '@backplane/rpc-service/testing';
import { Frame, type Payload } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { flags, procedures, type SpriteRpcHeader, spriteRpcHeader, types } from '../src/index.ts';
import { Hand, words } from './hand.ts';
import { type Host, noCosts, World, type WorldOptions } from './world.ts';

const header = (frame: Frame): SpriteRpcHeader => spriteRpcHeader.decode(frame.payload());

let world: World;
let client: Host;
let server: Host;

function twoHosts(options: WorldOptions = {}): void {
  world = new World(options);
  client = world.host('client');
  server = world.host('server');
  server.setUp((t) => t.serve(work, echo));
}

function* echo(asked: Payload): Task<Payload> {
  return asked;
}

/** Both know each other's life, and the link has forgotten how. */
function introduce(a: Host = client, b: Host = server): void {
  world.drive(() => a.transport.call(b.id, work, nothing));
  world.link.carried.length = 0;
}

/** The headers that have crossed the link since the introduction. */
const carried = (): SpriteRpcHeader[] => world.link.carried.map(({ frame }) => header(frame));
const call = (size: Payload = nothing): Task<Payload> => client.transport.call(server.id, work, size);

/** How long a task takes, and with which kind of error it ends. */
function* timed(task: Task<unknown>): Task<{ readonly kind: string; readonly tookNs: number }> {
  const startNs = world.engine.nowNs;
  const kind = yield* kindOf(task);
  return { kind, tookNs: world.engine.nowNs - startNs };
}

describe('sprite rpc, client channel', () => {
  beforeEach(() => twoHosts());

  it('sends one packet for a call that fits, and takes the reply as its acknowledgement', () => {
    introduce();
    const reply = world.drive(() => call(payload(100, 1000)));
    expect(words(reply.data)).toBe(words(payload(100, 1000).data));
    expect(carried().map((h) => h.flags)).toEqual([types.request | flags.toServer, types.reply]);
  });

  it('acknowledges a reply by the next request on the same channel', () => {
    introduce();
    world.drive(function* () {
      for (let i = 0; i < 5; i++) yield* call();
    });
    expect(carried()).toHaveLength(10);
    expect(new Set(carried().map((h) => h.channel)).size).toBe(1);
    expect(new Set(carried().map((h) => h.id)).size).toBe(5);
  });

  it('resends at once only the fragments that the server lacks', () => {
    introduce();
    let lose = 1;
    world.link.judge = (frame) => (header(frame).fragMask === 0b100 && lose-- > 0 ? 'drop' : 'pass');
    const { kind, tookNs } = world.drive(() => timed(call(payload(0, 8000))));
    expect(kind).toBe('ok');
    const sent = carried().filter((h) => (h.flags & flags.toServer) !== 0);
    expect(sent.map((h) => h.fragMask)).toEqual([1, 2, 4, 8, 16, 32, 4]);
    expect(tookNs).toBeLessThan(ms(30)); // no time-out was needed
  });

  it('has the server resend only the fragments that it lacks itself', () => {
    introduce();
    let lose = 2;
    const isLost = (h: SpriteRpcHeader): boolean => h.fragMask === 2 || h.fragMask === 16;
    world.link.judge = (frame) =>
      (header(frame).flags & types.reply) !== 0 && isLost(header(frame)) && lose-- > 0 ? 'drop' : 'pass';
    const before = server.meters.read('rpc.served');
    const reply = world.drive(() => call(payload(0, 8000)));
    expect(reply.data).toHaveLength(8000);
    const replies = carried().filter((h) => (h.flags & types.reply) !== 0);
    expect(replies.map((h) => h.fragMask)).toEqual([1, 2, 4, 8, 16, 32, 2, 16]);
    expect(server.meters.read('rpc.served') - before).toBe(1);
  });

  it('waits without limit while the server acknowledges, and calls it hung once', () => {
    server.setUp((t) => t.serve({ ...work, id: 122, name: 'slow' }, slow));
    introduce();
    const before = server.meters.read('rpc.served');
    const kind = world.drive(() => timed(client.transport.call(server.id, { ...work, id: 122 }, nothing)));
    expect(kind).toEqual({ kind: 'ok', tookNs: expect.closeTo(seconds(70), -9) });
    expect(client.meters.read('rpc.timeouts')).toBe(0);
    expect(client.meters.read('rpc.hung')).toBe(1);
    expect(server.meters.read('rpc.served') - before).toBe(1);
    function* slow(): Task<Payload> {
      yield* sleep(seconds(70));
      return nothing;
    }
  });

  it('gives up after eight silent tries and reports the peer as down', () => {
    introduce();
    world.link.cut('client', 'server');
    expect(world.drive(() => timed(call()))).toEqual({ kind: 'peerDown', tookNs: seconds(5.5) });
    const tries = world.link.carried.filter(({ from }) => from === 'client');
    expect(tries.map(({ frame }) => header(frame).flags & flags.pleaseAck)).toEqual([0, 1, 1, 1, 1, 1, 1, 1]);
    const startNs = tries[0]?.atNs ?? 0;
    const atMs = tries.map(({ atNs }) => Math.round((atNs - startNs) / 1e6));
    expect(atMs).toEqual([0, 100, 300, 700, 1500, 2500, 3500, 4500]);
  });

  it('waits longer for a large request before it gives up', () => {
    introduce();
    world.link.cut('client', 'server');
    const { kind, tookNs } = world.drive(() => timed(call(payload(0, 1200))));
    expect([kind, tookNs]).toEqual(['peerDown', seconds(7.5)]);
  });

  it('waits longer still behind gateways', () => {
    twoHosts({ rpc: { carrier: 'internet' } });
    introduce();
    world.link.cut('client', 'server');
    const small = world.drive(() => timed(call()));
    expect(small.kind).toBe('peerDown');
    expect(small.tookNs).toBeCloseTo(seconds(23.5), -8);
    world.link.mend();
    introduce();
    world.link.cut('client', 'server');
    expect(world.drive(() => timed(call(payload(0, 9000)))).tookNs).toBeCloseTo(seconds(27), -8);
  });

  it('never gives up where that is the policy', () => {
    twoHosts({ rpc: { noTimeouts: true } });
    introduce();
    world.link.cut('client', 'server');
    const caller = client.spawn('caller', kindOf(call()));
    world.run(seconds(100));
    expect(caller.ended).toBe(false);
    world.link.mend();
    expect(world.drive(() => caller.join())).toBe('ok');
  });

  it('does not count a time-out while its own packets wait for the wire', () => {
    introduce();
    // 500 largest frames take 600 ms; the request has to wait for them.
    for (let i = 0; i < 500; i++) client.nic.send(new Frame(0, 0, 0x9000, [new Uint8Array(1500)]));
    expect(world.drive(() => kindOf(call()))).toBe('ok');
    expect(client.meters.read('rpc.retransmissions')).toBe(0);
  });

  it('takes a channel used with the server, else an unused one, else the one used longest ago', () => {
    const others = Array.from({ length: 9 }, (_, i) => world.host(`s${i}`));
    for (const host of others) host.setUp((t) => t.serve(work, echo));
    const channelsOf = (hosts: readonly Host[]): number[] =>
      hosts.map((host) => {
        introduce(client, host);
        world.drive(() => client.transport.call(host.id, work, nothing));
        return carried()[0]?.channel ?? -1;
      });
    expect(channelsOf(others.slice(0, 8))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(channelsOf(others.slice(3, 5))).toEqual([3, 4]);
    expect(channelsOf(others.slice(8))).toEqual([0]); // of the host called longest ago
  });

  it('carries eight calls at once and lets the ninth wait', () => {
    introduce();
    let running = 0;
    let most = 0;
    server.setUp((t) =>
      t.serve({ ...work, id: 122 }, function* (): Task<Payload> {
        most = Math.max(most, ++running);
        yield* sleep(ms(20));
        running--;
        return nothing;
      }),
    );
    world.drive(function* () {
      const callers = Array.from({ length: 20 }, () =>
        client.spawn('caller', client.transport.call(server.id, { ...work, id: 122 }, nothing)),
      );
      for (const caller of callers) yield* caller.join();
    });
    expect(most).toBe(8);
  });

  it('drops what comes for a call that was cancelled', () => {
    let served = 0;
    server.setUp((t) =>
      t.serve({ ...work, id: 122 }, function* (): Task<Payload> {
        served++;
        yield* sleep(ms(40));
        return payload(1, 1);
      }),
    );
    introduce();
    const caller = client.spawn('caller', client.transport.call(server.id, { ...work, id: 122 }, nothing));
    world.run(world.engine.nowNs + ms(10));
    caller.cancel();
    const reply = world.drive(() => call(payload(2, 2)));
    expect([reply.parameters.length, reply.data.length, served]).toEqual([2, 2, 1]);
    world.run(world.engine.nowNs + ms(100));
    expect(client.meters.read('rpc.duplicates')).toBe(1);
  });

  it('keeps fragments as far apart as a slower receiver wants them', () => {
    twoHosts();
    const slowly = world.host('slow', {}, { ...noCosts, transmitTurnaroundNs: 4_000_000 });
    slowly.setUp((t) => t.serve(work, echo));
    introduce(client, slowly);
    world.drive(() => client.transport.call(slowly.id, work, payload(0, 4000)));
    const times = world.link.carried.filter(({ from }) => from === 'client').map(({ atNs }) => atNs);
    const [first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(ms(4));
    expect(third - first).toBeGreaterThan(ms(7));
    expect(third - first).toBeLessThan(ms(9));
  });
});

describe('sprite rpc, a server that turns clients away', () => {
  const turned = (id: number, channel = 0): string =>
    `0f0e0003 00001200 00000001 00000002 ${hex8(channel)} fa8927ff 21fa8905 ${hex8(id)}
     00000000 00000000 00000000 00000078 00000000 00000000 00000000 00000000`;
  const hex8 = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
  const hostTwo = 2 as never;
  let hand: Hand;

  /** A host under test and a server made of the test; the client has heard of it. */
  function withHand(onNack: 'backOff' | 'narrow'): void {
    world = new World();
    client = world.host('client', { onNack });
    hand = new Hand(world, 2);
    client.spawn('hello', client.transport.peers.awaitAlive(hostTwo));
    hand.listen(ms(10));
    hand.say(
      client,
      `0f0e0003 00000400 00000001 00000002 00000000 fa892700 21fa8905 a2400001
       00000000 00000000 00000000 00000002 00000000 00000000 00000000 00000000`,
    );
    world.run(world.engine.nowNs + ms(10));
  }

  it('is asked again after 2 s, then after twice as long, 15 s at most', () => {
    withHand('backOff');
    client.spawn('caller', kindOf(client.transport.call(hostTwo, work, nothing)));
    const atSeconds: number[] = [];
    for (let i = 0; i < 6; i++) {
      hand.heard.length = 0;
      while (hand.heard.length === 0) world.run(world.engine.nowNs + ms(50));
      atSeconds.push(Math.floor(world.engine.nowNs / 1e9));
      hand.say(client, turned(0xa2400002));
    }
    const waits = atSeconds.slice(1).map((at, i) => at - (atSeconds[i] ?? 0));
    expect(waits).toEqual([2, 4, 8, 15, 15]);
  });

  it('gets its calls through one channel for 10 s where that is the policy', () => {
    withHand('narrow');
    const channels = (): number[] => hand.heard.map((frame) => header(frame).channel);
    for (let i = 0; i < 2; i++) client.spawn('caller', kindOf(client.transport.call(hostTwo, work, nothing)));
    hand.listen(ms(10));
    expect(channels()).toEqual([0, 1]);
    hand.say(client, turned(0xa2400002));
    hand.listen(ms(10));
    for (let i = 0; i < 2; i++) client.spawn('caller', kindOf(client.transport.call(hostTwo, work, nothing)));
    hand.listen(ms(50));
    expect(channels()).toEqual([]);
    // The lowest channel is free again: one of the waiting calls takes it.
    hand.say(
      client,
      `0f0e0003 00000400 00000001 00000002 00000000 fa892700 21fa8905 a2400002
       00000000 00000000 00000000 00000078 00000000 00000000 00000000 00000000`,
    );
    hand.listen(ms(20));
    expect(channels()).toEqual([0]);
  });
});

describe('sprite rpc, lives', () => {
  beforeEach(() => twoHosts());

  it('calls a server that has rebooted unnoticed as if nothing had been', () => {
    introduce();
    world.run(seconds(3));
    server.reboot();
    world.run(seconds(3) + ms(1));
    const { kind, tookNs } = world.drive(() => timed(call(payload(10, 5000))));
    expect(kind).toBe('ok');
    expect(tookNs).toBeLessThan(ms(50));
    expect(server.meters.read('rpc.refused')).toBeGreaterThan(0);
    expect(server.meters.read('rpc.served')).toBe(1);
  });

  it('says hello once for all calls that wait for it', () => {
    world.drive(function* () {
      const callers = Array.from({ length: 5 }, () => client.spawn('caller', kindOf(call())));
      for (const caller of callers) expect(yield* caller.join()).toBe('ok');
    });
    const hellos = carried().filter(
      (h) => h.command === procedures.echo2 && (h.flags & flags.toServer) !== 0,
    );
    expect(hellos).toHaveLength(1);
  });

  it('fails all calls that wait for a hello which is not answered', () => {
    world.link.cut('client', 'server');
    world.drive(function* () {
      const callers = Array.from({ length: 5 }, () => client.spawn('caller', timed(call())));
      for (const caller of callers)
        expect(yield* caller.join()).toEqual({ kind: 'peerDown', tookNs: seconds(5.5) });
    });
  });

  it('says hello anew when the call that said it is cancelled', () => {
    world.link.cut('client', 'server');
    const first = client.spawn('first', kindOf(call()));
    const second = client.spawn('second', kindOf(call()));
    world.run(ms(50));
    first.cancel();
    world.link.mend();
    expect(world.drive(() => second.join())).toBe('ok');
    expect(first.ended).toBe(true);
  });

  it('fails a call with peerDown when the server reboots in the middle of it', () => {
    const executed: number[] = [];
    server.setUp((t) =>
      t.serve({ ...work, id: 122 }, function* (): Task<Payload> {
        executed.push(server.bootId);
        yield* sleep(seconds(1));
        return nothing;
      }),
    );
    introduce();
    const caller = client.spawn(
      'caller',
      timed(client.transport.call(server.id, { ...work, id: 122 }, nothing)),
    );
    world.run(ms(50));
    server.reboot();
    const { kind, tookNs } = world.drive(() => caller.join());
    expect(kind).toBe('peerDown');
    expect(tookNs).toBeLessThan(ms(200));
    expect(executed).toHaveLength(1);
  });

  it('waits out the reboot of a server that it knows to be down', () => {
    introduce();
    world.link.cut('client', 'server');
    expect(world.drive(() => kindOf(call()))).toBe('peerDown');
    server.crash();
    world.link.mend();
    const caller = client.spawn('caller', kindOf(call()));
    world.run(world.engine.nowNs + seconds(2));
    server.boot();
    expect(world.drive(() => caller.join())).toBe('ok');
  });

  it('is told that a server is not ready yet', () => {
    introduce();
    const hand = new Hand(world, 3);
    client.spawn('hello', client.transport.peers.awaitAlive(3 as never));
    const caller = client.spawn('caller', kindOf(client.transport.call(3 as never, work, nothing)));
    hand.listen(ms(10));
    // Service disabled, from a host that is not active.
    for (const frame of [...hand.heard]) {
      const asked = header(frame);
      hand.say(
        client,
        spriteRpcHeader.encode({
          ...asked,
          flags: types.reply | flags.error | flags.notActive,
          bootId: 5,
          command: 0x3000a,
        }),
      );
    }
    expect(world.drive(() => caller.join())).toBe('recovering');
    expect(client.transport.peers.isAlive(3 as never)).toBe(false);
  });

  it('takes an error without a number for an error', () => {
    const hand = new Hand(world, 3);
    const caller = client.spawn('caller', kindOf(client.transport.call(3 as never, work, nothing)));
    hand.listen(ms(10));
    for (const frame of [...hand.heard])
      hand.say(
        client,
        spriteRpcHeader.encode({ ...header(frame), flags: types.reply | flags.error, bootId: 5, command: 0 }),
      );
    expect(world.drive(() => caller.join())).toBe('ioError');
  });
});
