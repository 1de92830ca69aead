/**
 * Where the blocks of a file are: ten pointers in the descriptor, 1024 in one index block, and 1024 index blocks of 1024
 * in the double one, which is 4 GB and 4 MB. Index blocks that were used stay in memory with the descriptor, are changed
 * there, and go to the disk before it does.
 */

import { type Task, tasks } from '@backplane/engine';
import { damaged } from '@backplane/file-service';
import { assert } from '@backplane/slots';
import { type Descriptor, fragmentsIn, lastBlock } from './descriptor.ts';
import { blockOfAddress } from './geometry.ts';
import { blockBytes, directBlocks, fragmentsPerBlock, none, pointer, pointersPerBlock } from './layouts.ts';
import type { MetaBlock } from './meta-blocks.ts';
import type { Run } from './space.ts';
import type { Volume } from './volume.ts';

/** First block that the double index block leads to. */
const doubleFrom = directBlocks + pointersPerBlock;

/** Which pointer of which index block leads to a block, counted from the first that the index leads to. */
const leafOf = (block: number): number => Math.floor((block - doubleFrom) / pointersPerBlock);
const slotOf = (block: number): number =>
  block < doubleFrom ? block - directBlocks : (block - doubleFrom) % pointersPerBlock;

class Index {
  readonly pointers: Uint32Array = new Uint32Array(pointersPerBlock).fill(none);
  dirty = false;

  at(slot: number): number {
    return this.pointers[slot] ?? none;
  }

  put(slot: number, address: number): void {
    this.pointers[slot] = address;
    this.dirty = true;
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(blockBytes);
    for (const [slot, to] of this.pointers.entries()) pointer.set.to(bytes, slot * pointer.size, to);
    return bytes;
  }
}

export class BlockMap {
  static {
    tasks(BlockMap);
  }

  readonly #volume: Volume;
  readonly #descriptor: Descriptor;
  /** By address. */
  readonly #indexes = new Map<number, Index>();

  constructor(volume: Volume, descriptor: Descriptor) {
    this.#volume = volume;
    this.#descriptor = descriptor;
  }

