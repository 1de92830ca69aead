import { Timer } from '@backplane/engine';
import { type Frame, isGroupAddress } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { wireNs } from '../src/index.ts';
import { everybody, frameTo, type Host, someGroup, World } from './world.ts';

const shortestNs = wireNs(46);
const gapNs = 9_600;
const turnaroundNs = 500_000;

interface Pair {
  readonly world: World;
  readonly a: Host;
  readonly b: Host;
  readonly got: { readonly frame: Frame; readonly atNs: number }[];
}

function pair(turn = 0, seed = 1): Pair {
  const world = new World({ stationSpacingMeters: 0 }, seed);
  const a = world.host('a', turn);
  const b = world.host('b', turn);
  const got: { frame: Frame; atNs: number }[] = [];
  b.nic.receive(0x0500, (frame) => got.push({ frame, atNs: world.engine.nowNs }));
  return { world, a, b, got };
}

const send = (from: Host, to: Host, payloadBytes: number, type = 0x0500): void =>
  from.nic.send(frameTo(to.nic, from.nic, new Uint8Array(payloadBytes), type));

describe('an interface', () => {
  it('has a locally administered station address of its own, made from the host number', () => {
    const { a, b } = pair();
    expect([a.nic.address, b.nic.address]).toEqual([0x020000000001, 0x020000000002]);
    expect(isGroupAddress(a.nic.address)).toBe(false);
    expect(a.nic.mtuBytes).toBe(1500);
  });

  it('sends at once when it is at rest', () => {
    const { world, a, b, got } = pair(turnaroundNs);
    send(a, b, 46);
    world.run();
    expect(got[0]?.atNs).toBe(shortestNs);
  });

  it('turns around between two packets: each but the first takes its wire time and the pause', () => {
    const { world, a, b, got } = pair(turnaroundNs);
    for (let i = 0; i < 4; i++) send(a, b, 1500);
    world.run();
    const periodNs = wireNs(1500) + turnaroundNs;
    expect(got.map((g) => g.atNs - wireNs(1500))).toEqual([0, 1, 2, 3].map((i) => i * periodNs));
  });

  it('turns around also when the next packet comes only after the last bit', () => {
    const { world, a, b, got } = pair(turnaroundNs);
    send(a, b, 46);
    world.run(shortestNs + 100_000);
    send(a, b, 46);
    world.run();
    expect(got[1]?.atNs).toBe(shortestNs + turnaroundNs + shortestNs);
    world.run(10_000_000);
    send(a, b, 46);
    world.run();
    expect(got[2]?.atNs).toBe(10_000_000 + shortestNs);
  });

  it('lets nobody overtake who waits for a turnaround, not even at the instant of its end', () => {
    const { world, a, b, got } = pair(turnaroundNs);
    new Timer(world.engine.root, 'as the turnaround ends', () => send(a, b, 300)).set(
      shortestNs + turnaroundNs,
    );
    send(a, b, 46);
    world.run(shortestNs + 100_000);
    send(a, b, 200);
    world.run();
    expect(got.map((g) => g.frame.lengthBytes)).toEqual([46, 200, 300]);
  });

  it('sends back to back, a gap apart, on a machine that needs no pause', () => {
    const { world, a, b, got } = pair();
    for (let i = 0; i < 3; i++) send(a, b, 46);
    world.run();
    expect(got.map((g) => g.atNs)).toEqual([0, 1, 2].map((i) => i * (shortestNs + gapNs) + shortestNs));
  });

  it('needs no event for a turnaround that nothing waits for', () => {
    const { world, a, b } = pair(turnaroundNs);
    send(a, b, 46);
    world.run();
    expect(world.engine.events).toBe(2);
  });

  it('sends first in first out, however long its queue grows', () => {
    const { world, a, b, got } = pair();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 37; i++) send(a, b, 100 * round + i);
      world.run(world.engine.nowNs + 500_000);
    }
    expect(a.nic.queued).toBeGreaterThan(64);
    world.run();
    const lengths = [0, 1, 2].flatMap((round) => Array.from({ length: 37 }, (_, i) => 100 * round + i));
    expect(got.map((g) => g.frame.lengthBytes)).toEqual(lengths);
    expect(world.meters.read('network.queuedMax')).toBeGreaterThan(64);
  });

  it('tells when its queue has run empty, at once if it is', () => {
    const { world, a, b } = pair(turnaroundNs);
    const at: number[] = [];
    const note = (): void => {
      at.push(world.engine.nowNs);
    };
    a.nic.whenDrained(note);
    send(a, b, 46);
    send(a, b, 46);
    expect(a.nic.queued).toBe(2);
    a.nic.whenDrained(note);
    a.nic.whenDrained(() => send(a, b, 46));
    world.run();
    expect(at).toEqual([0, 2 * shortestNs + turnaroundNs]);
    expect(b.nic.queued + a.nic.queued).toBe(0);
    expect(world.meters.read('nic.client.sentFrames')).toBe(3);
  });

  it('drops a frame that was given up and goes on with the next', () => {
    const world = new World({ stationSpacingMeters: 0 });
    const hosts = Array.from({ length: 40 }, (_, i) => world.host(`h${i}`));
    for (const h of hosts) {
      const again = (): void => {
        for (let i = 0; i < 4; i++) h.nic.send(frameTo(h.nic, h.nic, new Uint8Array(46)));
        h.nic.whenDrained(again);
      };
      again();
    }
    world.run(300_000_000);
    const givenUp = world.meters.read('network.giveUps');
    expect(givenUp).toBeGreaterThan(0);
    expect(hosts.reduce((sum, h) => sum + h.nic.givenUp, 0)).toBe(givenUp);
    expect(world.meters.read('nic.client.sentFrames')).toBe(world.meters.read('network.frames'));
    const queued = hosts.reduce((sum, h) => sum + h.nic.queued, 0);
    expect(queued).toBeLessThanOrEqual(160);
    expect(queued).toBeGreaterThan(0);
  });
});

