import { Engine } from '@backplane/engine';
import { broadcastAddress, Frame } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { type Probe, World } from './world.ts';

const seeds = Array.from({ length: 60 }, (_, i) => i + 1);

interface Signal {
  readonly from: string;
  readonly startNs: number;
  readonly endNs: number;
}

/** A random load: stations anywhere, frames of any length at any time to anybody, stations switched off and on. */
class RandomLoad {
  readonly world: World;
  readonly positionsNs: Map<string, number> = new Map();
  /** Whenever somebody sent, from the first bit to the last, at the sender. */
  readonly signals: Signal[] = [];
  /** By the frame's serial number, which is its type: how often it should have arrived, and how often it did. */
  readonly due: Map<number, number> = new Map();
  readonly came: Map<number, number> = new Map();
  readonly #stations: RandomStation[];

  constructor(seed: number) {
    const draw = new Engine({ seed }).random('load');
    const names = Array.from({ length: 2 + draw.below(7) }, (_, i) => `s${i}`);
    const positions = Object.fromEntries(names.map((name) => [name, draw.below(1001)]));
    this.world = new World({ lengthMeters: 1000, positions }, seed);
    const { engine } = this.world;
    for (const name of names) this.positionsNs.set(name, Math.round((positions[name] ?? 0) * 4.33));
    this.#stations = names.map((name) => new RandomStation(this.world.probe(name), this.came));
    this.#watch();

    for (let i = 0, atNs = 0; i < 150; i++) {
      atNs += draw.chance(0.7) ? draw.below(20_000) : draw.below(2_000_000);
      engine.run(atNs);
      const station = draw.pick(this.#stations);
      if (draw.chance(0.03)) {
        station.switchOff();
        continue;
      }
      const to = draw.chance(0.1) ? broadcastAddress : draw.pick(this.#stations).probe.address;
      const payload = new Uint8Array(draw.chance(0.6) ? 46 : draw.below(1501));
      station.queue(new Frame(to, station.probe.address, i, [payload]));
    }
    engine.run();
  }

  #watch(): void {
    const { engine, medium } = this.world;
    engine.trace.listen(['ethernet.collision'], (e) => {
      if (e.kind !== 'ethernet.collision') return;
      const [from = ''] = e.fields.stations;
      if (from !== '') this.signals.push({ from, startNs: e.fields.startNs, endNs: e.timeNs });
    });
    medium.tap(({ destination, source, type }, startNs, from) => {
      this.signals.push({ from, startNs, endNs: engine.nowNs });
      const others = this.#stations.length - 1;
      const one = destination === source ? 0 : 1;
      this.due.set(type, destination === broadcastAddress ? others : one);
    });
  }
}

class RandomStation {
  readonly probe: Probe;
  #frames: Frame[] = [];
  #busy = false;

  constructor(probe: Probe, came: Map<number, number>) {
    this.probe = probe;
    probe.arrivals.push = ({ frame }) => {
      came.set(frame.type, (came.get(frame.type) ?? 0) + 1);
      return 0;
    };
  }

  queue(frame: Frame): void {
    this.#frames.push(frame);
    if (!this.#busy) this.#next();
  }

  switchOff(): void {
    this.probe.attachment.abort();
    this.#frames = [];
    this.#busy = false;
  }

  #next(): void {
    const frame = this.#frames.shift();
    this.#busy = frame !== undefined;
    if (frame !== undefined) this.probe.attachment.send(frame, () => this.#next());
  }
}

/** What is wrong with the signals of a run, in words; empty when nothing is. */
function overlaps({ signals, positionsNs }: RandomLoad): string[] {
  const found: string[] = [];
  const at = (station: string): number => positionsNs.get(station) ?? 0;
  const inOrder = signals.slice().sort((a, b) => a.startNs - b.startNs);
  inOrder.forEach((after, i) => {
    const before = inOrder[i - 1];
    if (before === undefined) return;
    for (const here of positionsNs.values()) {
      const endNs = before.endNs + Math.abs(at(before.from) - here);
      const startNs = after.startNs + Math.abs(at(after.from) - here);
      if (startNs < endNs) found.push(`signal ${i} overlaps the one before at ${here} ns`);
    }
    const heardNs = before.endNs + Math.abs(at(before.from) - at(after.from));
    if (after.startNs < heardNs) found.push(`signal ${i} began before the last one had passed`);
  });
  return found;
}

describe('whatever the load', () => {
  it('no two signals share the wire anywhere', () => {
    for (const seed of seeds) expect(overlaps(new RandomLoad(seed)), `seed ${seed}`).toEqual([]);
  });

  it('a frame that was carried arrives once at each station that it is for, and no other frame arrives', () => {
    for (const seed of seeds) {
      const { due, came } = new RandomLoad(seed);
      const expected = [...due].filter(([, times]) => times > 0).sort(([a], [b]) => a - b);
      expect(
        [...came].sort(([a], [b]) => a - b),
        `seed ${seed}`,
      ).toEqual(expected);
    }
  });

  it('the same seed gives the same events, another seed others', () => {
    const hash = (seed: number): string => new RandomLoad(seed).world.engine.traceHash();
    const first = seeds.slice(0, 10).map(hash);
    expect(seeds.slice(0, 10).map(hash)).toEqual(first);
    expect(new Set(first).size).toBe(10);
  });
});
