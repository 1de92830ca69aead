import { Frame } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { wireNs } from '../src/index.ts';
import { everybody, type Probe, someGroup, World } from './world.ts';

/** Preamble 8, header 14, payload 46, frame check sequence 4: 57.6 us. Then 9.6 us of silence. */
const shortestNs = 57_600;
const gapNs = 9_600;

describe('one frame on the segment', () => {
  it('takes 0.8 us a byte from preamble to frame check sequence', () => {
    const world = new World({ stationSpacingMeters: 0 });
    const [a, b] = [world.probe(), world.probe()];
    a.send(b, 1500);
    world.run();
    expect(a.sent).toEqual([{ delivered: true, atNs: (8 + 14 + 1500 + 4) * 800 }]);
    expect(b.arrivals[0]?.atNs).toBe(1_220_800);
  });

  it('takes as long as a padded one when its payload is shorter than 46 bytes', () => {
    for (const payload of [0, 1, 45, 46]) expect(wireNs(payload), `${payload} bytes`).toBe(shortestNs);
    expect(wireNs(47)).toBe(shortestNs + 800);
  });

  it('arrives later the farther the receiver is', () => {
    const world = new World({ lengthMeters: 1000, positions: { near: 100, far: 1000, sender: 0 } });
    const [sender, near, far] = [world.probe('sender'), world.probe('near'), world.probe('far')];
    sender.send(near, 46);
    world.run();
    sender.send(far, 46);
    world.run();
    expect(near.arrivals[0]?.atNs).toBe(shortestNs + 433);
    expect(far.arrivals[0]?.atNs).toBe((sender.sent[1]?.atNs ?? 0) + 4330);
  });

  it('arrives as it was sent, without padding', () => {
    const world = new World();
    const [a, b] = [world.probe(), world.probe()];
    const frame = a.send(b, 3, 0x0800);
    world.run();
    expect(b.arrivals.map((x) => x.frame)).toEqual([frame]);
    expect(b.arrivals[0]?.frame.lengthBytes).toBe(3);
  });

  it('reaches its addressee only', () => {
    const world = new World();
    const [a, b, c] = [world.probe(), world.probe(), world.probe()];
    c.groups.add(someGroup);
    a.send(b, 46);
    world.run();
    expect([a, b, c].map((p) => p.arrivals.length)).toEqual([0, 1, 0]);
  });

  it('reaches nobody when it is for an unknown station, or for its sender', () => {
    const world = new World();
    const [a, b] = [world.probe(), world.probe()];
    a.send(0x02000000ffff, 46);
    world.run();
    a.send(a, 46);
    world.run();
    expect([a, b].map((p) => p.arrivals.length)).toEqual([0, 0]);
    expect(world.meters.read('network.frames')).toBe(2);
  });

  it('reaches everybody but its sender when it is broadcast, in order of attachment', () => {
    const world = new World({ positions: { p1: 400, p2: 1, p3: 200 } });
    const order: string[] = [];
    const probes = [world.probe(), world.probe(), world.probe(), world.probe()];
    for (const p of probes) p.arrivals.push = () => order.push(p.name);
    (probes[0] as Probe).send(everybody, 46);
    world.run();
    expect(order).toEqual(['p1', 'p2', 'p3']);
  });

  it('reaches those who listen to its group', () => {
    const world = new World();
    const [a, b, c] = [world.probe(), world.probe(), world.probe()];
    c.groups.add(someGroup);
    a.groups.add(someGroup);
    a.send(someGroup, 46);
    world.run();
    expect([a, b, c].map((p) => p.arrivals.length)).toEqual([0, 0, 1]);
  });

  it('reaches nobody who was detached meanwhile', () => {
    const world = new World();
    const [a, b, c] = [world.probe(), world.probe(), world.probe()];
    a.send(everybody, 46);
    world.run(shortestNs);
    b.attachment.detach();
    b.attachment.detach();
    world.run();
    expect([b, c].map((p) => p.arrivals.length)).toEqual([0, 1]);
  });
});

