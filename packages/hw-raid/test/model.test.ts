/** Random work against a plain array of numbers, while members fail, are replaced, and the power goes. */
import { ms, type RandomStream, sleep, type Task, us } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import type { Level } from '../src/index.ts';
import { seeds } from './courses.ts';
import { full, World } from './world.ts';

interface Shape {
  readonly level: Level;
  readonly members: number;
  readonly unitSectors: number;
}

const workers = 4;
const diskSectors = 240;

/** Sectors belong to workers by zones of any length, so that neighbours in a row have different owners. */
class Model {
  readonly w: World;
  readonly random: RandomStream;
  readonly stored: number[];
  /** What is being written, by sector. */
  readonly #underWay = new Map<number, number>();
  readonly #zones: { readonly owner: number; readonly first: number; readonly end: number }[] = [];
  #serial = 0;

  constructor(shape: Shape, seed: number) {
    const { level, unitSectors } = shape;
    this.w = new World(
      shape.members,
      diskSectors,
      { level, unitSectors, strikeSeconds: 0.1, rebuildShare: 0.7 },
      seed,
    );
    this.random = this.w.engine.random('work');
    this.stored = new Array<number>(this.w.array.sectors).fill(0);
    for (let first = 0; first < this.stored.length; ) {
      const end = Math.min(this.stored.length, first + 1 + this.random.below(40));
      this.#zones.push({ owner: this.#zones.length % workers, first, end });
      first = end;
    }
  }

  start(): void {
    for (let owner = 0; owner < workers; owner++) this.w.boot.spawn('worker', this.#work(owner));
  }

  *#work(owner: number): Task<void> {
    const zones = this.#zones.filter((z) => z.owner === owner);
    for (;;) {
      const zone = this.random.pick(zones);
      const first = zone.first + this.random.below(zone.end - zone.first);
      const count = 1 + this.random.below(zone.end - first);
      if (this.random.chance(0.4)) {
        const found = this.w.values(yield* this.w.array.read(first, count));
        if (found.some((value, i) => value !== this.stored[first + i]))
          expect(found, `read ${count} at ${first}`).toEqual(this.stored.slice(first, first + count));
      } else yield* this.#write(first, count);
      yield* sleep(this.random.below(us(1200)));
    }
  }

  *#write(first: number, count: number): Task<void> {
    const value = ++this.#serial;
    for (let s = first; s < first + count; s++) this.#underWay.set(s, value);
    yield* this.w.array.write(first, full(count, value));
    for (let s = first; s < first + count; s++) {
      this.stored[s] = value;
      this.#underWay.delete(s);
    }
  }

  /** All that there is, as it is read. */
  *all(): Task<readonly number[]> {
    return this.w.values(yield* this.w.array.read(0, this.stored.length));
  }

  /** Power off and on: what was under way is old or new, the rest as it was. */
  crash(): void {
    this.w.crash();
    const atOnce = this.w.values(this.w.array.inspect(0, this.stored.length));
    for (const [s, value] of atOnce.entries()) {
      const old = this.stored[s] ?? -1;
      const underWay = this.#underWay.get(s) ?? old;
      if (value !== old && value !== underWay)
        expect.fail(`sector ${s} has ${value}, and had ${old}; ${underWay} was under way`);
      this.stored[s] = value;
    }
    this.#underWay.clear();
    expect(this.w.run(this.all()), 'what the next boot reads').toEqual(atOnce);
  }

  /** Nobody works: everything is as it should be, however one looks. */
  quiet(): void {
    expect(this.w.values(this.w.array.inspect(0, this.stored.length)), 'inspected').toEqual(this.stored);
  }

  pass(forNs: number): void {
    this.w.engine.run(this.w.engine.nowNs + forNs);
  }
}

const shapes: readonly Shape[] = [
  { level: 5, members: 3, unitSectors: 2 },
  { level: 5, members: 4, unitSectors: 3 },
  { level: 5, members: 5, unitSectors: 1 },
  { level: 5, members: 5, unitSectors: 4 },
  { level: 1, members: 2, unitSectors: 3 },
  { level: 1, members: 3, unitSectors: 2 },
];
const nameOf = (s: Shape): string => `level ${s.level}, ${s.members} members, units of ${s.unitSectors}`;

describe.each(shapes.map((s) => [nameOf(s), s] as const))('an array of %s', (_, shape) => {
  it('loses nothing, whatever fails and whenever the power goes, as long as one thing fails at a time', () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const m = new Model(shape, seed);
      const { random, w } = m;
      try {
        for (let round = 0; round < 3; round++) {
          m.start();
          m.pass(random.below(ms(30)));
          if (random.chance(0.5)) {
            m.crash();
            // Check units fit again before the next thing fails.
            m.pass(ms(500));
            m.start();
            m.pass(random.below(ms(10)));
          }
          const index = random.below(shape.members);
          const disk = w.disks[index];
          if (disk === undefined) throw new Error('no member');
          disk.broken = true;
          // Long enough for somebody to notice, and for what was under way then to end.
          m.pass(ms(25) + random.below(ms(10)));
          expect(w.array.lost).toEqual([`disk.${index + 1}`]);
          if (random.chance(0.5)) {
            m.crash();
            m.start();
            m.pass(random.below(ms(20)));
          }
          disk.broken = false;
          if (random.chance(0.7)) disk.medium.fill(0xee);
          let rebuilding = w.boot.spawn('rebuild', w.array.rebuild(`disk.${index + 1}`));
          m.pass(random.below(ms(30)));
          if (random.chance(0.4)) {
            m.crash();
            expect(w.array.lost.length).toBeLessThanOrEqual(1);
            m.start();
            if (w.array.lost.length > 0)
              rebuilding = w.boot.spawn('rebuild', w.array.rebuild(`disk.${index + 1}`));
          }
          for (let i = 0; i < 1000 && !rebuilding.ended; i++) m.pass(ms(5));
          expect(w.array.lost, 'rebuilt').toEqual([]);
          m.crash();
          // The regions of what was cut are seen to.
          m.pass(ms(500));
          m.quiet();
          if (shape.level === 5)
            expect(
              w.unfitRows(shape.unitSectors, m.stored.length / (shape.members - 1) / shape.unitSectors),
            ).toEqual([]);
        }
      } catch (e) {
        throw new Error(`seed ${seed}: ${e instanceof Error ? e.message : String(e)}`, { cause: e });
      }
    }
  });
});
