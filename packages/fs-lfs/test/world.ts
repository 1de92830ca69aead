/** The storage under test, and its worlds. */
import {
  type CrashingStore,
  crashes as crashesOf,
  type DriverOptions,
  StorageWorld,
  type StorageWorldOptions,
  sequences as sequencesOf,
} from '@backplane/file-service/testing';
import type { CleaningPolicy } from '@backplane/slots';
import { type LfsOptions, lfsFormat, lfsStorage } from '../src/index.ts';

export interface WorldOptions extends StorageWorldOptions, LfsOptions {}

/** The simplest policy that there is: least live bytes first. */
const emptiest: CleaningPolicy = {
  choose: (candidates) => [...candidates].sort((a, b) => a.liveBytes - b.liveBytes || a.segment - b.segment),
  arrange: (blocks) => blocks,
};

/** Splits what is the world's from what is the board's. */
function parted(o: WorldOptions): { readonly store: CrashingStore; readonly world: StorageWorldOptions } {
  const { sectors, sectorBytes, latencyNs, cachePlaces, cacheWriteNs, seed, ...options } = o;
  return {
    store: {
      board: lfsStorage(options),
      format: lfsFormat,
      beside: { cleaner: emptiest },
      whileAttached: [],
      // The last checkpoint is always whole.
      allowed: [],
      repairs: 'storage.lfs.recoveredFiles',
    },
    world: {
      ...(sectors !== undefined && { sectors }),
      ...(sectorBytes !== undefined && { sectorBytes }),
      ...(latencyNs !== undefined && { latencyNs }),
      ...(cachePlaces !== undefined && { cachePlaces }),
      ...(cacheWriteNs !== undefined && { cacheWriteNs }),
      ...(seed !== undefined && { seed }),
    },
  };
}

export class World extends StorageWorld {
  constructor(o: WorldOptions = {}) {
    const { store, world } = parted(o);
    super(store, world);
  }
}

type Seeds = number | readonly number[];

export function sequences(
  seeds: Seeds,
  steps: number,
  o: WorldOptions,
  d: DriverOptions,
): { readonly spills: number } {
  const { store, world } = parted(o);
  return sequencesOf(seeds, steps, store, world, d);
}

export function crashes(
  seeds: Seeds,
  o: WorldOptions,
  d: DriverOptions,
): { readonly held: number; readonly repairs: number } {
  const { store, world } = parted(o);
  return crashesOf(seeds, store, world, d);
}
