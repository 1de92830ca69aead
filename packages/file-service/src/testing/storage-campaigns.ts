/** Random operations over many seeds: with reboots, and with power failures. Errors name the seed: call with `[seed]` to see one again. */
import { sleep, type Task } from '@backplane/engine';
import type { Finding } from '@backplane/slots';
import { Driver, type DriverOptions } from './storage-driver.ts';
import { Durable } from './storage-durable.ts';
import { StorageWorld, type StorageWorldOptions, type StoreOnTrial } from './storage-world.ts';

const seedsOf = (seeds: number | readonly number[]): readonly number[] =>
  typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => i + 1) : seeds;

/** A storage that is crashed. */
export interface CrashingStore extends StoreOnTrial {
  /** Findings that the disk may have after a crash, before it is recovered. */
  readonly allowed: readonly string[];
  /** The metric that says how much recovery did. */
  readonly repairs: string;
}

function sound(findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  const text = findings.slice(0, 5).map((f) => `${f.kind}: ${f.where}: ${f.text}`);
  throw new Error(`${findings.length} findings:\n   ${text.join('\n   ')}`);
}

/** Runs sequences of operations with reboots in between. A failure names the seed. */
export function sequences(
  seeds: number | readonly number[],
  steps: number,
  store: StoreOnTrial,
  o: StorageWorldOptions,
  d: DriverOptions,
): { readonly spills: number } {
  let spills = 0;
  for (const seed of seedsOf(seeds)) {
    const w = new StorageWorld(store, { ...o, seed });
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
        sound(w.check());
        w.reboot();
        driver.rebooted();
        sound(w.check().filter((f) => !store.whileAttached.includes(f.kind)));
        w.run(driver.compareTree());
      }
    } catch (e) {
      throw new Error(`seed ${seed}: ${e instanceof Error ? e.message : e}`, { cause: e });
    }
    spills += driver.spills;
  }
  return { spills };
}

/** Crashes at a random instant, checks, and verifies what was promised. A failure names the seed. */
export function crashes(
  seeds: number | readonly number[],
  store: CrashingStore,
  o: StorageWorldOptions,
  d: DriverOptions,
): { readonly held: number; readonly repairs: number } {
  const { allowed, repairs: meter } = store;
  let held = 0;
  let repairs = 0;
  for (const seed of seedsOf(seeds)) {
    const w = new StorageWorld(store, { latencyNs: 6_000_000, sectors: 3000, ...o, seed });
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
      sound(w.check().filter((f) => !allowed.includes(f.kind)));
      // Power may fail again while the disk is being checked.
      for (let again = random.below(3); again > 0; again--) {
        w.boot.spawn('recover', w.storage.recover());
        w.engine.run(w.engine.nowNs + random.below(300_000_000));
        w.crash();
      }
      w.attach();
      repairs += w.meter(meter);
      sound(w.check());
      held += w.run(durable.verify(w.storage));
      w.run(durable.readAll(w.storage));
      w.reboot();
      sound(w.check());
      w.run(durable.verify(w.storage));
    } catch (e) {
      const log = driver.log.slice(-10).join('\n   ');
      throw new Error(`seed ${seed}: ${e instanceof Error ? e.message : e}\n   ${log}`, { cause: e });
    }
  }
  return { held, repairs };
}
