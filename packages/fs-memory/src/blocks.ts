/** The bytes of one file, in frozen blocks: a write replaces the blocks it touches. A block that was never written is absent, and reads as zeros. */
export const blockBytes = 4096;

const zeros = new Uint8Array(blockBytes);

export class FileBlocks {
  readonly #blocks = new Map<number, Uint8Array>();
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get blocks(): number {
    return this.#blocks.size;
  }

  /** By reference where the range lies in one block. */
  read(at: number, count: number): Uint8Array {
    const end = Math.min(this.#sizeBytes, at + count);
    if (end <= at) return zeros.subarray(0, 0);
    const first = Math.floor(at / blockBytes);
    if (Math.floor((end - 1) / blockBytes) === first)
      return this.#block(first).subarray(at - first * blockBytes, end - first * blockBytes);
    const bytes = new Uint8Array(end - at);
    for (let from = at; from < end; ) {
      const n = Math.floor(from / blockBytes);
      const to = Math.min(end, (n + 1) * blockBytes);
      bytes.set(this.#block(n).subarray(from - n * blockBytes, to - n * blockBytes), from - at);
      from = to;
    }
    return bytes;
  }

  write(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length;
    for (let from = at; from < end; ) {
      const n = Math.floor(from / blockBytes);
      const to = Math.min(end, (n + 1) * blockBytes);
      const block = this.#block(n).slice();
      block.set(bytes.subarray(from - at, to - at), from - n * blockBytes);
      this.#blocks.set(n, block);
      from = to;
    }
    this.#sizeBytes = Math.max(this.#sizeBytes, end);
  }

  /** What lies beyond the new end is gone: a later extension reads as zeros there. */
  truncate(sizeBytes: number): void {
    if (sizeBytes < this.#sizeBytes) {
      const last = Math.floor(sizeBytes / blockBytes);
      for (const n of [...this.#blocks.keys()])
        if (n > last || (n === last && sizeBytes % blockBytes === 0)) this.#blocks.delete(n);
      const partial = this.#blocks.get(last);
      if (partial !== undefined) {
        const block = partial.slice();
        block.fill(0, sizeBytes - last * blockBytes);
        this.#blocks.set(last, block);
      }
    }
    this.#sizeBytes = sizeBytes;
  }

  /** Blocks that writing this range would add. */
  added(at: number, count: number): number {
    let added = 0;
    for (let n = Math.floor(at / blockBytes); n * blockBytes < at + count; n++)
      if (!this.#blocks.has(n)) added++;
    return added;
  }

  #block(n: number): Uint8Array {
    return this.#blocks.get(n) ?? zeros;
  }
}
