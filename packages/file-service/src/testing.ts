/** For tests of file services and storages: what readers may see, and storages on trial on a treacherous disk. */

export { MemoryDisk } from './testing/memory-disk.ts';
export { idsIn, ModelFile, slotBytes, slotOf } from './testing/model-file.ts';
export { SmallCache } from './testing/small-cache.ts';
export type { CrashingStore } from './testing/storage-campaigns.ts';
export { Driver, type DriverOptions } from './testing/storage-driver.ts';
export { Durable } from './testing/storage-durable.ts';
export { firstDifference, Model, type ModelNode } from './testing/storage-model.ts';
export { type StorageTrial, storageTrial } from './testing/storage-trial.ts';
export type { StorageWorldOptions, StoreOnTrial } from './testing/storage-world.ts';
export { StorageWorld } from './testing/storage-world.ts';
