/** Looks at a disk with the layouts, and spoils it. */

import type { MemoryDisk } from '@backplane/file-service/testing';
import {
  type DescriptorRecord,
  type DomainHeader,
  descriptorRecord,
  diskLabel,
  domainHeader,
} from '../src/index.ts';

const blockBytes = 4096;

export class Plant {
  readonly disk: MemoryDisk;
  readonly header: DomainHeader;

  constructor(disk: MemoryDisk) {
    this.disk = disk;
    const label = diskLabel.decode(disk.inspect(0, 1));
    this.header = domainHeader.decode(disk.inspect(label.domainSector, 1));
  }

  block(n: number): Uint8Array {
    const perBlock = blockBytes / this.disk.sectorBytes;
    return this.disk.inspect(n * perBlock, perBlock);
  }

  putBlock(n: number, bytes: Uint8Array): void {
    this.disk.load((n * blockBytes) / this.disk.sectorBytes, bytes);
  }

  descriptor(number: number): DescriptorRecord {
    return descriptorRecord.decode(this.block(this.#blockOf(number)), (number % 32) * 128);
  }

  change(number: number, change: Partial<DescriptorRecord>): void {
    const block = this.block(this.#blockOf(number));
    descriptorRecord.encode({ ...this.descriptor(number), ...change }, block, (number % 32) * 128);
    this.putBlock(this.#blockOf(number), block);
  }

  /** A fragment of the data area. */
  fragment(address: number): Uint8Array {
    return this.block(this.header.dataBlock + Math.floor(address / 4)).subarray(
      (address % 4) * 1024,
      (address % 4) * 1024 + 1024,
    );
  }

  putFragment(address: number, bytes: Uint8Array): void {
    const n = this.header.dataBlock + Math.floor(address / 4);
    const block = this.block(n);
    block.set(bytes, (address % 4) * 1024);
    this.putBlock(n, block);
  }

  #blockOf(number: number): number {
    return this.header.descriptorBlock + Math.floor(number / 32);
  }
}

/** A big-endian word in some bytes. */
export function word(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

export function putWord(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value);
}
