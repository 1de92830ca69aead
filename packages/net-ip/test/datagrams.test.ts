import { seconds, type Task } from '@backplane/engine';
import {
  type BackplaneError,
  broadcastAddress,
  Frame,
  type HostId,
  hostId,
  internetAddress,
  isBackplaneError,
} from '@backplane/slots';
import { decodeIpv4, ETHER_TYPES, encodeIpv4, formatIpv4, IP_PROTOCOLS } from '@backplane/wire';
import { beforeEach, describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { ip } from '../src/index.ts';
import { type Host, Link, station } from './link.ts';

const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >>> 8) * 3) & 0xff);
const protocol = 90;

interface Arrived {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
  readonly packets: number;
  readonly completingBytes: number;
}

let link: Link;
let a: Host;
let b: Host;
let arrived: Arrived[];

const listen = (host: Host): void => {
  host.internet.receive(protocol, ({ from, to, payload, packets, completingBytes }) => {
    arrived.push({ at: host.id, from, to, bytes: payload, packets, completingBytes });
  });
};
const send = (to: HostId, bytes: Uint8Array, by = protocol): void => {
  link.run(a, a.internet.send(by, to, [bytes.subarray(0, 5), bytes.subarray(5)]));
};
/** A frame made by hand. */
const say = (payload: Uint8Array): void => {
  b.nic.arrive(new Frame(b.nic.address, station(1), ETHER_TYPES.ipv4, [payload]));
};

beforeEach(() => {
  link = new Link();
  arrived = [];
  a = link.host();
  b = link.host();
  listen(a);
  listen(b);
});

describe('internet datagrams', () => {
  it('arrive with their bytes, their sender, and the frames that carried them', () => {
    for (const length of [0, 5, 100, 1480, 1481, 2960, 8232, 65_515]) {
      arrived = [];
      send(b.id, pattern(length));
      const packets = Math.max(1, Math.ceil(length / 1480));
      expect(arrived).toMatchObject([
        { at: 2, from: 1, to: 2, packets, completingBytes: length - (packets - 1) * 1480 },
      ]);
      expect([...(arrived[0]?.bytes ?? [])]).toEqual([...pattern(length)]);
    }
  });

  it('are of the protocol on the wire, between 10.1.0.n, and of at most what the link carries', () => {
    send(b.id, pattern(4000));
    const pieces = link.frames.map((frame) => decodeIpv4(frame.payload()));
    expect(link.frames.map((f) => [f.type, f.destination, f.lengthBytes])).toEqual([
      [0x0800, station(2), 1500],
      [0x0800, station(2), 1500],
      [0x0800, station(2), 1060],
    ]);
    expect(pieces.map((p) => [p?.offsetBytes, p?.moreFragments])).toEqual([
      [0, true],
      [1480, true],
      [2960, false],
    ]);
    expect(formatIpv4(internetAddress(hostId(7)))).toBe('10.1.0.7');
    expect(pieces.every((p) => p?.source === internetAddress(a.id))).toBe(true);
    expect(pieces.every((p) => p?.destination === internetAddress(b.id))).toBe(true);
  });

  it('carry what the board says may travel in one piece', () => {
    send(b.id, pattern(a.internet.unfragmentedBytes));
    expect(link.frames).toHaveLength(1);
    send(b.id, pattern(a.internet.unfragmentedBytes + 1));
    expect(link.frames).toHaveLength(3);
  });

  it('reach everybody when they are for host 0', () => {
    listen(link.host());
    send(hostId(0), pattern(2000));
    expect(arrived.map(({ at, from, to }) => [at, from, to])).toEqual([
      [2, 1, 0],
      [3, 1, 0],
    ]);
    expect(link.frames.every((f) => f.destination === broadcastAddress)).toBe(true);
    expect(formatIpv4(internetAddress(hostId(0)))).toBe('255.255.255.255');
  });

  it('are dropped when nobody answers for the host', () => {
    send(hostId(9), pattern(10));
    expect(link.frames).toEqual([]);
    expect(a.metric('unreachable')).toBe(1);
  });

  it('tell the locator where their sender is', () => {
    send(b.id, pattern(10));
    expect(b.learned).toEqual([[1, station(1)]]);
  });

  it('go to who receives their protocol, until that is taken back', () => {
    const seen: number[] = [];
    const undo = b.internet.receive(17, ({ payload }) => void seen.push(payload.length));
    expect(() => b.internet.receive(17, () => {})).toThrow(/protocol 17/);
    send(b.id, pattern(10), 17);
    undo();
    undo();
    send(b.id, pattern(10), 17);
    expect([seen, arrived, b.metric('unclaimed')]).toEqual([[10], [], 1]);
  });

  it('may not be larger than a datagram can be', () => {
    expect(() => send(b.id, pattern(65_516))).toThrow(/65516/);
  });
});