describe('frames one after the other', () => {
  it('are 9.6 us apart: the shortest at 14880 a second, the longest at 812', () => {
    for (const [payload, perSecond] of [
      [46, 14_880],
      [1500, 812],
    ] as const) {
      const world = new World();
      const [a, b] = [world.probe(), world.probe()];
      a.saturate(b, payload);
      // One second, less the last gap, which nobody follows.
      world.run(1_000_000_000 - gapNs);
      expect(b.arrivals.length, `${payload} bytes`).toBe(perSecond);
      expect((b.arrivals[9]?.atNs ?? 0) - (b.arrivals[8]?.atNs ?? 0)).toBe(wireNs(payload) + gapNs);
    }
  });

  it('keep the gap when the next station begins as soon as it has received', () => {
    const world = new World({ lengthMeters: 500, positions: { p0: 0, p1: 500 } });
    const [a, b] = [world.probe(), world.probe()];
    b.arrivals.push = () => {
      b.send(a, 46);
      return 0;
    };
    a.send(b, 46);
    world.run();
    // 2165 ns to get there, then the gap, and the same way back.
    expect(a.arrivals[0]?.atNs).toBe(shortestNs + 2165 + gapNs + shortestNs + 2165);
  });

  it('are put off while another is on the wire', () => {
    const world = new World({ stationSpacingMeters: 0 });
    const [a, b] = [world.probe(), world.probe()];
    a.send(b, 1500);
    world.run(20_000);
    b.send(a, 46);
    world.run();
    expect(a.arrivals[0]?.atNs).toBe(wireNs(1500) + gapNs + shortestNs);
    expect(world.meters.read('network.collisions')).toBe(0);
  });
});

describe('a segment', () => {
  it('counts frames, their bytes with header and padding, and the time that the wire was busy', () => {
    const world = new World();
    const [a, b] = [world.probe(), world.probe()];
    a.send(b, 10);
    world.run();
    a.send(b, 100);
    world.run();
    expect(world.meters.read('network.frames')).toBe(2);
    expect(world.meters.read('network.bytes')).toBe(64 + 118);
    expect(world.meters.read('network.busySeconds')).toBeCloseTo((shortestNs + wireNs(100)) / 1e9, 12);
  });

  it('shows each carried frame to those who tap it, with the time of its first bit, before anybody has it', () => {
    const world = new World();
    const [a, b] = [world.probe(), world.probe()];
    const seen: unknown[] = [];
    const stop = world.medium.tap((frame, startNs, from) => {
      seen.push([frame.lengthBytes, startNs, from, b.arrivals.length]);
    });
    a.send(b, 46);
    a.afterSent = () => {
      a.afterSent = null;
      a.send(b, 60);
    };
    world.run();
    stop();
    stop();
    a.send(b, 70);
    world.run();
    expect(seen).toEqual([
      [46, 0, 'p0', 0],
      [60, shortestNs + gapNs, 'p0', 1],
    ]);
  });

  it('traces frames for those who listen', () => {
    const world = new World();
    const [a, b] = [world.probe(), world.probe()];
    const seen: unknown[] = [];
    world.engine.trace.listen(['ethernet.frame'], (e) => seen.push(e.fields));
    a.send(b, 46);
    world.run();
    const { address } = b;
    expect(seen).toEqual([
      { from: 'p0', destination: address, type: 0x0500, sizeBytes: 64, startNs: 0, collisions: 0 },
    ]);
  });

  it('refuses a frame that is too long, a second one at once, and a second station of the same address', () => {
    const world = new World();
    const [a, b] = [world.probe(), world.probe()];
    expect(() => a.send(b, 1501)).toThrow('at most 1500');
    a.send(b, 46);
    expect(() => a.send(b, 46)).toThrow('still under way');
    const twin = { name: 'twin', address: a.address, accepts: () => false, deliver: () => {} };
    expect(() => world.medium.attach(twin)).toThrow(/02:00:00:00:00:64, which p0 has/);
    a.attachment.detach();
    world.medium.attach(twin);
  });

  it('refuses a tap beyond its end, and a cable on which a collision would come apart', () => {
    const world = new World({ lengthMeters: 100, positions: { p0: 101 } });
    expect(() => world.probe()).toThrow('at 101 m of a cable of 100 m');
    expect(() => new World({ lengthMeters: 1100, propagationNsPerMeter: 5 })).toThrow(
      '5500 ns from end to end',
    );
    expect(() => new World({ lengthMeters: 2500 })).toThrow('lengthMeters');
  });

  it('begins anew at its head when stations do not fit on it', () => {
    const world = new World({ lengthMeters: 5, stationSpacingMeters: 2.5, propagationNsPerMeter: 8 });
    const probes = Array.from({ length: 4 }, () => world.probe());
    const [first, , third, fourth] = probes as [Probe, Probe, Probe, Probe];
    first.send(third, 46);
    world.run();
    const startNs = world.engine.nowNs;
    first.send(fourth, 46);
    world.run();
    expect(third.arrivals[0]?.atNs).toBe(shortestNs + 40);
    expect(fourth.arrivals[0]?.atNs).toBeLessThan(startNs + gapNs + shortestNs + 40);
    expect(fourth.arrivals[0]?.atNs).toBe(first.sent[1]?.atNs);
  });
});

