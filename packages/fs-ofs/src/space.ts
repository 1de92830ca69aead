/**
 * Free space of the data area: whole blocks by cylinder areas, and fragments in blocks that are broken already.
 *
 * A block goes near the one before it in its file: the next one that the interleave lets pass, else another of the same
 * cylinder area, else one of the areas after it. Files begin in areas that their numbers are spread over. A fragment goes
 * where a run of its length is left over (three lists, by the longest run: 1, 2, 3 KB), and only then breaks a block.
 *
 * A share of the disk is never given out: without it, near blocks could not be found.
 */
import { Bitmap } from './bitmap.ts';
import { fragmentsPerBlock } from './layouts.ts';

/** Fragments that lie side by side within one block. */
export interface Run {
  readonly address: number;
  readonly fragments: number;
}

/** Of the four fragments of a block, as a nibble of used bits: the longest free run, and where one of a length begins. */
function runIn(nibble: number, fragments: number): number {
  for (let at = 0; at + fragments <= fragmentsPerBlock; at++) {
    const mask = (((1 << fragments) - 1) << (fragmentsPerBlock - fragments)) >> at;
    if ((nibble & mask) === 0) return at;
  }
  return -1;
}

function longestRun(nibble: number): number {
  for (let length = fragmentsPerBlock; length > 0; length--) if (runIn(nibble, length) >= 0) return length;
  return 0;
}

export class Space {
  readonly map: Bitmap;
  readonly fragments: number;
  /** Fragments that are not given out, those kept free included. */
  free = 0;
  readonly reserve: number;
  readonly #areaBlocks: number;
  readonly #blocks: number;
  readonly #stepBlocks: number;
  /** Whole free blocks of each area. */
  readonly #areaFree: Uint32Array;
  /** Broken blocks by their longest free run, 1 to 3 fragments; index 0 is not used. */
  readonly #broken: readonly Set<number>[] = [new Set(), new Set(), new Set(), new Set()];

  constructor(o: {
    readonly blocks: number;
    readonly areaBlocks: number;
    readonly percentFree: number;
    readonly interleaveBlocks: number;
  }) {
    this.#blocks = o.blocks;
    this.fragments = o.blocks * fragmentsPerBlock;
    this.map = new Bitmap(this.fragments);
    this.reserve = Math.floor((this.fragments * o.percentFree) / 100);
    this.#areaBlocks = o.areaBlocks;
    this.#stepBlocks = 1 + o.interleaveBlocks;
    this.#areaFree = new Uint32Array(Math.ceil(o.blocks / o.areaBlocks));
    this.recount();
  }

  /** After the bitmap was loaded or rebuilt. */
  recount(): void {
    this.free = 0;
    this.#areaFree.fill(0);
    for (const list of this.#broken) list.clear();
    for (let b = 0; b < this.#blocks; b++) {
      const nibble = this.map.nibble(b * fragmentsPerBlock);
      if (nibble === 15) continue;
      if (nibble === 0) this.free += fragmentsPerBlock;
      else for (let i = 0; i < fragmentsPerBlock; i++) if ((nibble & (8 >> i)) === 0) this.free++;
      this.#enlist(b, nibble, 1);
    }
  }

  /** May so many fragments be given out and the reserve stay? */
  has(fragments: number): boolean {
    return this.free - fragments >= this.reserve;
  }

  /** Where a file begins, by its number: neighbours in number lie in different areas. */
  startOf(number: number): number {
    return (
      ((Math.imul(number, 0x9e3779b1) >>> 0) % this.#areaFree.length) * this.#areaBlocks * fragmentsPerBlock
    );
  }

  /**
   * So many fragments side by side in one block.
   *
   * @param after the address of the block before it in its file, or -1
   * @param start where the file begins
   * @returns the address; -1 when there is none
   */
  take(fragments: number, after: number, start: number): number {
    if (!this.has(fragments)) return -1;
    let block = -1;
    if (fragments < fragmentsPerBlock)
      for (let run = fragments; run < fragmentsPerBlock && block < 0; run++) block = this.#first(run);
    if (block < 0) block = this.#wholeBlock(after, start);
    if (block < 0) return -1;
    const at = runIn(this.map.nibble(block * fragmentsPerBlock), fragments);
    const address = block * fragmentsPerBlock + at;
    this.#put({ address, fragments }, true);
    return address;
  }

  /** Makes a run longer where it is; false when what follows it is not free. */
  extend(run: Run, fragments: number): boolean {
    const more = { address: run.address + run.fragments, fragments: fragments - run.fragments };
    if (!this.has(more.fragments)) return false;
    if ((run.address % fragmentsPerBlock) + fragments > fragmentsPerBlock) return false;
    for (let i = 0; i < more.fragments; i++) if (this.map.has(more.address + i)) return false;
    this.#put(more, true);
    return true;
  }

  give(run: Run): void {
    this.#put(run, false);
  }

  #first(run: number): number {
    for (const block of this.#broken[run] ?? []) return block;
    return -1;
  }

  #wholeBlock(after: number, start: number): number {
    const from =
      after < 0
        ? Math.floor(start / fragmentsPerBlock)
        : Math.floor(after / fragmentsPerBlock) + this.#stepBlocks;
    const areas = this.#areaFree.length;
    const near = from < this.#blocks ? from : 0;
    const first = Math.floor(near / this.#areaBlocks);
    for (let i = 0; i < areas; i++) {
      const area = (first + i) % areas;
      if ((this.#areaFree[area] ?? 0) === 0) continue;
      const begin = area * this.#areaBlocks;
      const end = Math.min(begin + this.#areaBlocks, this.#blocks);
      const hint = i === 0 ? near : begin;
      const found = this.#scan(hint, end);
      return found < 0 ? this.#scan(begin, hint) : found;
    }
    return -1;
  }

  #scan(from: number, to: number): number {
    for (let b = from; b < to; b++) if (this.map.nibble(b * fragmentsPerBlock) === 0) return b;
    return -1;
  }

  /** Counts each fragment once, whatever a damaged disk made us believe of it. */
  #put(run: Run, used: boolean): void {
    const block = Math.floor(run.address / fragmentsPerBlock);
    this.#enlist(block, this.map.nibble(block * fragmentsPerBlock), -1);
    for (let i = 0; i < run.fragments; i++) {
      if (this.map.has(run.address + i) === used) continue;
      this.map.put(run.address + i, used);
      this.free += used ? -1 : 1;
    }
    this.#enlist(block, this.map.nibble(block * fragmentsPerBlock), 1);
  }

  #enlist(block: number, nibble: number, by: 1 | -1): void {
    const longest = nibble === 0 ? fragmentsPerBlock : longestRun(nibble);
    if (longest === 0) return;
    if (longest === fragmentsPerBlock) {
      const area = Math.floor(block / this.#areaBlocks);
      this.#areaFree[area] = (this.#areaFree[area] ?? 0) + by;
    } else if (by === 1) this.#broken[longest]?.add(block);
    else this.#broken[longest]?.delete(block);
  }
}
