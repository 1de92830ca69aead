/** Memory for tests: one array, mapped from address 0 on; a region beyond is not there. */
import { sleep, type Task, us } from '@backplane/engine';
import { type AddressSpace, KernelError } from '@backplane/slots';

export class Memory implements AddressSpace {
  readonly pageBytes = 1024;
  readonly bytes: Uint8Array;
  /** What one access takes: others run meanwhile. */
  readonly accessNs: number;
  readOnlyFrom: number = Number.POSITIVE_INFINITY;

  constructor(bytes: number, accessNs: number = us(5)) {
    this.bytes = new Uint8Array(bytes);
    this.accessNs = accessNs;
  }

  get residentPages(): number {
    return this.bytes.length / this.pageBytes;
  }

  map(): void {}
  unmap(): void {}
  destroy(): void {}

  *touch(first: number, pages: number, how: 'read' | 'write'): Task<void> {
    if (first < 0 || (first + pages) * this.pageBytes > this.bytes.length)
      throw new KernelError('badArgument', 'no such page');
    if (how === 'write' && (first + pages) * this.pageBytes > this.readOnlyFrom)
      throw new KernelError('permission');
  }

  *read(address: number, count: number): Task<Uint8Array> {
    if (address + count > this.bytes.length) throw new KernelError('badArgument', 'no such page');
    if (this.accessNs > 0) yield* sleep(this.accessNs);
    return this.bytes.slice(address, address + count);
  }

  *write(address: number, bytes: Uint8Array): Task<void> {
    if (address + bytes.length > this.bytes.length) throw new KernelError('badArgument', 'no such page');
    if (this.accessNs > 0) yield* sleep(this.accessNs);
    this.bytes.set(bytes, address);
  }
}
