/**
 * Bytes as they were when the object was opened, to be read: the directory of a server's own objects, the list of the programs
 * that run.
 */
import type { Task } from '@backplane/engine';
import { attributeBits } from './attributes.ts';
import { type BlockPosition, offsetOf, unitBytes } from './operations.ts';
import type { UioObject } from './uio-object.ts';

const attributes: number = /* @__PURE__ */ attributeBits(
  'readable',
  'storage',
  'randomAccess',
  'fixedLength',
  'multiBlock',
);

export class Snapshot implements UioObject {
  readonly attributes: number = attributes;
  readonly blockBytes: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, blockBytes: number = unitBytes) {
    this.#bytes = bytes;
    this.blockBytes = blockBytes;
  }

  *sizeBytes(): Task<number> {
    return this.#bytes.length;
  }

  *read(at: BlockPosition, count: number): Task<Uint8Array | null> {
    const from = offsetOf(at, this.blockBytes);
    return from >= this.#bytes.length ? null : this.#bytes.subarray(from, from + count);
  }

  *release(): Task<void> {}
}