describe('a station that is switched off', () => {
  it('cuts its frame off: nobody gets it, and the wire is free after a gap', () => {
    const world = new World({ stationSpacingMeters: 0 });
    const [a, b, c] = [world.probe(), world.probe(), world.probe()];
    a.send(b, 1500);
    world.run(300_000);
    c.send(b, 46);
    a.attachment.abort();
    a.attachment.abort();
    world.run();
    expect(b.arrivals).toHaveLength(1);
    expect(b.arrivals[0]?.atNs).toBe(300_000 + gapNs + shortestNs);
    expect(a.sent).toEqual([]);
    expect(world.meters.read('network.fragments')).toBe(1);
    expect(world.meters.read('network.busySeconds')).toBeCloseTo((300_000 + shortestNs) / 1e9, 12);
  });

  it('leaves the wire alone when it was only waiting', () => {
    const world = new World({ stationSpacingMeters: 0 });
    const [a, b] = [world.probe(), world.probe()];
    a.send(b, 1500);
    world.run(100_000);
    b.send(a, 46);
    b.attachment.abort();
    world.run();
    expect([a.arrivals.length, b.arrivals.length]).toEqual([0, 1]);
  });

  it('may send at once when it is on again', () => {
    const world = new World({ stationSpacingMeters: 0 });
    const [a, b] = [world.probe(), world.probe()];
    a.send(b, 1500);
    world.run(100_000);
    a.attachment.abort();
    a.send(b, 46);
    world.run();
    expect(b.arrivals.map((x) => x.atNs)).toEqual([100_000 + gapNs + shortestNs]);
  });

  it('frees the wire when not a bit of its frame was out yet', () => {
    const world = new World({ stationSpacingMeters: 0 });
    const [a, b] = [world.probe(), world.probe()];
    a.send(b, 46);
    world.run(shortestNs);
    b.send(a, 46); // starts when the gap is over
    world.run(shortestNs + 5_000);
    b.attachment.abort();
    a.send(b, 46);
    world.run();
    expect(b.arrivals.map((x) => x.atNs)).toEqual([shortestNs, 2 * shortestNs + gapNs]);
    expect(world.meters.read('network.fragments')).toBe(0);
    expect(world.meters.read('network.collisions')).toBe(0);
  });

  it('takes no further part in a collision', () => {
    const world = new World({ stationSpacingMeters: 0 });
    const [a, b, c] = [world.probe(), world.probe(), world.probe()];
    a.send(c, 46);
    b.send(c, 46);
    world.run(5_000);
    b.attachment.abort();
    b.attachment.abort();
    b.send(c, 100); // on again: hears the collision
    world.run();
    expect(c.arrivals.map((x) => x.frame.lengthBytes).sort((x, y) => x - y)).toEqual([46, 100]);
  });

  it('forgets the slots that it was waiting out', () => {
    const world = new World({ stationSpacingMeters: 0 }, 3);
    const [a, b] = [world.probe(), world.probe()];
    a.send(b, 46);
    b.send(a, 46);
    world.run(9_600);
    a.attachment.abort();
    world.run();
    expect(a.arrivals).toHaveLength(1);
    expect(b.arrivals).toHaveLength(0);
  });

  it('loses its frame for good when it is detached', () => {
    const world = new World();
    const [a, b] = [world.probe(), world.probe()];
    a.send(b, 46);
    a.attachment.detach();
    world.run();
    expect(b.arrivals).toEqual([]);
    b.attachment.send(new Frame(a.address, b.address, 1, []), () => {});
    world.run();
    expect(a.arrivals).toEqual([]);
  });
});
