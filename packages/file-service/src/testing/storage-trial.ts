/** What the tests of one storage want of these tools: its options and the world's in one object. */
import { type CrashingStore, crashes, sequences } from './storage-campaigns.ts';
import type { DriverOptions } from './storage-driver.ts';
import { StorageWorld, type StorageWorldOptions } from './storage-world.ts';

type Seeds = number | readonly number[];

export interface StorageTrial<O> {
  world(o?: O & StorageWorldOptions): StorageWorld;
  sequences(
    seeds: Seeds,
    steps: number,
    o: O & StorageWorldOptions,
    d: DriverOptions,
  ): { readonly spills: number };
  crashes(
    seeds: Seeds,
    o: O & StorageWorldOptions,
    d: DriverOptions,
  ): { readonly held: number; readonly repairs: number };
}

/** @param store the storage with these options */
export function storageTrial<O extends object>(store: (options: O) => CrashingStore): StorageTrial<O> {
  return {
    world: (o) => {
      const { options, world } = parted(o ?? ({} as O));
      return new StorageWorld(store(options), world);
    },
    sequences: (seeds, steps, o, d) => {
      const { options, world } = parted(o);
      return sequences(seeds, steps, store(options), world, d);
    },
    crashes: (seeds, o, d) => {
      const { options, world } = parted(o);
      return crashes(seeds, store(options), world, d);
    },
  };
}

const worldKeys: ReadonlySet<string> = new Set<keyof StorageWorldOptions>([
  'sectors',
  'sectorBytes',
  'latencyNs',
  'cachePlaces',
  'cacheWriteNs',
  'seed',
]);

/** Splits what is the world's from what is the board's. */
function parted<O extends object>(o: O & StorageWorldOptions): { options: O; world: StorageWorldOptions } {
  const entries = Object.entries(o);
  return {
    options: Object.fromEntries(entries.filter(([key]) => !worldKeys.has(key))) as O,
    world: Object.fromEntries(entries.filter(([key]) => worldKeys.has(key))),
  };
}
