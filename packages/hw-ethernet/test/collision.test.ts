import { describe, expect, it } from 'vitest';
import { wireNs } from '../src/index.ts';
import { type Probe, World } from './world.ts';

const shortestNs = wireNs(46);
const gapNs = 9_600;

/** Two stations that have the cable between them: 4330 ns. */
function farApart(seed = 1): { world: World; a: Probe; b: Probe } {
  const world = new World({ lengthMeters: 1000, positions: { p0: 0, p1: 1000 } }, seed);
  return { world, a: world.probe(), b: world.probe() };
}

describe('a collision', () => {
  it('happens when the second station starts before the first one is heard there', () => {
    const { world, a, b } = farApart();
    a.send(b, 46);
    world.run(4_330);
    b.send(a, 46);
    world.run(30_000);
    expect(world.meters.read('network.collisions')).toBe(1);
  });

  it('does not happen a nanosecond later: the second station hears the first and waits', () => {
    const { world, a, b } = farApart();
    a.send(b, 46);
    world.run(4_331);
    b.send(a, 46);
    world.run();
    expect(world.meters.read('network.collisions')).toBe(0);
    expect(a.arrivals[0]?.atNs).toBe(shortestNs + 4330 + gapNs + shortestNs + 4330);
  });

  it('ends when both have noticed, finished their preambles and jammed', () => {
    const { world, a, b } = farApart();
    const ends: number[] = [];
    world.engine.trace.listen(['ethernet.collision'], (e) => ends.push(e.timeNs));
    a.send(b, 46);
    world.run(4_330);
    b.send(a, 46);
    world.run();
    // The first one hears the second at 8660, after its own preamble, and jams for 3200; the second stops at
    // 4330 + 6400 + 3200.
    expect(ends[0]).toBe(13_930);
    expect(world.meters.read('network.collisionSeconds')).toBeGreaterThanOrEqual(13_930 / 1e9);
  });

  it('costs two stations side by side 9.6 us on the wire', () => {
    const world = new World({ stationSpacingMeters: 0 });
    const [a, b] = [world.probe(), world.probe()];
    const ends: number[] = [];
    world.engine.trace.listen(['ethernet.collision'], (e) => ends.push(e.timeNs));
    a.send(b, 46);
    b.send(a, 46);
    world.run();
    expect(ends[0]).toBe(9_600);
  });

  it('takes in a third station that has not heard anything yet', () => {
    const world = new World({ lengthMeters: 1000, positions: { p0: 0, p1: 0, p2: 1000 } });
    const [a, b, c] = [world.probe(), world.probe(), world.probe()];
    const parties: (readonly string[])[] = [];
    world.engine.trace.listen(['ethernet.collision'], (e) => {
      if (e.kind === 'ethernet.collision') parties.push(e.fields.stations);
    });
    a.send(c, 46);
    b.send(c, 46);
    world.run(4_000);
    c.send(a, 46);
    world.run();
    expect(parties[0]).toEqual(['p0', 'p1', 'p2']);
  });

  it('is certain between stations that wait for the end of the same frame, wherever they are', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const positions = { p0: 50 * seed, p1: 40 * seed, p2: 1000 - 30 * seed };
      const world = new World({ lengthMeters: 1000, positions }, seed);
      const [a, b, c] = [world.probe(), world.probe(), world.probe()];
      a.send(b, 1000);
      world.run(100_000);
      b.send(a, 46);
      c.send(a, 46);
      world.run(wireNs(1000) + 30_000);
      expect(world.meters.read('network.collisions'), `seed ${seed}`).toBe(1);
    }
  });
});

describe('backing off', () => {
  /** Two stations side by side start together; how often they collide before the first frame is carried. */
  const collisionsInARow = (seed: number): number => {
    const world = new World({ stationSpacingMeters: 0 }, seed);
    const [a, b] = [world.probe(), world.probe()];
    let first = -1;
    world.medium.tap(() => {
      if (first < 0) first = world.meters.read('network.collisions');
    });
    a.send(b, 46);
    b.send(a, 46);
    world.run();
    return first;
  };

  it('doubles the range each time: after n collisions in a row the next follows with probability 1 in 2^n', () => {
    const runs = 2500;
    const atLeast = [0, 0, 0, 0, 0, 0];
    for (let seed = 1; seed <= runs; seed++) {
      const n = collisionsInARow(seed);
      for (let k = 1; k <= Math.min(n, 5); k++) atLeast[k] = (atLeast[k] ?? 0) + 1;
    }
    expect(atLeast[1]).toBe(runs);
    for (let n = 1; n <= 3; n++) {
      const before = atLeast[n] ?? 0;
      const p = 0.5 ** n;
      const sigma = Math.sqrt(before * p * (1 - p));
      // Four standard deviations, with fixed seeds.
      expect(Math.abs((atLeast[n + 1] ?? 0) - before * p), `after ${n}`).toBeLessThan(4 * sigma);
    }
  });

  it('waits whole slots of 51.2 us from the end of the jam', () => {
    const starts = new Set<number>();
    for (let seed = 1; seed <= 60; seed++) {
      const world = new World({ stationSpacingMeters: 0 }, seed);
      const [a, b] = [world.probe(), world.probe()];
      world.medium.tap((_frame, startNs) => {
        if (world.meters.read('network.collisions') === 1) starts.add(startNs);
      });
      a.send(b, 46);
      b.send(a, 46);
      world.run();
    }
    // One drew 0 slots and went after the gap; the other drew 1, heard it, and waited for its end.
    expect([...starts].sort((x, y) => x - y)).toEqual([19_200, 19_200 + shortestNs + gapNs]);
  });

  it('never makes one frame collide more than 16 times, and reports it as given up then', () => {
    const world = new World({ stationSpacingMeters: 0 });
    const probes = Array.from({ length: 40 }, () => world.probe());
    const met = new Map<string, number>();
    const atGivingUp: number[] = [];
    world.engine.trace.listen('*', (e) => {
      if (e.kind === 'ethernet.collision') {
        for (const name of e.fields.stations) met.set(name, (met.get(name) ?? 0) + 1);
      } else if (e.kind === 'ethernet.giveUp') {
        atGivingUp.push(met.get(e.fields.from) ?? 0);
        met.set(e.fields.from, 0);
      } else if (e.kind === 'ethernet.frame') {
        expect(e.fields.collisions).toBe(met.get(e.fields.from) ?? 0);
        expect(e.fields.collisions).toBeLessThan(16);
        met.set(e.fields.from, 0);
      }
    });
    for (const p of probes) p.saturate(probes[0] === p ? 0 : (probes[0] as Probe), 46);
    world.run(500_000_000);
    expect(atGivingUp.length).toBeGreaterThan(10);
    expect(new Set(atGivingUp)).toEqual(new Set([16]));
    const refused = probes.flatMap((p) => p.sent.filter((s) => !s.delivered));
    expect(refused).toHaveLength(atGivingUp.length);
    expect(world.meters.read('network.giveUps')).toBe(atGivingUp.length);
  });

  it('favours the station that has just sent: the capture effect', () => {
    let again = 0;
    let decided = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const world = new World({ stationSpacingMeters: 0 }, seed);
      const [a, b] = [world.probe(), world.probe()];
      const order: string[] = [];
      world.medium.tap((_frame, _startNs, from) => order.push(from));
      a.saturate(b, 1500);
      b.saturate(a, 1500);
      world.run(50_000_000);
      for (let i = 1; i < order.length; i++) {
        decided++;
        if (order[i] === order[i - 1]) again++;
      }
    }
    // Chance alone would give one half.
    expect(again / decided).toBeGreaterThan(0.75);
  });
});
