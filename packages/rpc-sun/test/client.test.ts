import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { echoes, nothing, payload, work } from '@backplane/rpc-service/testing';
import { type HostId, type Payload, silent } from '@backplane/slots';
import { kindOf, pattern } from '@backplane/slots/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { passNs } from './switch.ts';
import { type Host, World } from './world.ts';

let world: World;
let client: Host;
let server: Host;
let served: number;
/** How long the handler takes. */
let takesNs: number;

const call = (): string => world.drive(() => kindOf(client.transport.call(server.id, work, nothing)));
/** When the client has sent what to the server since the last look, in milliseconds from then. */
const sentAtMs = (): number[] => {
  const own = world.net.carried.filter(({ from, to }) => from === client.id && to === server.id);
  const startNs = own[0]?.atNs ?? 0;
  world.net.carried.length = 0;
  return own.map(({ atNs }) => (atNs - startNs) / 1e6);
};

beforeEach(() => {
  world = new World();
  served = 0;
  takesNs = 0;
  client = world.host('client');
  server = world.host('server');
  server.setUp((t) =>
    t.serve(work, function* (asked): Task<Payload> {
      served++;
      if (takesNs > 0) yield* sleep(takesNs);
      return asked;
    }),
  );
  expect(call()).toBe('ok');
  world.net.carried.length = 0;
});

describe('sun rpc, a call', () => {
  it('is one request and one reply', () => {
    expect(call()).toBe('ok');
    expect(world.net.carried.map(({ from }) => from)).toEqual([client.id, server.id]);
  });

  it('is sent again after 1.1 s, then each time after twice as long, the same bytes', () => {
    takesNs = seconds(7);
    call();
    const requests = world.net.carried.filter(({ from }) => from === client.id).map(({ bytes }) => bytes);
    expect(new Set(requests.map(String)).size).toBe(1);
    expect(sentAtMs()).toEqual([0, 1100, 3300]);
    expect([served, client.metric('retransmissions')]).toEqual([2, 2]);
  });

  it('is followed by a null call when three waits were silent, and goes on while that is answered', () => {
    takesNs = seconds(100);
    expect(call()).toBe('ok');
    const [first, ...rest] = sentAtMs().map((at) => 100 * Math.round(at / 100));
    expect([first, ...rest.slice(0, 3)]).toEqual([0, 1100, 3300, 7700]);
    // From then on a null call and, answered, the request again; waits are cut at 20 s.
    expect(rest.slice(2)).toEqual([
      7700, 7700, 16_500, 16_500, 34_100, 34_100, 54_100, 54_100, 74_100, 74_100, 94_100, 94_100,
    ]);
    expect([served, client.metric('pings')]).toEqual([2, 7]);
  });

  it('fails when the null calls are not answered either: 15.4 s by default', () => {
    world.net.cut(client.id, server.id);
    const { nowNs } = world.engine;
    expect(call()).toBe('peerDown');
    expect(world.engine.nowNs - nowNs).toBe(ms(15_400));
    expect(sentAtMs()).toEqual([0, 1100, 3300, 7700, 8800, 11_000]);
    // The next call says hello first, and it is not sent before that is answered.
    expect(call()).toBe('peerDown');
    expect(sentAtMs()).toEqual([0, 1100, 3300]);
  });

  it('fails with all the others to a host that is called dead', () => {
    takesNs = seconds(1000);
    const threads = [0, 1, 2].map(() =>
      client.spawn('call', kindOf(client.transport.call(server.id, work, nothing))),
    );
    world.after(seconds(40));
    world.net.cut(client.id, server.id);
    client.spawn('call', kindOf(client.transport.call(server.id, work, nothing)));
    world.after(seconds(16));
    expect(threads.map((t) => t.ended)).toEqual([true, true, true]);
  });

  it('fails at once when another life of the server is heard in between', () => {
    takesNs = seconds(1000);
    server.setUp((t) => {
      t.peers.watch(client.id);
    });
    const thread = client.spawn('call', kindOf(client.transport.call(server.id, work, nothing)));
    world.after(seconds(2));
    server.reboot();
    server.spawn('call', kindOf(server.transport.call(client.id, work, nothing)));
    world.after(ms(1));
    expect(thread.ended).toBe(true);
    expect(world.drive(() => thread.join())).toBe('peerDown');
  });

  it('goes on with a life of the server that began before it', () => {
    world.after(seconds(5));
    server.reboot();
    world.after(seconds(5));
    expect(call()).toBe('ok');
    // Refused, introduced, executed.
    expect(sentAtMs()).toHaveLength(3);
    expect(server.metric('refused')).toBe(1);
  });

  it('fails when the server no longer keeps its reply, and calls nobody dead', () => {
    server = world.host('forgetful', { cachedReplies: 1 });
    server.setUp(echoes);
    expect(call()).toBe('ok');
    world.net.judge = (from) => (from === server.id ? [] : [passNs]);
    const thread = client.spawn('call', kindOf(client.transport.call(server.id, work, nothing)));
    world.after(ms(100));
    world.net.mend();
    expect(call()).toBe('ok');
    expect(world.drive(() => thread.join())).toBe('peerDown');
    expect(client.transport.peers.isAlive(server.id)).toBe(true);
  });

  it('shares a hello with others to the same host', () => {
    const stranger = world.host('stranger');
    for (let i = 0; i < 5; i++)
      client.spawn('call', kindOf(client.transport.call(stranger.id, work, nothing)));
    world.after(ms(10));
    expect(client.metric('pings')).toBe(2); // the first one was to the server
  });
});

