/**
 * Slot `vm`: address spaces of programs, in page frames that they compete for with the file cache.
 *
 * Programs touch their memory through an address space, so that their pages have ages, become dirty, fault, and can
 * be claimed. Regions are page aligned. A processor model that executes machine code uses the same contract.
 */
import type { Task } from '@backplane/engine';
import type { EntityId } from './entities.ts';

/** Where the content of an untouched page comes from. Absent: zeros. */
export interface PageSource {
  fetch(page: number): Task<Uint8Array>;
}

/** How a region is mapped. Neither a source nor an object: zeros, that belong to this space alone. */
export interface Mapping {
  readonly writable: boolean;
  readonly source?: PageSource;
  /** The region is this part of an open object: a store is a write to it. With `private`, a store makes a copy of the page. */
  readonly object?: { readonly of: PagedObject; readonly firstPage: number; readonly private: boolean };
}

/** A region as it is mapped now. */
export interface Region {
  readonly first: number;
  readonly pages: number;
  readonly writable: boolean;
}

/** The pages that were stored into since somebody began to watch, or last asked. */
export interface WriteWatch {
  /** Page numbers in ascending order; from now on they count anew. */
  taken(): readonly number[];
  end(): void;
}

export interface AddressSpace {
  readonly pageBytes: number;
  /** Maps `pages` pages from page number `first` on. @throws KernelError `badArgument` when they overlap a region */
  map(first: number, pages: number, how: Mapping): void;
  unmap(first: number, pages: number): void;
  /** In ascending order. */
  regions(): readonly Region[];
  /** Makes pages resident, faulting as needed, and notes the use. @throws `badArgument` outside every region, `permission` */
  touch(first: number, pages: number, how: 'read' | 'write'): Task<void>;
  read(address: number, count: number): Task<Uint8Array>;
  write(address: number, bytes: Uint8Array): Task<void>;
  /** Which pages have content of their own: what a copy of this space has to have. In ascending order. */
  touched(): readonly number[];
  watchWrites(): WriteWatch;
  readonly residentPages: number;
  /** Gives every frame back. */
  destroy(): void;
}

/**
 * An open object whose pages are cached in frames of this host. Regions and readers see the same frames, so that a
 * store through a mapping and a read agree, here at once and elsewhere as the object's manager sees to it.
 */
export interface PagedObject {
  /** As far as this host knows. */
  readonly sizeBytes: number;
  /** Up to `count` bytes; fewer at the end. */
  read(at: number, count: number): Task<Uint8Array>;
  /** Beyond the end it grows. */
  write(at: number, bytes: Uint8Array): Task<void>;
  truncate(sizeBytes: number): Task<void>;
  /** Its manager has all that was written here when it returns. */
  flush(): Task<void>;
  /** One user fewer. Pages stay in memory for the next one until their frames are wanted. */
  release(): Task<void>;
}

/** Capability `objects` of slot `vm`: memory as the cache of open objects. */
export interface ObjectPages {
  /**
   * An instance that its manager, a server of uniform I/O, has made for us. Objects of one key are the same object:
   * those who open it share its pages. From now on the instance is released here, also when this throws, unless it throws
   * `unsupported`: its manager lends no pages.
   */
  open(o: ObjectInstance): Task<PagedObject>;
  /**
   * The object as an open object of this host's memory server: for programs, which read and write by message. It goes when
   * its owner releases it or dies.
   *
   * @returns its number at `server`
   */
  publish(object: PagedObject, o: { readonly owner: EntityId; readonly attributes: number }): number;
  /** The memory server: who reads what is cached here asks this process. */
  readonly server: EntityId;
}

export interface ObjectInstance {
  readonly manager: EntityId;
  readonly instance: number;
  /** Of the object at its manager, and of its version. */
  readonly key: string;
  /** False: it was opened for reading. Absent: its manager says so at the first store. */
  readonly writable?: boolean;
  /** The same object once more, after its manager's death; it is asked until it gives one or throws anything but `peerDown`. */
  reopen?(): Task<{ readonly manager: EntityId; readonly instance: number }>;
}

export interface Vm {
  space(name: string): AddressSpace;
  readonly objects?: ObjectPages;
}
