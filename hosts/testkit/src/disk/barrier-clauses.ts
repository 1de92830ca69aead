/** The barrier: what orders requests that may otherwise be served in any order. */
import { seconds, sleep, type Task, us } from '@backplane/engine';
import { type Check, holds, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import type { Bounds } from './under-test.ts';
import { World } from './world.ts';

export const barrierClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a barrier returns when every write made before it is stored',
    run: () =>
      eachCourse(bounds.courses, (seed) => {
        const w = new World(bounds, seed);
        const { random } = w;
        const sectors = Array.from({ length: 10 }, () => random.below(w.disk.sectors));
        w.run(function* (disk) {
          for (const s of sectors) w.start(disk.write(s, w.full(1, 9)));
          // The writes are made when their threads have run.
          yield* sleep(0);
          yield* disk.barrier();
          for (const s of sectors) same(`sector ${s}`, w.valueOf(s), 9);
        });
      }),
  },
  {
    name: 'no write made after a barrier is stored before one that was made before it',
    run: () =>
      eachCourse(bounds.courses, (seed) => {
        const w = new World(bounds, seed);
        const { random } = w;
        const distinct = random.shuffle(Array.from({ length: 400 }, (_, i) => i * 10)).slice(0, 16);
        const [before, after] = [distinct.slice(0, 8), distinct.slice(8)];
        for (const s of before) w.start(w.disk.write(s, w.full(1, 1)));
        w.start(
          (function* (): Task<void> {
            yield* sleep(us(1));
            w.start(w.disk.barrier());
            yield* sleep(us(1));
            for (const s of after) w.start(w.disk.write(s, w.full(1, 2)));
          })(),
        );
        const has = (s: number, value: number): boolean => w.disk.inspect(s, 1)[0] === value;
        for (let i = 0; i < 400 && !after.every((s) => has(s, 2)); i++) {
          w.rig.after(us(700));
          if (after.some((s) => has(s, 2)))
            holds(
              'all before the barrier are stored',
              before.every((s) => has(s, 1)),
            );
        }
        w.rig.after(seconds(5));
        holds(
          'all are stored in the end',
          after.every((s) => has(s, 2)),
        );
      }),
  },
  {
    name: 'a barrier with nothing before it returns at once',
    run: () => {
      const w = new World(bounds);
      const startNs = w.rig.nowNs;
      w.run((disk) => disk.barrier());
      same('nanoseconds', w.rig.nowNs - startNs, 0);
    },
  },
];
