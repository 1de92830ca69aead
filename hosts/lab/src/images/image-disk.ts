/**
 * A disk over an image: reads come from the image, writes stay in memory. So nothing happens to a file before all is
 * done, and of what is not touched nothing is held. Takes no time.
 */
import { settle, type Task, tasks } from '@backplane/engine';
import {
  type Disk,
  type DiskExtent,
  type DiskImage,
  type DiskRule,
  KernelError,
  type Undo,
} from '@backplane/slots';
import { type ImagePieces, imageSectorBytes } from './image-file.ts';
import { isZeros } from './zeros.ts';

const chunkSectors = 256;
const chunkBytes = chunkSectors * imageSectorBytes;

export class ImageDisk implements Disk {
  static {
    tasks(ImageDisk);
  }

  readonly name = 'image';
  readonly sectorBytes: number = imageSectorBytes;
  readonly sectors: number;
  readonly #below: DiskImage | null;
  /** What was written, by number of the chunk. */
  readonly #written = new Map<number, Uint8Array>();
  #rules: readonly DiskRule[] = [];

  /** @param below what it begins with: zeros, if null */
  constructor(sectors: number, below: DiskImage | null) {
    this.sectors = sectors;
    this.#below = below;
  }

  *read(sector: number, count: number): Task<Uint8Array> {
    yield* settle();
    this.#judge('read', sector, count);
    return this.inspect(sector, count);
  }

  *write(sector: number, data: Uint8Array): Task<void> {
    yield* settle();
    this.#judge('write', sector, data.length / imageSectorBytes);
    this.load(sector, data);
  }

  *barrier(): Task<void> {
    yield* settle();
  }

  inspect(sector: number, count: number): Uint8Array {
    this.#check(sector, count);
    const bytes = new Uint8Array(count * imageSectorBytes);
    this.#each(sector, count, (chunk, within, from, length) => {
      const written = this.#written.get(chunk);
      if (written !== undefined) bytes.set(written.subarray(within, within + length), from);
      else if (this.#below !== null)
        bytes.set(this.#below.read(sector + from / imageSectorBytes, length / imageSectorBytes), from);
    });
    return bytes;
  }

  load(sector: number, data: Uint8Array): void {
    const count = data.length / imageSectorBytes;
    this.#check(sector, count);
    this.#each(sector, count, (chunk, within, from, length) => {
      const written = this.#written.get(chunk) ?? this.#begin(chunk, length);
      written.set(data.subarray(from, from + length), within);
    });
  }

  extents(): readonly DiskExtent[] {
    return [...this.pieces()].map(({ sector, bytes }) => ({ sector, data: bytes }));
  }

  addRule(rule: DiskRule): Undo {
    this.#rules = [...this.#rules, rule];
    return () => {
      this.#rules = this.#rules.filter((r) => r !== rule);
    };
  }

  /** Everything that is not zeros, in order. */
  pieces(): ImagePieces {
    return withoutZeros(
      Math.ceil(this.sectors / chunkSectors),
      (n) => this.#written.get(n) ?? this.#belowChunk(n),
    );
  }

  /** A chunk in memory. @param bytes that are about to be written into it: if all, what was there does not matter */
  #begin(chunk: number, bytes: number): Uint8Array {
    const length = this.#length(chunk);
    const begun = (bytes === length ? null : this.#belowChunk(chunk)) ?? new Uint8Array(length);
    this.#written.set(chunk, begun);
    return begun;
  }

  #belowChunk(chunk: number): Uint8Array | null {
    return this.#below?.read(chunk * chunkSectors, this.#length(chunk) / imageSectorBytes) ?? null;
  }

  /** Bytes; the last chunk may be shorter. */
  #length(chunk: number): number {
    return Math.min(chunkBytes, (this.sectors - chunk * chunkSectors) * imageSectorBytes);
  }

  /** Calls for each chunk with the byte in it, the byte in the range, and how many bytes. */
  #each(
    sector: number,
    count: number,
    f: (chunk: number, within: number, from: number, length: number) => void,
  ): void {
    for (let s = sector; s < sector + count; ) {
      const within = s % chunkSectors;
      const here = Math.min(sector + count - s, chunkSectors - within);
      f(
        (s - within) / chunkSectors,
        within * imageSectorBytes,
        (s - sector) * imageSectorBytes,
        here * imageSectorBytes,
      );
      s += here;
    }
  }

  #check(sector: number, count: number): void {
    if (!(Number.isInteger(sector) && Number.isInteger(count) && sector >= 0 && count > 0))
      throw new KernelError('noSuchSector', `${sector}+${count}`);
    if (sector + count > this.sectors)
      throw new KernelError('noSuchSector', `${sector}+${count} of ${this.sectors}`);
  }

  #judge(operation: 'read' | 'write', sector: number, count: number): void {
    for (const rule of this.#rules)
      if (rule.judge(operation, sector, count) === 'error') throw new KernelError('ioError', rule.name);
  }
}

function* withoutZeros(chunks: number, chunk: (n: number) => Uint8Array | null): ImagePieces {
  for (let n = 0; n < chunks; n++) {
    const bytes = chunk(n);
    if (bytes !== null && !isZeros(bytes)) yield { sector: n * chunkSectors, bytes };
  }
}
