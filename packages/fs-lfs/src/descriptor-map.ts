/**
 * The descriptor map (inode map): where each file's descriptor is, and what identifies the file even when its descriptor
 * is not at hand. All of it is in memory while the disk is attached; a checkpoint writes the blocks that have changed.
 */
import type { Geometry } from './geometry.ts';
import {
  allocatedFlag,
  blockBytes,
  blockHeader,
  mapEntriesPerBlock,
  mapEntry,
  mapMagic,
  none,
  rootNumber,
  seal,
  unlinkedFlag,
} from './layouts.ts';
import { fromWire, putNs } from './times.ts';

export class DescriptorMap {
  readonly filesMax: number;
  readonly #sector: Uint32Array;
  readonly #slot: Uint16Array;
  readonly #flags: Uint8Array;
  readonly #generation: Uint32Array;
  readonly #truncations: Uint32Array;
  readonly #accessNs: Float64Array;
  /** Map blocks that differ from those on the disk. */
  readonly changed: Set<number> = new Set();
  /** Numbers that have been given back, the last one on top. */
  readonly #returned: number[] = [];
  /** No number from here on was ever allocated. */
  #fresh = rootNumber;
  #allocated = 0;

  constructor({ filesMax }: Geometry) {
    this.filesMax = filesMax;
    this.#sector = new Uint32Array(filesMax);
    this.#slot = new Uint16Array(filesMax);
    this.#flags = new Uint8Array(filesMax);
    this.#generation = new Uint32Array(filesMax);
    this.#truncations = new Uint32Array(filesMax);
    this.#accessNs = new Float64Array(filesMax);
  }

  get free(): number {
    return this.filesMax - rootNumber - this.#allocated;
  }

  isNumber(n: number): boolean {
    return Number.isInteger(n) && n >= rootNumber && n < this.filesMax;
  }

  isAllocated(n: number): boolean {
    return ((this.#flags[n] ?? 0) & allocatedFlag) !== 0;
  }

  isUnlinked(n: number): boolean {
    return ((this.#flags[n] ?? 0) & unlinkedFlag) !== 0;
  }

  /** Sector of the block with the descriptor; `none` while the log has none. */
  sector(n: number): number {
    return this.#sector[n] ?? none;
  }

  slot(n: number): number {
    return this.#slot[n] ?? 0;
  }

  generation(n: number): number {
    return this.#generation[n] ?? 0;
  }

  truncations(n: number): number {
    return this.#truncations[n] ?? 0;
  }

  accessNs(n: number): number {
    return this.#accessNs[n] ?? 0;
  }

  /** Is this the file that has the number now, cut to nothing this often? If not, its blocks are dead. */
  isCurrent(n: number, generation: number, truncations: number): boolean {
    return this.isAllocated(n) && this.generation(n) === generation && this.truncations(n) === truncations;
  }

  /** A free number; -1 when there is none. It is taken by `allocate`. */
  findFree(): number {
    for (let n = this.#returned.at(-1); n !== undefined; n = this.#returned.at(-1)) {
      if (!this.isAllocated(n)) return n;
      this.#returned.pop();
    }
    while (this.#fresh < this.filesMax && this.isAllocated(this.#fresh)) this.#fresh++;
    return this.#fresh < this.filesMax ? this.#fresh : -1;
  }

  allocate(n: number, generation: number): void {
    if (!this.isAllocated(n)) this.#allocated++;
    this.#flags[n] = allocatedFlag;
    this.#generation[n] = generation;
    this.#truncations[n] = 0;
    this.#sector[n] = none;
    this.#slot[n] = 0;
    this.#accessNs[n] = 0;
    this.#touch(n);
  }

  /** The number is free; its generation stays. */
  release(n: number): void {
    if (this.isAllocated(n)) this.#allocated--;
    this.#flags[n] = 0;
    this.#sector[n] = none;
    this.#slot[n] = 0;
    this.#returned.push(n);
    this.#touch(n);
  }

  place(n: number, sector: number, slot: number): void {
    this.#sector[n] = sector;
    this.#slot[n] = slot;
    this.#touch(n);
  }

  truncated(n: number, truncations: number): void {
    this.#truncations[n] = truncations;
    this.#touch(n);
  }

  unlinked(n: number, unlinked: boolean): void {
    if (this.isUnlinked(n) === unlinked) return;
    this.#flags[n] = allocatedFlag | (unlinked ? unlinkedFlag : 0);
    this.#touch(n);
  }

  accessed(n: number, ns: number): void {
    if (this.accessNs(n) === ns) return;
    this.#accessNs[n] = ns;
    this.#touch(n);
  }

  /** Numbers of files that no name leads to. */
  *allUnlinked(): Iterable<number> {
    for (let n = rootNumber; n < this.filesMax; n++) if (this.isUnlinked(n)) yield n;
  }

  encode(block: number): Uint8Array {
    const bytes = new Uint8Array(blockBytes);
    const from = block * mapEntriesPerBlock;
    const to = Math.min(this.filesMax, from + mapEntriesPerBlock);
    blockHeader.encode(
      { magic: mapMagic, checksum: 0, owner: 0, generation: 0, index: block, count: to - from },
      bytes,
    );
    const { set, offset } = mapEntry;
    for (let n = from, at = blockHeader.size; n < to; n++, at += mapEntry.size) {
      set.sector(bytes, at, this.sector(n));
      set.slot(bytes, at, this.slot(n));
      set.flags(bytes, at, this.#flags[n] ?? 0);
      set.generation(bytes, at, this.generation(n));
      set.truncations(bytes, at, this.truncations(n));
      putNs(bytes, at + offset.accessNs, this.accessNs(n));
    }
    return seal(bytes);
  }

  decode(block: number, bytes: Uint8Array): void {
    const from = block * mapEntriesPerBlock;
    const to = Math.min(this.filesMax, from + mapEntriesPerBlock);
    const { get } = mapEntry;
    for (let n = from; n < to; n++) {
      const at = blockHeader.size + (n - from) * mapEntry.size;
      const flags = get.flags(bytes, at) & (allocatedFlag | unlinkedFlag);
      this.#flags[n] = flags;
      this.#generation[n] = get.generation(bytes, at);
      if ((flags & allocatedFlag) === 0) {
        if (this.generation(n) > 0) this.#returned.push(n);
        continue;
      }
      this.#allocated++;
      this.#sector[n] = get.sector(bytes, at);
      this.#slot[n] = get.slot(bytes, at);
      this.#truncations[n] = get.truncations(bytes, at);
      this.#accessNs[n] = fromWire(get.accessNs(bytes, at));
    }
  }

  #touch(n: number): void {
    this.changed.add(Math.floor(n / mapEntriesPerBlock));
  }
}
