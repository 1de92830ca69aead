import { sleep, type Task } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../src/index.ts';
import { figuresOf, sectorsOf, World } from './world.ts';

const perCylinder = 46 * 20;

/** Reads one sector of each cylinder, all asked for at once while the arm is busy on the first; the order in which they are served. */
function orderOf(policy: Policy, first: number, cylinders: readonly number[]): number[] {
  const w = new World({ profile: 'eagle', policy });
  const order: number[] = [];
  w.engine.trace.listen(['disk.request'], (e) => {
    if (e.kind === 'disk.request') order.push(e.fields.sector / perCylinder);
  });
  for (const c of [first, ...cylinders]) w.boot.spawn(`read${c}`, w.disk.read(c * perCylinder, 1));
  w.engine.run();
  return order;
}

describe('a queue of requests', () => {
  it('is served in order of arrival by fifo', () => {
    expect(orderOf('fifo', 400, [10, 500, 390, 800, 410])).toEqual([400, 10, 500, 390, 800, 410]);
  });

  it('is served nearest first by sstf', () => {
    expect(orderOf('sstf', 400, [10, 500, 390, 800, 410])).toEqual([400, 390, 410, 500, 800, 10]);
  });

  it('is served in one direction and then in the other by scan', () => {
    expect(orderOf('scan', 400, [10, 500, 390, 800, 410])).toEqual([400, 410, 500, 800, 390, 10]);
  });

  it('needs less time with an elevator than in order of arrival', () => {
    const seconds = (policy: Policy): number => {
      const w = new World({ profile: 'eagle', policy });
      const random = w.engine.random('sectors');
      for (let i = 0; i < 200; i++) w.boot.spawn(`r${i}`, w.disk.read(random.below(w.disk.sectors), 8));
      w.engine.run();
      expect(w.meters.read('disk.server.queueMax')).toBe(200);
      return w.engine.nowNs / 1e9;
    };
    expect(seconds('scan')).toBeLessThan(0.6 * seconds('fifo'));
  });

  it.each(['scan', 'sstf', 'fifo'] as const)(
    'never reorders two writes of one sector, nor a write and a read of it (%s)',
    (policy) => {
      for (let seed = 0; seed < 30; seed++) {
        const w = new World({ profile: 'eagle', policy }, seed);
        const random = w.engine.random('requests');
        const model = new Map<number, number>();
        for (let i = 0; i < 60; i++) {
          const sector = random.below(6) * 150_000;
          const mark = i + 1;
          if (random.chance(0.5)) {
            model.set(sector, mark);
            w.boot.spawn(`write${i}`, w.disk.write(sector, new Uint8Array(512).fill(mark)));
          } else {
            const expected = model.get(sector) ?? 0;
            w.boot.spawn(
              `read${i}`,
              (function* (): Task<void> {
                expect((yield* w.disk.read(sector, 1))[0], `seed ${seed}, request ${i}`).toBe(expected);
              })(),
            );
          }
        }
        w.engine.run();
        for (const [sector, mark] of model) expect(w.disk.inspect(sector, 1)[0]).toBe(mark);
      }
    },
  );

  it('lets nothing overtake a barrier, and the barrier waits for all before it', () => {
    const w = new World({ profile: 'eagle', policy: 'sstf' });
    const order: string[] = [];
    const write = function* (name: string, cylinder: number): Task<void> {
      yield* w.disk.write(cylinder * perCylinder, sectorsOf(1, 1));
      order.push(name);
    };
    w.boot.spawn('a', write('first', 0));
    w.boot.spawn('b', write('far, before', 800));
    w.boot.spawn(
      'c',
      (function* (): Task<void> {
        yield* w.disk.barrier();
        order.push('barrier');
      })(),
    );
    w.boot.spawn('d', write('near, after', 1));
    w.engine.run();
    expect(order).toEqual(['first', 'far, before', 'barrier', 'near, after']);
  });

  it('passes a barrier at once when nothing is under way', () => {
    const w = new World({ profile: 'eagle' });
    w.run(w.disk.barrier());
    expect(w.engine.nowNs).toBe(0);
  });

  it('serves a request though the thread that made it was cancelled', () => {
    const w = new World({ profile: 'eagle' });
    const writer = w.boot.spawn('writer', w.disk.write(100, sectorsOf(1, 9)));
    w.boot.spawn(
      'killer',
      (function* (): Task<void> {
        yield* sleep(1000);
        writer.cancel();
      })(),
    );
    w.engine.run();
    expect(w.disk.inspect(100, 1)).toEqual(sectorsOf(1, 9));
  });

  it('knows the geometry: consecutive sectors share a cylinder until its end', () => {
    const w = new World({ profile: 'eagle' });
    const f = figuresOf('eagle');
    w.run(w.disk.read(0, f.heads * f.sectorsPerTrack));
    expect(w.meters.read('disk.server.seekSeconds')).toBe(0);
    w.run(w.disk.read(f.heads * f.sectorsPerTrack, 1));
    expect(w.meters.read('disk.server.seekSeconds')).toBeCloseTo(f.singleSeekMs / 1e3, 6);
  });
});
