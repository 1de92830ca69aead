/** The storage under test, and its worlds. */
import {
  type StorageTrial,
  type StorageWorld,
  type StorageWorldOptions,
  storageTrial,
} from '@backplane/file-service/testing';
import { type OfsOptions, ofsFormat, ofsStorage } from '../src/index.ts';

export type WorldOptions = StorageWorldOptions & OfsOptions;

export const trial: StorageTrial<OfsOptions> = storageTrial((options: OfsOptions) => ({
  board: ofsStorage(options),
  format: ofsFormat,
  whileAttached: ['summary'],
  // Never a block with two owners or a lost pointer.
  allowed: ['orphan', 'entry', 'links', 'tree', 'bitmap', 'beyond'],
  repairs: 'storage.ofs.repairs',
}));
export type World = StorageWorld;
