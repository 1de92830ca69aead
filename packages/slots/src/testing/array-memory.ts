/** Memory of a program in a check: one array, all of which is there from address 0 on, and a range that may be locked. */
import { sleep, type Task, us } from '@backplane/engine';
import type { AddressSpace, Region, WriteWatch } from '../address-space.ts';
import { KernelError } from '../kernel-error.ts';
import { WriteWatches } from '../write-watches.ts';

export interface ArrayMemoryOptions {
  /** Default 4096. */
  readonly pageBytes?: number;
  /** What one access takes, so that others run meanwhile. */
  readonly accessNs?: number;
}

export class ArrayMemory implements AddressSpace {
  readonly pageBytes: number;
  readonly bytes: Uint8Array;
  /** From this address on nothing may be written. */
  lockedFrom: number = Number.POSITIVE_INFINITY;
  readonly #accessNs: number;
  readonly #touched = new Set<number>();
  readonly #watches = new WriteWatches();

  constructor(bytes: number, { pageBytes = 4096, accessNs = us(20) }: ArrayMemoryOptions = {}) {
    this.bytes = new Uint8Array(bytes);
    this.pageBytes = pageBytes;
    this.#accessNs = accessNs;
  }

  get residentPages(): number {
    return this.bytes.length / this.pageBytes;
  }

  map(): void {
    throw new KernelError('badArgument', 'everything is mapped');
  }

  unmap(): void {
    throw new KernelError('badArgument', 'nothing is unmapped');
  }

  regions(): readonly Region[] {
    return [{ first: 0, pages: Math.ceil(this.residentPages), writable: true }];
  }

  touched(): readonly number[] {
    return [...this.#touched].sort((a, b) => a - b);
  }

  watchWrites(): WriteWatch {
    return this.#watches.watch();
  }

  destroy(): void {}

  *touch(first: number, pages: number, how: 'read' | 'write'): Task<void> {
    this.#check(first * this.pageBytes, pages * this.pageBytes);
    if (how === 'write') this.#checkWritable(first * this.pageBytes, pages * this.pageBytes);
  }

  *read(address: number, count: number): Task<Uint8Array> {
    this.#check(address, count);
    if (this.#accessNs > 0) yield* sleep(this.#accessNs);
    return this.bytes.slice(address, address + count);
  }

  *write(address: number, bytes: Uint8Array): Task<void> {
    this.#check(address, bytes.length);
    this.#checkWritable(address, bytes.length);
    if (this.#accessNs > 0) yield* sleep(this.#accessNs);
    this.bytes.set(bytes, address);
    for (let at = address; at < address + bytes.length; at += this.pageBytes) {
      const page = Math.floor(at / this.pageBytes);
      this.#touched.add(page);
      this.#watches.stored(page);
    }
  }

  #check(address: number, count: number): void {
    if (address < 0 || address + count > this.bytes.length)
      throw new KernelError('badArgument', 'no such page');
  }

  #checkWritable(address: number, count: number): void {
    if (count > 0 && address + count > this.lockedFrom) throw new KernelError('permission', 'page');
  }
}
