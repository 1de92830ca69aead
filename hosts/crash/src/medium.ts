/**
 * Disks in memory that cost no copying: all images of a campaign share the sectors of one formatted disk and the contents
 * that were ever written to it. An image is a table that says for each sector which content it has.
 *
 * Invariants: content 0 is the formatted disk's, and no other content of a sector equals it; the two halves of an image's
 * hash are the exclusive or of those of its contents. So two images with equal keys hold equal bytes.
 */
import type { DiskImage } from '@backplane/slots';

export const sectorBytes = 512;

/** Every content that a sector of this disk has had. */
export class Medium {
  /** Images are comparable with those of the same medium only. */
  readonly name: string;
  readonly sectors: number;
  readonly #base: Uint8Array;
  /** The same bytes, for comparing. */
  readonly #buffer: Buffer;
  readonly #contents: Uint8Array[] = [];
  readonly #hashes: number[] = [];

  /** @param base what the disk holds in the beginning; not changed afterwards */
  constructor(name: string, base: Uint8Array) {
    this.name = name;
    this.#base = base;
    this.#buffer = Buffer.from(base.buffer, base.byteOffset, base.length);
    this.sectors = base.length / sectorBytes;
  }

  /** The bytes of one sector, not to be changed. */
  content(sector: number, version: number): Uint8Array {
    if (version > 0) return this.#contents[version - 1] as Uint8Array; // boundary: versions come from `add`
    return this.#base.subarray(sector * sectorBytes, (sector + 1) * sectorBytes);
  }

  base(sector: number, count: number): Uint8Array {
    return this.#base.subarray(sector * sectorBytes, (sector + count) * sectorBytes);
  }

  /** A content that a sector gets: its number. @param bytes one sector; not changed afterwards */
  add(sector: number, bytes: Uint8Array): number {
    const at = sector * sectorBytes;
    if (this.#buffer.compare(bytes, 0, sectorBytes, at, at + sectorBytes) === 0) return 0;
    let one = Math.imul(sector + 1, 0x9e3779b1);
    let two = Math.imul(sector + 0x7f4a7c15, 0x85ebca6b);
    const words = wordsOf(bytes);
    for (let i = 0; i < words.length; i++) {
      const word = words[i] ?? 0;
      one = Math.imul(((one << 5) | (one >>> 27)) ^ word, 0xcc9e2d51);
      two = Math.imul(((two << 13) | (two >>> 19)) + word, 0x1b873593) ^ (one >>> 15);
    }
    this.#hashes.push(finish(one), finish(two ^ one));
    return this.#contents.push(bytes);
  }

  hash(version: number, half: 0 | 1): number {
    return version === 0 ? 0 : (this.#hashes[2 * (version - 1) + half] ?? 0);
  }

  /** Contents that were written together, as one piece of memory; null for others. */
  together(version: number, count: number): Uint8Array | null {
    const first = this.#contents[version - 1];
    const last = this.#contents[version + count - 2];
    if (first === undefined || last === undefined || first.buffer !== last.buffer) return null;
    if (last.byteOffset - first.byteOffset !== (count - 1) * sectorBytes) return null;
    return new Uint8Array(first.buffer, first.byteOffset, count * sectorBytes);
  }

  /** How many contents there are; with `forget` for what is looked at once. */
  get mark(): number {
    return this.#contents.length;
  }

  /** Forgets the contents that were added since a mark. No image has them any more. */
  forget(mark: number): void {
    this.#contents.length = mark;
    this.#hashes.length = 2 * mark;
  }
}

/** One sector as words of this machine: a hash is compared with others of this process only. */
const wordsOf = (bytes: Uint8Array): Int32Array =>
  bytes.byteOffset % 4 === 0
    ? new Int32Array(bytes.buffer, bytes.byteOffset, sectorBytes / 4)
    : new Int32Array(bytes.slice(0, sectorBytes).buffer);

function finish(x: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** One state of the disk. */
export class Image implements DiskImage {
  readonly medium: Medium;
  readonly sectorBytes: number = sectorBytes;
  readonly sectors: number;
  readonly #versions: Int32Array;
  #one = 0;
  #two = 0;

  constructor(medium: Medium, like?: Image) {
    this.medium = medium;
    this.sectors = medium.sectors;
    this.#versions = like === undefined ? new Int32Array(medium.sectors) : like.#versions.slice();
    if (like === undefined) return;
    this.#one = like.#one;
    this.#two = like.#two;
  }

  copy(): Image {
    return new Image(this.medium, this);
  }

  /** Equal for equal bytes. */
  get key(): string {
    return `${this.#one}.${this.#two}`;
  }

  /** A number that its bytes decide, and nobody can foresee. */
  get lot(): number {
    return this.#one >>> 0;
  }

  put(sector: number, version: number): void {
    const old = this.#versions[sector] ?? 0;
    if (old === version) return;
    this.#one ^= this.medium.hash(old, 0) ^ this.medium.hash(version, 0);
    this.#two ^= this.medium.hash(old, 1) ^ this.medium.hash(version, 1);
    this.#versions[sector] = version;
  }

  version(sector: number): number {
    return this.#versions[sector] ?? 0;
  }

  read(sector: number, count: number): Uint8Array {
    const versions = this.#versions;
    let changed = false;
    for (let i = sector; i < sector + count && !changed; i++) changed = versions[i] !== 0;
    if (!changed) return this.medium.base(sector, count);
    const first = this.version(sector);
    if (count === 1) return this.medium.content(sector, first);
    let written = first > 0;
    for (let i = 1; i < count && written; i++) written = versions[sector + i] === first + i;
    const piece = written ? this.medium.together(first, count) : null;
    if (piece !== null) return piece;
    const bytes = new Uint8Array(count * sectorBytes);
    for (let i = 0; i < count; i++)
      bytes.set(this.medium.content(sector + i, this.version(sector + i)), i * sectorBytes);
    return bytes;
  }

  /** All of it, as a disk of its own. */
  bytes(): Uint8Array {
    return this.read(0, this.sectors).slice();
  }
}
