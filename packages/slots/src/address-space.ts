/**
 * Slot `vm`: address spaces of programs, in page frames that they compete for with the file cache.
 *
 * Programs touch their memory through an address space, so that their pages have ages, become dirty, fault, and can
 * be claimed. Regions are page aligned. A processor model that executes machine code uses the same contract.
 */
import type { Task } from '@backplane/engine';

/** Where the content of an untouched page comes from. Absent: zeros. */
export interface PageSource {
  fetch(page: number): Task<Uint8Array>;
}

export interface AddressSpace {
  readonly pageBytes: number;
  /** Maps `pages` pages from page number `first` on. @throws KernelError `badArgument` when they overlap a region */
  map(first: number, pages: number, how: { readonly writable: boolean; readonly source?: PageSource }): void;
  unmap(first: number, pages: number): void;
  /** Makes pages resident, faulting as needed, and notes the use. @throws `badArgument` outside every region, `permission` */
  touch(first: number, pages: number, how: 'read' | 'write'): Task<void>;
  read(address: number, count: number): Task<Uint8Array>;
  write(address: number, bytes: Uint8Array): Task<void>;
  readonly residentPages: number;
  /** Gives every frame back. */
  destroy(): void;
}

export interface Vm {
  space(name: string): AddressSpace;
}