describe('receiving', () => {
  it('hands each frame to who takes its type, and counts those that nobody takes', () => {
    const { world, a, b, got } = pair();
    const ip: number[] = [];
    const undo = b.nic.receive(0x0800, (frame) => ip.push(frame.lengthBytes));
    for (const [type, size] of [
      [0x0800, 50],
      [0x0500, 51],
      [0x9999, 52],
    ] as const) {
      send(a, b, size, type);
    }
    world.run();
    undo();
    send(a, b, 53, 0x0800);
    world.run();
    expect(ip).toEqual([50]);
    expect(got.map((g) => g.frame.lengthBytes)).toEqual([51]);
    expect(world.meters.read('network.unclaimed')).toBe(2);
    expect(world.meters.read('nic.client.receivedBytes')).toBe(101);
  });

  it('refuses a second taker of one type, until the first one is gone', () => {
    const { b } = pair();
    expect(() => b.nic.receive(0x0500, () => {})).toThrow('0x500');
    const undo = b.nic.receive(0x0800, () => {});
    undo();
    b.nic.receive(0x0800, () => {});
    undo(); // of the first: does nothing to the second
    expect(() => b.nic.receive(0x0800, () => {})).toThrow('already taken');
  });

  it('hears broadcasts always, and a group as long as somebody has joined it', () => {
    const { world, a, b, got } = pair();
    const toGroup = (): void => {
      a.nic.send(frameTo({ ...b.nic, address: someGroup }, a.nic, new Uint8Array(46)));
      world.run();
    };
    a.nic.send(frameTo({ ...b.nic, address: everybody }, a.nic, new Uint8Array(46)));
    world.run();
    expect(got).toHaveLength(1);
    toGroup();
    expect(got).toHaveLength(1);
    const one = b.nic.join(someGroup);
    const other = b.nic.join(someGroup);
    toGroup();
    one();
    one();
    toGroup();
    expect(got).toHaveLength(3);
    other();
    toGroup();
    expect(got).toHaveLength(3);
  });

  it('joins groups only', () => {
    const { a } = pair();
    expect(() => a.nic.join(everybody)).toThrow('one station');
    expect(() => a.nic.join(a.nic.address)).toThrow('one station');
  });
});

describe('a crash', () => {
  it('cuts off the frame under way and forgets the queue', () => {
    const { world, a, b, got } = pair(turnaroundNs);
    let drained = false;
    for (let i = 0; i < 3; i++) send(a, b, 1500);
    a.nic.whenDrained(() => {
      drained = true;
    });
    world.run(700_000);
    a.crash();
    expect(a.nic.queued).toBe(0);
    world.run();
    expect(got).toEqual([]);
    expect(drained).toBe(false);
    expect(world.meters.read('network.fragments')).toBe(1);
  });

  it('forgets a turnaround, too: the next boot finds an interface at rest', () => {
    const { world, a, b, got } = pair(turnaroundNs);
    send(a, b, 46);
    send(a, b, 46);
    world.run(shortestNs + 1_000);
    a.crash();
    send(a, b, 60);
    world.run();
    expect(got.map((g) => [g.frame.lengthBytes, g.atNs])).toEqual([
      [46, shortestNs],
      [60, shortestNs + gapNs + wireNs(60)],
    ]);
  });

  it('forgets who takes which frames and which groups it listens to', () => {
    const { world, a, b, got } = pair();
    const leave = b.nic.join(someGroup);
    b.crash();
    send(a, b, 46);
    world.run();
    expect(got).toEqual([]);
    expect(world.meters.read('network.unclaimed')).toBe(1);
    const after: number[] = [];
    b.nic.receive(0x0500, (frame) => after.push(frame.lengthBytes));
    b.nic.join(someGroup);
    leave(); // of the boot before: void
    a.nic.send(frameTo({ ...b.nic, address: someGroup }, a.nic, new Uint8Array(48)));
    world.run();
    expect(after).toEqual([48]);
  });

  it('leaves the other machines on the wire undisturbed', () => {
    const { world, a, b } = pair();
    const c = world.host('c');
    const at: number[] = [];
    a.nic.receive(0x0500, () => at.push(world.engine.nowNs));
    send(b, c, 1500);
    world.run(100_000);
    send(c, a, 46);
    b.crash();
    world.run();
    expect(at).toEqual([100_000 + gapNs + shortestNs]);
  });
});