describe('fragments', () => {
  it('are joined whatever their order, and copies change nothing', () => {
    link.fate = (n) => [(4 - n) * 1_000_000, (4 - n) * 1_000_000 + 10];
    send(b.id, pattern(5000));
    // The first fragment comes last.
    expect(arrived).toMatchObject([{ packets: 4, completingBytes: 1480 }]);
    expect([...(arrived[0]?.bytes ?? [])]).toEqual([...pattern(5000)]);
  });

  it('of a datagram that stays incomplete are given up after a while', () => {
    link.fate = (n) => (n === 1 ? [] : [0]);
    send(b.id, pattern(5000));
    expect([arrived.length, b.metric('expired')]).toEqual([0, 0]);
    link.engine.run(seconds(31));
    expect(b.metric('expired')).toBe(1);
    // Nothing is left to wake up for.
    const { events } = link.engine;
    link.engine.run(seconds(100_000));
    expect(link.engine.events).toBe(events);
  });

  it('of too many datagrams at once push out the oldest', () => {
    const c = link.host({ datagramsMax: 2 });
    listen(c);
    link.fate = (n) => (n % 2 === 0 ? [0] : []);
    for (let i = 0; i < 5; i++) send(c.id, pattern(2000));
    expect([arrived.length, c.metric('evicted')]).toEqual([0, 3]);
  });

  it('of two datagrams are never mixed', () => {
    link.fate = (n) => [n % 3 === 0 ? 5_000_000 : 0];
    link.run(
      a,
      (function* (): Task<void> {
        for (let i = 0; i < 20; i++)
          yield* a.internet.send(protocol, b.id, [Uint8Array.from({ length: 3000 }, () => i)]);
      })(),
    );
    expect(arrived).toHaveLength(20);
    for (const { bytes } of arrived) expect(new Set(bytes).size).toBe(1);
  });
});

describe('what arrives from anybody', () => {
  const sound = (change: object = {}): Uint8Array =>
    encodeIpv4({
      source: internetAddress(a.id),
      destination: internetAddress(b.id),
      protocol,
      identification: 1,
      payload: pattern(16),
      ...change,
    });

  it('is counted when it is no sound datagram, or from nobody of the cluster', () => {
    const wrongSum = sound();
    wrongSum[10] = (wrongSum[10] ?? 0) ^ 1;
    const longer = sound();
    longer[3] = 200;
    const bad = [
      new Uint8Array(0),
      new Uint8Array(19),
      wrongSum,
      longer,
      sound({ source: 0x0a01_0000 }),
      sound({ source: 0x0a01_00c8 }), // host 200
      sound({ source: internetAddress(b.id) }),
      sound({ payload: pattern(15), moreFragments: true }), // not the last, and no whole units of eight
    ];
    for (const bytes of bad) say(bytes);
    expect([arrived.length, b.metric('malformed')]).toEqual([0, bad.length]);
    say(Uint8Array.from([...sound(), 0, 0, 0])); // the link's padding
    expect(arrived.map(({ bytes }) => bytes.length)).toEqual([16]);
  });

  it('is counted when it is for another address', () => {
    say(sound({ destination: internetAddress(hostId(3)) }));
    expect([arrived.length, b.metric('astray')]).toEqual([0, 1]);
  });

  it('never throws (2000 damaged frames)', () => {
    send(b.id, pattern(4000));
    const real = link.frames.map((f) => f.payload());
    const random = link.engine.random('fuzz');
    for (let i = 0; i < 2000; i++) {
      const bytes = random.pick(real).slice(0, random.below(1501));
      for (let flips = random.below(4); flips > 0 && bytes.length > 0; flips--) {
        const at = random.below(Math.min(24, bytes.length));
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      }
      say(bytes);
    }
    expect(b.metric('malformed')).toBeGreaterThan(1000);
    link.engine.run(seconds(1000));
  });
});

describe('the costs of datagrams', () => {
  const costs = {
    packetSendNs: 1000,
    checksumNsPerByte: 10,
    packetReceiveNs: 5000,
    fragmentReceiveNs: 3000,
    copyNsPerByte: 1,
  };

  it('of sending: each header, and each frame after the first, which its sender has paid', () => {
    const c = link.host({}, costs);
    const took = (length: number): number => {
      let ns = -1;
      link.run(
        c,
        (function* (): Task<void> {
          yield* c.internet.send(protocol, b.id, [pattern(0)]);
          const startNs = link.engine.nowNs;
          yield* c.internet.send(protocol, b.id, [pattern(length)]);
          ns = link.engine.nowNs - startNs;
        })(),
      );
      return ns;
    };
    expect(took(100)).toBe(200);
    expect(took(4000)).toBe(3 * 200 + 2 * 1000);
  });

  it('of receiving: an interrupt for each frame that does not complete a datagram', () => {
    const c = link.host({}, costs);
    listen(c);
    send(c.id, pattern(100));
    expect(c.interruptedNs).toBe(0); // the receiver pays
    send(c.id, pattern(4000));
    expect(c.interruptedNs).toBe(2 * (3000 + 1480 + 200));
    c.interruptedNs = 0;
    send(c.id, pattern(100), IP_PROTOCOLS.udp);
    expect(c.interruptedNs).toBe(5000 + 200);
  });
});

describe('the internet board', () => {
  const errorOf = (f: () => unknown): BackplaneError => {
    try {
      f();
    } catch (e) {
      if (isBackplaneError(e)) return e;
      throw e;
    }
    throw new Error('nothing was thrown');
  };

  it('says the same in its code and in its manifest', () => {
    expect(ip.componentName).toBe(manifest.name);
    expect(ip.version).toBe(manifest.version);
    expect(ip.requires).toEqual(manifest.backplane.requires);
    expect([ip.slot]).toEqual(manifest.backplane.provides);
    expect(ip().speaks).toEqual(manifest.backplane.protocols);
  });

  it('refuses options that are wrong', () => {
    expect(errorOf(() => ip({ datagramsMax: 0 })).code).toBe('WRONG_OPTION');
    const wrongName = errorOf(() => link.host({ nic: 'eth1' }));
    expect([wrongName.code, wrongName.hint.includes('eth0')]).toEqual(['WRONG_OPTION', true]);
  });
});
