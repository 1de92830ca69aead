/** An array of sectors: what is written is read, and what is on the medium can be looked at. */
import type { Task } from '@backplane/engine';
import { kindOf, pattern } from '@backplane/slots/testing';
import { digest } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import type { Bounds } from './under-test.ts';
import { World } from './world.ts';

export const sectorClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'what was never written reads as zeros',
    run: () => {
      const w = new World(bounds);
      w.run(function* (disk) {
        for (const sector of [0, 1000, disk.sectors - 3])
          same(`from ${sector}`, digest(yield* disk.read(sector, 3)), digest(w.full(3, 0)));
      });
      same('extents', w.disk.extents().length, 0);
    },
  },
  {
    name: 'a read brings what was written, to the first and the last sector and across all bounds',
    run: () => {
      const w = new World(bounds);
      w.run(function* (disk) {
        for (const [i, count] of [1, 2, 8, 100, 1000].entries())
          for (const sector of [0, 17, 1111, disk.sectors - count]) {
            const bytes = pattern(count * disk.sectorBytes, sector + i);
            yield* disk.write(sector, bytes);
            same(`${count} sectors from ${sector}`, digest(yield* disk.read(sector, count)), digest(bytes));
          }
      });
    },
  },
  {
    name: 'a write is on the medium when it returns',
    run: () => {
      const w = new World(bounds);
      w.run(function* (disk) {
        for (const sector of [5, 2000, 700]) {
          yield* disk.write(sector, w.full(40, sector % 251));
          same(`sector ${sector}`, digest(disk.inspect(sector, 40)), digest(w.full(40, sector % 251)));
        }
      });
    },
  },
  {
    name: 'noSuchSector for what lies outside, and nothing is written',
    run: () => {
      const w = new World(bounds);
      w.run(function* (disk) {
        const { sectors } = disk;
        for (const [sector, count] of [
          [sectors, 1],
          [sectors - 1, 2],
          [-1, 1],
          [sectors + 1000, 5],
        ] as const) {
          same(`read of ${count} at ${sector}`, yield* kindOf(disk.read(sector, count)), 'noSuchSector');
          same(
            `write of ${count} at ${sector}`,
            yield* kindOf(disk.write(sector, w.full(count, 1))),
            'noSuchSector',
          );
        }
      });
      same('the last sector', w.valueOf(w.disk.sectors - 1), 0);
    },
  },
  {
    name: 'load and inspect see the medium and cost no virtual time',
    run: () => {
      const w = new World(bounds);
      const bytes = pattern(300 * w.disk.sectorBytes, 1);
      const startNs = w.rig.nowNs;
      w.disk.load(1000, bytes);
      same('what was loaded', digest(w.disk.inspect(1000, 300)), digest(bytes));
      same('nanoseconds', w.rig.nowNs - startNs, 0);
      same('read', digest(w.run((disk) => disk.read(1000, 300))), digest(bytes));
    },
  },
  {
    name: 'what was inspected does not change with the medium',
    run: () => {
      const w = new World(bounds);
      w.disk.load(0, w.full(2, 1));
      const before = w.disk.inspect(0, 2);
      w.run((disk) => disk.write(0, w.full(2, 2)));
      same('before', digest(before), digest(w.full(2, 1)));
    },
  },
  {
    name: 'extents hold everything that is not zeros, in order of sectors',
    run: () => {
      const w = new World(bounds);
      const { disk } = w;
      const expected = new Uint8Array(4000 * disk.sectorBytes);
      for (const [sector, count] of [
        [3000, 5],
        [0, 1],
        [130, 300],
        [3999, 1],
      ] as const) {
        const bytes = pattern(count * disk.sectorBytes, sector);
        w.run(() => disk.write(sector, bytes));
        expected.set(bytes, sector * disk.sectorBytes);
      }
      const found = new Uint8Array(expected.length);
      let end = 0;
      for (const { sector, data } of disk.extents()) {
        holds('in order, none overlaps', sector >= end);
        end = sector + data.length / disk.sectorBytes;
        for (let s = sector; s < Math.min(end, 4000); s++) {
          const at = (s - sector) * disk.sectorBytes;
          found.set(data.subarray(at, at + disk.sectorBytes), s * disk.sectorBytes);
        }
      }
      holds('none lies outside', end <= disk.sectors);
      same('what they hold', digest(found), digest(expected));
    },
  },
  {
    name: 'requests of many threads at once: of writes to one sector one is whole, and reads bring what some write put there',
    run: () =>
      eachCourse(bounds.courses, (seed) => {
        const w = new World(bounds, seed);
        const { random } = w;
        const writers = Array.from({ length: 12 }, (_, i) => ({
          value: i + 1,
          sector: random.below(60),
          count: 1 + random.below(30),
        }));
        const possible = (s: number): number[] => [
          0,
          ...writers.filter((r) => r.sector <= s && s < r.sector + r.count).map((r) => r.value),
        ];
        const readers = Array.from({ length: 6 }, () => ({
          sector: random.below(60),
          count: 1 + random.below(30),
        }));
        w.run(function* (disk) {
          const threads = [
            ...writers.map((r) => w.start(disk.write(r.sector, w.full(r.count, r.value)))),
            ...readers.map((r) =>
              w.start(
                (function* (): Task<void> {
                  const bytes = yield* disk.read(r.sector, r.count);
                  for (let i = 0; i < r.count; i++) {
                    const value = bytes[i * disk.sectorBytes] ?? -1;
                    holds(`sector ${r.sector + i} reads ${value}`, possible(r.sector + i).includes(value));
                  }
                })(),
              ),
            ),
          ];
          for (const t of threads) yield* t.join();
        });
        for (let s = 0; s < 90; s++) {
          const all = possible(s);
          holds(
            `sector ${s} is one of its writes`,
            all.length === 1 ? w.valueOf(s) === 0 : all.slice(1).includes(w.valueOf(s)),
          );
        }
      }),
  },
];
