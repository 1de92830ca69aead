/** A storage as the crash tester sees it: its board, what its disks look like, and what it promises. */
import type { Board, CleaningPolicy, Disk, DiskImage, StoreFormat } from '@backplane/slots';

/** What must hold after a crash, as far as storages differ in it. */
export interface Promises {
  /**
   * `each`: every name by itself is as it was at some moment since it was last confirmed. `prefix`: all names together
   * are what the operations up to some moment had made of them.
   */
  readonly names: 'each' | 'prefix';
  /**
   * `bytes`: every byte is one that the file had in that place since it was last confirmed, and its size one that it had.
   * `whole`: size and bytes together are those of one moment.
   */
  readonly contents: 'bytes' | 'whole';
  /** What holds the next write back: `write`, the end of the one before; `barrier`, nothing else. */
  readonly order: 'write' | 'barrier';
  /** Does `sync` of a directory confirm the files that its names lead to, though not their bytes? */
  readonly directorySync: 'names' | 'nothing';
  /**
   * After bits of a structure have changed, or a write has gone to another place. `detected`: names, sizes and attributes are
   * right, or those of an earlier moment, or an error says that they cannot be read; bytes of files may be wrong. `ends`:
   * wrong answers are possible, since there are no checksums; but recovery ends, and the kernel goes on.
   */
  readonly damage: 'detected' | 'ends';
  /** Why no more is asked of it, in a sentence each. */
  readonly reasons: readonly string[];
}

/** A structure that the disk has twice: when it is damaged, the other one leads to everything. */
export interface Spare {
  readonly sector: number;
  readonly bytes: number;
  readonly what: string;
}

export interface StoreUnderTest {
  /** As `--storage` names it. */
  readonly name: string;
  /** Makes the board, anew for each boot. */
  readonly board: () => Board<'storage'>;
  /** Where it needs one. */
  readonly cleaner?: () => CleaningPolicy;
  readonly format?: StoreFormat;
  readonly promises: Promises;
  /** Of an image at rest. */
  readonly spares?: (image: DiskImage) => readonly Spare[];
  /** Between the storage and its disk, in every boot: for faulty drives. */
  readonly disk?: (below: Disk) => Disk;
  /** Sectors of the disk for short sequences and of one that is full, and for whole workloads. 1024 and 8192 when left out. */
  readonly sectors?: { readonly short: number; readonly long: number };
}

/** For files that are named with `--storage`: says what is expected of their default export. */
export const defineStore = (store: StoreUnderTest): StoreUnderTest => store;

/** The least that the contract of the slot promises, whoever fills it. */
export const leastPromises: Promises = {
  names: 'each',
  contents: 'bytes',
  order: 'write',
  directorySync: 'nothing',
  damage: 'ends',
  reasons: ['Nothing is known about this storage but its contract.'],
};
