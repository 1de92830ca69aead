/** Power failures: each sector is either old or new. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { kindOf } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import type { Bounds } from './under-test.ts';
import { World } from './world.ts';

export const powerClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'what is stored survives crashes and halts, and the disk works in the next boot',
    run: () => {
      const w = new World(bounds);
      w.run((disk) => disk.write(50, w.full(30, 1)));
      w.rig.reboot('server');
      same('after a crash', digest(w.run((disk) => disk.read(50, 30))), digest(w.full(30, 1)));
      w.run((disk) => disk.write(60, w.full(30, 2)));
      w.rig.drive(() => w.rig.machine('server').halt());
      w.rig.boot('server');
      same('after a halt', digest(w.run((disk) => disk.read(60, 30))), digest(w.full(30, 2)));
    },
  },
  {
    name: 'a crash leaves each sector of a request old or new, never mixed; what had returned is new; nothing changes later',
    run: () =>
      eachCourse(bounds.courses, (seed) => {
        const w = new World(bounds, seed);
        const { disk, random } = w;
        const sectors = 120;
        disk.load(0, w.full(sectors, 255));
        const allowed = Array.from({ length: sectors }, () => new Set([255]));
        const returned: (readonly [number, number, number])[] = [];
        for (let value = 1; value <= 12; value++) {
          const sector = random.below(100);
          const count = 1 + random.below(20);
          for (let s = sector; s < sector + count; s++) allowed[s]?.add(value);
          w.start(
            (function* (): Task<void> {
              yield* sleep(random.below(seconds(0.1)));
              yield* disk.write(sector, w.full(count, value));
              returned.push([sector, count, value]);
              // A later write over it is what may be there instead.
            })(),
          );
        }
        w.rig.after(random.below(seconds(0.4)));
        w.rig.crash('server');
        const last = new Map<number, number>();
        for (const [sector, count, value] of returned)
          for (let s = sector; s < sector + count; s++) last.set(s, value);
        const after = disk.inspect(0, sectors);
        for (let s = 0; s < sectors; s++) {
          const value = w.valueOf(s);
          holds(`sector ${s} is not mixed`, value >= 0);
          holds(`sector ${s} has a value that was written: ${value}`, allowed[s]?.has(value) === true);
          if (last.has(s)) holds(`sector ${s} is not older than what had returned`, value !== 255);
        }
        w.rig.after(seconds(10));
        same('ten seconds later', digest(disk.inspect(0, sectors)), digest(after));
        w.rig.boot('server');
        same(
          'the next boot writes',
          w.run((d) => kindOf(d.write(0, w.full(1, 77)))),
          'ok',
        );
        same('what it wrote', w.valueOf(0), 77);
      }),
  },
  {
    name: 'a crash drops requests: none of them is served, and no thread of the old boot goes on',
    run: () => {
      const w = new World(bounds);
      let returned = 0;
      const writes = Array.from({ length: 20 }, (_, i) => i * 150);
      for (const s of writes)
        w.start(
          (function* (): Task<void> {
            yield* sleep(seconds(1));
            yield* w.disk.write(s, w.full(1, 3));
            returned++;
          })(),
        );
      w.rig.after(seconds(1));
      w.rig.crash('server');
      const [then, stored] = [returned, writes.filter((s) => w.valueOf(s) === 3).length];
      w.rig.after(seconds(10));
      same('returned', returned, then);
      same('stored', writes.filter((s) => w.valueOf(s) === 3).length, stored);
    },
  },
];