describe('sun rpc, a question to everybody', () => {
  it('goes out again within its window, each time after twice as long', () => {
    client.spawn('ask', client.transport.ask(work, nothing, { windowNs: ms(400), enough: 9 }));
    world.net.judge = () => [];
    world.after(seconds(1));
    const own = world.net.carried.filter(({ to }) => to === 0).map(({ atNs }) => atNs);
    expect(own.map((atNs) => (atNs - (own[0] ?? 0)) / 1e6)).toEqual([0, 100, 300]);
  });

  it('brings each answer once, with the bytes of its host', () => {
    const others = [3, 4, 5].map((n) => world.host(`other${n}`));
    for (const other of others)
      other.setUp((t) =>
        t.serve(work, function* (): Task<Payload | typeof silent> {
          return other.id === 4 ? silent : { parameters: nothing.parameters, data: pattern(3000, other.id) };
        }),
      );
    server.crash();
    world.net.judge = () => [passNs, 2 * passNs];
    const answers = world.drive(() => client.transport.ask(work, nothing, { windowNs: ms(100), enough: 9 }));
    expect(
      answers.map(({ from, reply }) => [from, String(reply.data) === String(pattern(3000, from))]),
    ).toEqual([
      [3, true],
      [5, true],
    ]);
    expect(client.metric('duplicates')).toBeGreaterThan(0);
  });
});

describe('sun rpc, watched hosts', () => {
  it('are pinged after 30 s of silence, and not while they talk', () => {
    client.transport.peers.watch(server.id);
    world.after(seconds(60));
    world.net.carried.length = 0;
    world.after(seconds(300));
    const atMs = sentAtMs();
    expect(atMs).toHaveLength(10);
    server.spawn(
      'chatter',
      (function* (): Task<void> {
        for (;;) {
          yield* kindOf(server.transport.call(client.id, work, nothing));
          yield* sleep(seconds(20));
        }
      })(),
    );
    const pings = client.metric('pings');
    world.after(seconds(300));
    expect(client.metric('pings')).toBe(pings);
  });

  it('are pinged at phases that each host draws', () => {
    const others = Array.from({ length: 6 }, (_, i) => world.host(`other${i}`));
    for (const other of others) other.transport.peers.watch(server.id);
    world.after(seconds(31));
    const phases = others.map(
      ({ id }) => world.net.carried.find(({ from, to }) => from === id && to === server.id)?.atNs,
    );
    expect(new Set(phases.map((atNs) => Math.floor((atNs ?? 0) / 1e9))).size).toBeGreaterThan(3);
  });

  it('that are down are pinged on, and one does not hold up the others', () => {
    const third = world.host('third');
    for (const host of [server, third]) client.transport.peers.watch(host.id);
    server.crash();
    const dead: HostId[] = [];
    client.transport.peers.onDead(function* (host): Task<void> {
      dead.push(host);
    });
    world.after(seconds(600));
    expect(dead).toEqual([server.id]);
    const toThird = world.net.carried.filter(({ to }) => to === third.id);
    expect(toThird.length).toBeGreaterThan(18);
    server.boot();
    world.after(seconds(40));
    expect(client.transport.peers.isAlive(server.id)).toBe(true);
  });
});

describe('sun rpc, what calls cost', () => {
  it('on both sides: the path, the packet, and copy and checksum of each byte', () => {
    world = new World({
      costs: {
        sunRpcPathNs: 1_000_000,
        packetSendNs: 10_000,
        packetReceiveNs: 20_000,
        copyNsPerByte: 10,
        checksumNsPerByte: 100,
      },
    });
    client = world.host('client');
    server = world.host('server');
    server.setUp(echoes);
    const took = (asked: Payload): number =>
      world.drive(function* () {
        const thread = client.spawn(
          'call',
          (function* (): Task<number> {
            yield* client.transport.call(server.id, work, asked);
            const startNs = world.engine.nowNs;
            yield* client.transport.call(server.id, work, asked);
            return world.engine.nowNs - startNs;
          })(),
        );
        return yield* thread.join();
      });
    const null_ = took(nothing);
    const request = 6 * 4 + 28 + 8 + 8; // header, credential, verifier, empty areas
    const reply = 3 * 4 + 28 + 4 + 4 + 8;
    const udp = 8;
    const sendNs = 10_000 + 110 * request + 10_000 + 110 * reply;
    const receiveNs = 20_000 + 110 * (request + udp) + 20_000 + 110 * (reply + udp);
    expect(null_).toBe(2 * 1_000_000 + 2 * passNs + sendNs + receiveNs);
    // Of a message in six fragments, the internet board takes five: copies of the last frame only, checksums of all.
    const large = took(payload(0, 8000)) - null_;
    expect(large).toBe(
      2 * (110 * 8000 + 100 * 8000 + 10 * (request + udp + 8000 - 5 * 1480 - (request + udp))) - 0,
    );
  });
});
