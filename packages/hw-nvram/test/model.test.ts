/** Random work against a plain array of numbers, while the disk fails now and then and the power goes. */
import { ms, sleep, type Task } from '@backplane/engine';
import { isKernelError } from '@backplane/slots';
import { expect, it } from 'vitest';
import { full, sectorBytes, World } from './world.ts';

const sectors = 200;
const workers = 3;

it('loses nothing that a write or a read has returned, whatever the disk does and whenever the power goes', () => {
  for (let seed = 1; seed <= 25; seed++) {
    const options = {
      bytes: 60 * sectorBytes,
      delaySeconds: 0.05,
      runBytes: 8 * sectorBytes,
      retrySeconds: 0.1,
    };
    const w = new World(sectors, options, { seed });
    const random = w.engine.random('work');
    /** What a sector may have: one value, or several where a write was cut or has failed. */
    const possible = Array.from({ length: sectors }, () => new Set([0]));
    const see = (first: number, found: readonly number[]): void => {
      for (const [i, value] of found.entries()) {
        const set = possible[first + i];
        if (set?.has(value) !== true)
          expect.fail(`seed ${seed}: sector ${first + i} has ${value}, not ${[...(set ?? [])].join(' or ')}`);
      }
    };
    let serial = 0;

    function* work(owner: number): Task<void> {
      for (;;) {
        // Each worker has ten sectors in thirty.
        const first = owner * 10 + 30 * random.below(6) + random.below(10);
        const count = 1 + random.below(10 - (first % 10));
        if (random.chance(0.3)) see(first, w.values(yield* w.disk.read(first, count)));
        else if (random.chance(0.1)) yield* w.disk.barrier();
        else yield* write(first, count);
        yield* sleep(random.below(ms(6)));
      }
    }
    function* write(first: number, count: number): Task<void> {
      const value = ++serial;
      for (let s = first; s < first + count; s++) possible[s]?.add(value);
      try {
        yield* w.disk.write(first, full(count, value));
      } catch (e) {
        if (!isKernelError(e, 'ioError')) throw e;
        return;
      }
      for (let s = first; s < first + count; s++) possible[s] = new Set([value]);
    }

    for (let round = 0; round < 5; round++) {
      for (let owner = 0; owner < workers; owner++) w.boot.spawn('worker', work(owner));
      w.pass(random.below(ms(300)));
      const bad = random.below(sectors);
      w.behind.broken = (sector) => sector >= bad && sector < bad + 20;
      w.pass(random.below(ms(300)));
      w.behind.broken = () => false;
      w.pass(random.below(ms(300)));
      w.crash();
      const found = w.values(w.disk.inspect(0, sectors));
      see(0, found);
      for (const [s, value] of found.entries()) possible[s] = new Set([value]);
    }
    see(0, w.values(w.run(w.disk.read(0, sectors))));
    w.engine.run();
    expect(w.metric('sectors')).toBe(0);
    see(0, w.values(w.behind.inspect(0, sectors)));
  }
});

it('keeps large writes, which go past the memory, and small ones in order', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const w = new World(sectors, { bytes: 40 * sectorBytes, delaySeconds: 0.01 }, { seed });
    const random = w.engine.random('work');
    const stored = new Array<number>(sectors).fill(0);
    w.run(
      (function* (): Task<void> {
        for (let value = 1; value <= 60; value++) {
          const count = random.chance(0.3) ? 21 + random.below(60) : 1 + random.below(20);
          const first = random.below(sectors - count + 1);
          yield* w.disk.write(first, full(count, value));
          stored.fill(value, first, first + count);
          if (random.chance(0.3)) yield* sleep(random.below(ms(20)));
          expect(w.values(yield* w.disk.read(first, count)), `seed ${seed}`).toEqual(
            stored.slice(first, first + count),
          );
        }
      })(),
    );
    expect(w.values(w.disk.inspect(0, sectors)), `seed ${seed}`).toEqual(stored);
    w.engine.run();
    expect(w.values(w.behind.inspect(0, sectors)), `seed ${seed}`).toEqual(stored);
  }
});
