/** What is on the medium: chunks of real bytes, made when something is first written to them; everything else is zeros. */

import type { DiskExtent } from '@backplane/slots';

const chunkSectors = 128;

export class Contents {
  readonly #sectorBytes: number;
  readonly #chunks = new Map<number, Uint8Array>();

  constructor(sectorBytes: number) {
    this.#sectorBytes = sectorBytes;
  }

  /** A copy. */
  read(sector: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * this.#sectorBytes);
    this.#each(sector, count, (chunk, at, from, length) => {
      const stored = this.#chunks.get(chunk);
      if (stored !== undefined) bytes.set(stored.subarray(at, at + length), from);
    });
    return bytes;
  }

  /** Stores the first `count` sectors of the data. */
  write(sector: number, count: number, data: Uint8Array): void {
    this.#each(sector, count, (chunk, at, from, length) => {
      let stored = this.#chunks.get(chunk);
      if (stored === undefined) {
        stored = new Uint8Array(chunkSectors * this.#sectorBytes);
        this.#chunks.set(chunk, stored);
      }
      stored.set(data.subarray(from, from + length), at);
    });
  }

  /** The chunks that were ever written, in order. */
  extents(): readonly DiskExtent[] {
    const chunks = [...this.#chunks].sort(([a], [b]) => a - b);
    return chunks.map(([chunk, data]) => ({ sector: chunk * chunkSectors, data }));
  }

  /** Calls for each chunk with the byte in it, the byte in the range, and how many bytes. */
  #each(
    sector: number,
    count: number,
    f: (chunk: number, at: number, from: number, length: number) => void,
  ): void {
    for (let s = sector; s < sector + count; ) {
      const within = s % chunkSectors;
      const here = Math.min(sector + count - s, chunkSectors - within);
      f(
        (s - within) / chunkSectors,
        within * this.#sectorBytes,
        (s - sector) * this.#sectorBytes,
        here * this.#sectorBytes,
      );
      s += here;
    }
  }
}
