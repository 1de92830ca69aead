/**
 * The segment decides centrally, in one event for a frame that meets nobody, what each station would have sensed for
 * itself. Here the two are compared, nanosecond by nanosecond.
 */
import { Engine } from '@backplane/engine';
import { Frame } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { wireNs } from '../src/index.ts';
import { type Job, type Outcome, sensingModel } from './model.ts';
import { type Probe, World } from './world.ts';

interface Case {
  readonly lengthMeters: number;
  readonly stations: number;
  readonly jobs: number;
  readonly overMs: number;
}

const cases: readonly Case[] = [
  { lengthMeters: 0, stations: 4, jobs: 120, overMs: 20 },
  { lengthMeters: 500, stations: 3, jobs: 120, overMs: 30 },
  { lengthMeters: 1000, stations: 8, jobs: 160, overMs: 20 },
  { lengthMeters: 1100, stations: 6, jobs: 160, overMs: 20 },
  { lengthMeters: 1100, stations: 24, jobs: 240, overMs: 1 },
];

describe('a segment beside stations that each sense for themselves', () => {
  for (const one of cases) {
    const name = `${one.stations} stations on ${one.lengthMeters} m, ${one.jobs} frames within ${one.overMs} ms`;
    it(`carries the same frames at the same nanoseconds: ${name}`, () => {
      for (let seed = 1; seed <= 25; seed++) {
        const { segment, model } = both(one, seed);
        expect(segment, `seed ${seed}`).toEqual(model);
      }
    });
  }
});

function both(one: Case, seed: number): { segment: string[]; model: string[] } {
  const draw = new Engine({ seed }).random('load');
  const names = Array.from({ length: one.stations }, (_, i) => `s${i}`);
  const positions = Object.fromEntries(
    names.map((name) => [name, one.lengthMeters === 0 ? 0 : draw.below(one.lengthMeters + 1)]),
  );
  const jobs: Job[] = [];
  const payloads: number[] = [];
  for (let i = 0; i < one.jobs; i++) {
    const payload = draw.chance(0.5) ? 46 : draw.below(1501);
    jobs.push({
      station: draw.below(one.stations),
      atNs: draw.below(one.overMs * 1_000_000),
      wireNs: wireNs(payload),
    });
    payloads.push(payload);
  }
  const order = jobs.map((_, i) => i).sort((a, b) => (jobs[a]?.atNs ?? 0) - (jobs[b]?.atNs ?? 0));

  // ---- the segment ----
  const world = new World({ lengthMeters: 1100, positions }, seed);
  const segment: Outcome[] = [];
  const starts = new Map<string, number>();
  world.medium.tap((_frame, startNs, from) => starts.set(from, startNs));
  const probes = names.map((name) => world.probe(name));
  const queues: { payload: number }[][] = names.map(() => []);
  const feed = (station: number): void => {
    const probe = probes[station] as Probe;
    const head = queues[station]?.[0];
    if (head === undefined) return;
    const frame = new Frame(0, probe.address, 0, [new Uint8Array(head.payload)]);
    probe.attachment.send(frame, (delivered) => {
      const endNs = world.engine.nowNs;
      const startNs = delivered ? endNs - wireNs(head.payload) : -1;
      segment.push({ station, startNs, endNs, delivered });
      queues[station]?.shift();
      feed(station);
    });
  };
  for (const i of order) {
    const { station, atNs } = jobs[i] as Job;
    world.engine.run(atNs);
    const queue = queues[station] as { payload: number }[];
    queue.push({ payload: payloads[i] as number });
    if (queue.length === 1) feed(station);
  }
  world.run();

  // ---- the model ----
  const streams = new Engine({ seed });
  const model = sensingModel(
    names.map((name) => Math.round((positions[name] ?? 0) * 4.33)),
    names.map((name) => streams.random('ethernet.backoff', name)),
    order.map((i) => jobs[i] as Job),
  ).map((o) => (o.delivered ? o : { ...o, startNs: -1 }));
  return { segment: lines(segment), model: lines(model) };
}

/** One line for each frame; when a station gives up is told by the frames around it. */
const lines = (outcomes: readonly Outcome[]): string[] =>
  outcomes
    .map(({ station, startNs, endNs, delivered }) => ({ station, startNs, endNs, delivered }))
    .sort((a, b) => a.endNs - b.endNs || a.station - b.station)
    .map((o) => (o.delivered ? `${o.startNs}..${o.endNs} s${o.station}` : `s${o.station} gives up`));
