/** Random operations over many seeds: with reboots, and with power failures. Errors name the seed: call with `[seed]` to see one again. */
import { sleep, type Task } from '@backplane/engine';
import { expect } from 'vitest';
import { Driver, type DriverOptions } from './driver.ts';
import { Durable } from './durable.ts';
import { World, type WorldOptions } from './world.ts';

const seedsOf = (seeds: number | readonly number[]): readonly number[] =>
  typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => i + 1) : seeds;

/** Runs sequences of operations with reboots in between. A failure names the seed. */
export function sequences(
  seeds: number | readonly number[],
  steps: number,
  o: WorldOptions,
  d: DriverOptions,
): { readonly spills: number } {
  let spills = 0;
  for (const seed of seedsOf(seeds)) {
    const w = new World({ ...o, seed });
    w.attach();
    const driver = new Driver(() => w.storage, w.engine.random('operations'), d);
    const boots = 3;
    try {
      for (let boot = 0; boot < boots; boot++) {
        w.run(
          (function* (): Task<void> {
            for (let i = 0; i < steps / boots; i++) {
              yield* driver.step();
              if (w.engine.random('pause').chance(0.02)) yield* sleep(20_000_000_000);
            }
            yield* driver.compareTree();
            yield* driver.closeAll();
            yield* w.storage.sync();
          })(),
        );
        expect(w.check()).toEqual([]);
        w.reboot();
        driver.rebooted();
        expect(w.check().filter((f) => f.kind !== 'summary')).toEqual([]);
        w.run(driver.compareTree());
      }
    } catch (e) {
      throw new Error(`seed ${seed}: ${e instanceof Error ? e.message : e}`, { cause: e });
    }
    spills += driver.spills;
  }
  return { spills };
}

/** What the disk may say wrongly after a crash, before it is repaired: never a block with two owners or a lost pointer. */
const allowed = ['orphan', 'entry', 'links', 'tree', 'bitmap', 'beyond'];

/** Crashes at a random instant, checks, and verifies what was promised. A failure names the seed. */
export function crashes(
  seeds: number | readonly number[],
  o: WorldOptions,
  d: DriverOptions,
): { readonly held: number; readonly repairs: number } {
  let held = 0;
  let repairs = 0;
  for (const seed of seedsOf(seeds)) {
    const w = new World({ latencyNs: 6_000_000, sectors: 3000, ...o, seed });
    w.attach();
    const random = w.engine.random('crash');
    const driver = new Driver(() => w.storage, w.engine.random('operations'), d);
    const durable = new Durable(driver.model);
    driver.touching = (node, name) => durable.touch(node, name);
    driver.synced = (node) => durable.promise(node);
    try {
      w.boot.spawn(
        'driver',
        (function* (): Task<void> {
          for (;;) {
            yield* driver.step();
            yield* sleep(random.below(random.chance(0.05) ? 12_000_000_000 : 60_000_000));
          }
        })(),
      );
      w.engine.run(w.engine.nowNs + random.below(90_000_000_000));
      w.crash();
      expect(w.check().filter((f) => !allowed.includes(f.kind))).toEqual([]);
      // Power may fail again while the disk is being checked.
      for (let again = random.below(3); again > 0; again--) {
        w.boot.spawn('recover', w.storage.recover());
        w.engine.run(w.engine.nowNs + random.below(300_000_000));
        w.crash();
      }
      w.attach();
      repairs += w.meter('storage.ofs.repairs');
      expect(w.check()).toEqual([]);
      held += w.run(durable.verify(w.storage));
      w.run(durable.readAll(w.storage));
      w.reboot();
      expect(w.check()).toEqual([]);
      w.run(durable.verify(w.storage));
    } catch (e) {
      const log = driver.log.slice(-10).join('\n   ');
      throw new Error(`seed ${seed}: ${e instanceof Error ? e.message : e}\n   ${log}`, { cause: e });
    }
  }
  return { held, repairs };
}
