/** The storage under test, and its worlds. */
import { type StorageTrial, type StorageWorld, storageTrial } from '@backplane/file-service/testing';
import type { CleaningPolicy } from '@backplane/slots';
import { type LfsOptions, lfsFormat, lfsStorage } from '../src/index.ts';

/** The simplest policy that there is: least live bytes first. */
const emptiest: CleaningPolicy = {
  choose: (candidates) => [...candidates].sort((a, b) => a.liveBytes - b.liveBytes || a.segment - b.segment),
  arrange: (blocks) => blocks,
};

export const trial: StorageTrial<LfsOptions> = storageTrial((options: LfsOptions) => ({
  board: lfsStorage(options),
  format: lfsFormat,
  beside: { cleaner: emptiest },
  whileAttached: [],
  // The last checkpoint is always whole.
  allowed: [],
  repairs: 'storage.lfs.recoveredFiles',
}));
export type World = StorageWorld;
