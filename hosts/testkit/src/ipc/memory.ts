/** Memory of a program in a check: pages that are all there, and one range that may be locked against writing. */
import { sleep, type Task, us } from '@backplane/engine';
import { type AddressSpace, KernelError } from '@backplane/slots';

/** What one access takes, so that others run meanwhile. */
const accessNs = /* @__PURE__ */ us(20);

export class Memory implements AddressSpace {
  readonly pageBytes = 4096;
  readonly bytes: Uint8Array;
  /** From this address on nothing may be written. */
  readonly lockedFrom: number;

  constructor(pages: number, lockedFrom: number = Number.POSITIVE_INFINITY) {
    this.bytes = new Uint8Array(pages * this.pageBytes);
    this.lockedFrom = lockedFrom;
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

  destroy(): void {}

  *touch(first: number, pages: number, how: 'read' | 'write'): Task<void> {
    this.#check(first * this.pageBytes, pages * this.pageBytes);
    if (how === 'write') this.#checkWritable(first * this.pageBytes, pages * this.pageBytes);
  }

  *read(address: number, count: number): Task<Uint8Array> {
    this.#check(address, count);
    yield* sleep(accessNs);
    return this.bytes.slice(address, address + count);
  }

  *write(address: number, bytes: Uint8Array): Task<void> {
    this.#check(address, bytes.length);
    this.#checkWritable(address, bytes.length);
    yield* sleep(accessNs);
    this.bytes.set(bytes, address);
  }

  #check(address: number, count: number): void {
    if (address < 0 || address + count > this.bytes.length)
      throw new KernelError('badArgument', 'no such page');
  }

  #checkWritable(address: number, count: number): void {
    if (count > 0 && address + count > this.lockedFrom) throw new KernelError('permission', 'page');
  }
}
