/** Time on the wire. */
import { type Check, holds, same, within } from '../check.ts';
import { eachCourse } from '../course.ts';
import type { Bounds } from './under-test.ts';
import { type Tried, World } from './world.ts';

export const wireClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a frame takes its bits at the speed of the medium; sent comes with its last bit, and its arrival not before',
    run: () => {
      const w = new World(bounds, ['a', 'b']);
      const [a, b] = [w.station(0), w.station(1)];
      for (const length of [100, 700, w.medium.mtuBytes]) {
        w.rest();
        const startNs = w.engine.nowNs;
        const ended = a.send(a.frame(b.address, 1, length));
        w.rest();
        const bitsNs = (length * 8 * 1e9) / w.medium.bitsPerSecond;
        const tookNs = (ended.atNs ?? 0) - startNs;
        within(`nanoseconds for ${length} bytes`, tookNs, bitsNs, bitsNs * 1.1 + 100_000);
        holds('it arrives with its last bit or after it', (b.arrived.at(-1)?.atNs ?? 0) >= (ended.atNs ?? 0));
      }
    },
  },
  {
    name: 'many stations together get no more across than the medium carries',
    run: () => {
      const w = new World(bounds, ['a', 'b', 'c', 'd', 'e']);
      const target = w.station(0);
      const go = (s: Tried): void => s.attachment.send(s.frame(target.address, 1, 1000), () => go(s));
      const startNs = w.engine.nowNs;
      for (const s of w.stations.slice(1)) go(s);
      w.rest(5e8);
      const bits = target.arrived.length * 1000 * 8;
      const seconds = (w.engine.nowNs - startNs) / 1e9;
      within('share of the medium', bits / seconds / w.medium.bitsPerSecond, 0.3, 1);
    },
  },
  {
    name: 'the same seed gives the same arrivals',
    run: () =>
      eachCourse(Math.min(bounds.courses, 3), (seed) => {
        const arrivals = (): number[][] => {
          const w = new World(bounds, ['a', 'b', 'c', 'd'], seed);
          const { random } = w;
          for (const s of w.stations) {
            const go = (n: number): void => {
              if (n > 0)
                s.attachment.send(s.frame(random.pick(w.stations).address, n, 1 + random.below(1400)), () =>
                  go(n - 1),
                );
            };
            go(15);
          }
          w.rest();
          return w.stations.map((s) =>
            s.arrived.flatMap(({ frame, atNs }) => [frame.payload()[0] ?? 0, atNs]),
          );
        };
        same('arrivals', arrivals(), arrivals());
      }),
  },
];