  /** The disk has all index blocks as they are here. */
  get clean(): boolean {
    for (const index of this.#indexes.values()) if (index.dirty) return false;
    return true;
  }

  /** The address of a block, or `none`. @throws KernelError `ioError` when a pointer leads out of the disk */
  *find(block: number): Task<number> {
    const { direct, sizeBytes } = this.#descriptor;
    if (block < directBlocks) {
      const address = direct[block] ?? none;
      const fragments = block > lastBlock(sizeBytes) ? 1 : fragmentsIn(sizeBytes, block);
      if (address !== none && !this.#volume.isBlock(address, fragments)) throw damaged('pointer');
      return address;
    }
    const leaf = yield* this.#leaf(block);
    return leaf === none ? none : (yield* this.#index(leaf)).at(slotOf(block));
  }

  /** How many index blocks have to be made before these blocks can be led to. */
  *indexesMissing(first: number, last: number): Task<number> {
    let missing = 0;
    const { indirect } = this.#descriptor;
    if (first < doubleFrom && last >= directBlocks && indirect[0] === none) missing++;
    if (last < doubleFrom) return missing;
    if (indirect[1] === none) missing++;
    for (let leaf = leafOf(Math.max(first, doubleFrom)); leaf <= leafOf(last); leaf++)
      if ((yield* this.#leaf(doubleFrom + leaf * pointersPerBlock)) === none) missing++;
    return missing;
  }

  /** Leads to a block. Index blocks that are missing are made of `spare` addresses. */
  *assign(block: number, address: number, spare: number[]): Task<void> {
    const { direct, indirect } = this.#descriptor;
    if (block < directBlocks) {
      direct[block] = address;
      return;
    }
    if (block < doubleFrom) {
      if (indirect[0] === none) indirect[0] = this.#make(spare);
      (yield* this.#index(indirect[0] ?? none)).put(slotOf(block), address);
      return;
    }
    if (indirect[1] === none) indirect[1] = this.#make(spare);
    const root = yield* this.#index(indirect[1] ?? none);
    const slot = leafOf(block);
    if (root.at(slot) === none) root.put(slot, this.#make(spare));
    (yield* this.#index(root.at(slot))).put(slotOf(block), address);
  }

  /** Takes all blocks from this one on, with the index blocks that led to them only, out of the file; returns what they were. */
  *detach(from: number): Task<Run[]> {
    const { direct, indirect, sizeBytes } = this.#descriptor;
    const [single = none, double = none] = indirect;
    const runs: Run[] = [];
    const dropped: number[] = [];
    const cut: { readonly index: Index; readonly slot: number }[] = [];
    // First everything that may fail, then everything that changes.
    if (single !== none && from < doubleFrom) {
      const index = yield* this.#index(single);
      if (from <= directBlocks) dropped.push(single);
      cut.push({ index, slot: Math.max(0, slotOf(from)) });
    }
    if (double !== none) {
      const root = yield* this.#index(double);
      const first = Math.max(doubleFrom, from);
      for (let leaf = leafOf(first); leaf < pointersPerBlock; leaf++) {
        const address = root.at(leaf);
        if (address === none) continue;
        const slot = leaf === leafOf(first) ? slotOf(first) : 0;
        cut.push({ index: yield* this.#index(address), slot });
        if (slot === 0) dropped.push(address);
      }
      if (from <= doubleFrom) dropped.push(double);
      else
        for (let leaf = leafOf(first); leaf < pointersPerBlock; leaf++)
          if (dropped.includes(root.at(leaf))) root.put(leaf, none);
    }
    for (const { index, slot } of cut)
      for (let i = slot; i < pointersPerBlock; i++) {
        const address = index.at(i);
        if (address === none) continue;
        runs.push({ address, fragments: fragmentsPerBlock });
        index.put(i, none);
      }
    for (let block = from; block < directBlocks; block++) {
      const address = direct[block] ?? none;
      if (address !== none) runs.push({ address, fragments: fragmentsIn(sizeBytes, block) });
      direct[block] = none;
    }
    if (from <= directBlocks) indirect[0] = none;
    if (from <= doubleFrom) indirect[1] = none;
    for (const address of dropped) {
      this.#indexes.delete(address);
      this.#volume.metas.drop(this.#meta(address).block);
      runs.push({ address, fragments: fragmentsPerBlock });
    }
    // A damaged disk may have led anywhere.
    return runs.filter((r) => this.#volume.isBlock(r.address, r.fragments));
  }

  /** Brings index blocks that have changed to the disk. */
  *flush(): Task<void> {
    for (const [address, index] of [...this.#indexes]) {
      if (!index.dirty) continue;
      index.dirty = false;
      let stored = false;
      try {
        const meta = this.#meta(address);
        yield* meta.fill(index.encode());
        yield* meta.flush();
        stored = true;
      } finally {
        if (!stored) index.dirty = true;
      }
    }
  }

  /** The index block that leads to a block beyond the direct ones, or `none`. */
  *#leaf(block: number): Task<number> {
    const [single = none, double = none] = this.#descriptor.indirect;
    if (block < doubleFrom) return single;
    return double === none ? none : (yield* this.#index(double)).at(leafOf(block));
  }

  /** @throws KernelError `ioError` when it is no index block, or leads out of the disk */
  *#index(address: number): Task<Index> {
    const known = this.#indexes.get(address);
    if (known !== undefined) return known;
    if (address === none || !this.#volume.isPointer(address)) throw damaged('index pointer');
    const bytes = yield* this.#meta(address).read();
    const index = new Index();
    for (let slot = 0; slot < pointersPerBlock; slot++)
      index.pointers[slot] = pointer.get.to(bytes, slot * pointer.size);
    if (!index.pointers.every((p) => this.#volume.isPointer(p))) throw damaged('pointer in an index block');
    this.#indexes.set(address, index);
    return index;
  }

  #make(spare: number[]): number {
    const address = spare.shift();
    assert(address !== undefined, 'block map', 'no address was set aside for an index block');
    const index = new Index();
    index.dirty = true;
    this.#indexes.set(address, index);
    return address;
  }

  #meta(address: number): MetaBlock {
    return this.#volume.metas.at(blockOfAddress(this.#volume.geometry, address));
  }
}
