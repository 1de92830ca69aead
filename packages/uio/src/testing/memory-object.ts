/** Storage with random access: an array. */
import type { Task } from '@backplane/engine';
import { attributeBits } from '../attributes.ts';
import { type BlockPosition, offsetOf } from '../operations.ts';
import type { UioObject } from '../uio-object.ts';

export class MemoryObject implements UioObject {
  readonly attributes: number;
  readonly blockBytes: number;
  readonly lockKey: string = 'memory';
  bytes: Uint8Array = new Uint8Array(0);
  released: string[] = [];

  constructor(
    blockBytes = 1024,
    attributes: number = attributeBits(
      'readable',
      'writeable',
      'storage',
      'randomAccess',
      'multiBlock',
      'locking',
    ),
  ) {
    this.blockBytes = blockBytes;
    this.attributes = attributes;
  }

  *sizeBytes(): Task<number> {
    return this.bytes.length;
  }

  *read(at: BlockPosition, count: number): Task<Uint8Array | null> {
    const from = offsetOf(at, this.blockBytes);
    return from >= this.bytes.length ? null : this.bytes.slice(from, from + count);
  }

  *write(at: BlockPosition, bytes: Uint8Array): Task<void> {
    const from = offsetOf(at, this.blockBytes);
    this.#resize(Math.max(this.bytes.length, from + bytes.length));
    this.bytes.set(bytes, from);
  }

  *append(bytes: Uint8Array): Task<number> {
    const from = this.bytes.length;
    this.#resize(from + bytes.length);
    this.bytes.set(bytes, from);
    return this.bytes.length;
  }

  *modify(sizeBytes: number): Task<void> {
    this.#resize(sizeBytes);
  }

  *release(mode: string): Task<void> {
    this.released.push(mode);
  }

  #resize(length: number): void {
    const bytes = new Uint8Array(length);
    bytes.set(this.bytes.subarray(0, length));
    this.bytes = bytes;
  }
}
