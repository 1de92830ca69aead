/**
 * The repair after a crash (Sprite's fscheck): reads all descriptors and all directories, decides what is true, and makes
 * the disk say so. What it may find after a crash, because the write-back allows it:
 *
 *   found                                                     made of it
 *   file without a name, or with more links than names        freed; counted anew
 *   name that leads to a free descriptor, or twice            taken away
 *   fewer links than names (a rename in its middle)           counted anew
 *   directory with two names, ".." that leads elsewhere       one parent
 *   bitmaps that do not agree with the descriptors            made anew
 *
 * What it finds only on a damaged disk: pointers that lead wrong, two owners of a block, records that make no sense. None
 * of either is left afterwards: an audit (audit.ts) of the disk has no findings then.
 *
 *   pass   reads                      decides
 *   scan   every descriptor block     which files there are; one that makes no sense is none
 *   tree   directories from the root  which files have names, and how many (repair-names.ts); directories' blocks are theirs
 *   claim  index blocks               whose the blocks are: of two that lead to one, the first in order of number
 *   mend                              writes directories, index blocks, descriptors, bitmaps
 *
 * A file without a name is freed. A pointer out of the disk, to a block of somebody else, or beyond the file's end is
 * taken away, and the file's version rises, so that nobody who has a copy takes it for the file. Nothing is read through
 * the cache, and nothing is written before all has been decided; a crash meanwhile only means to begin again. What cannot
 * be read is tried three times and then not mended: `ioError`. So is a root that is no directory.
 */
import { type Task, tasks } from '@backplane/engine';
import { isKernelError } from '@backplane/slots';
import type { Bitmap } from './bitmap.ts';
import { encodeChunk } from './chunk.ts';
import {
  type Descriptor,
  decodeDescriptor,
  encodeDescriptor,
  encodeFree,
  fragmentsIn,
  generationAt,
  lastBlock,
} from './descriptor.ts';
import { blockOfAddress } from './geometry.ts';
import {
  chunkBytes,
  descriptorBytes,
  descriptorsPerBlock,
  directBlocks,
  fragmentBytes,
  fragmentsPerBlock,
  none,
  pointer,
  pointersPerBlock,
  rootNumber,
} from './layouts.ts';
import { RepairNames } from './repair-names.ts';
import type { Run } from './space.ts';
import type { Volume } from './volume.ts';

const triesMax = 3;
/** Blocks of descriptors that one request reads. */
const scanBlocks = 16;

/** A descriptor as it was found, and what has become of it. */
export interface Found {
  readonly number: number;
  readonly descriptor: Descriptor;
  /** Names that lead here, as far as they are known. */
  links: number;
  reached: boolean;
  /** Something that it led to was taken away. */
  damaged: boolean;
}

export interface RepairResult {
  /** Descriptors, names and pointers that were changed or taken away. */
  readonly repairs: number;
  /** The highest generation of any descriptor, in use or not. */
  readonly generationMax: number;
}

export class Repair {
  static {
    tasks(Repair);
  }

  repairs = 0;
  readonly found: Map<number, Found> = new Map();
  readonly volume: Volume;
  readonly #used: Bitmap;
  /** Allocated descriptors that make no sense. */
  readonly #senseless: number[] = [];
  readonly #indexes = new Map<number, Uint8Array>();
  #generationMax = 0;

  constructor(volume: Volume) {
    this.volume = volume;
    this.#used = volume.space.map;
  }

  *run(): Task<RepairResult> {
    this.#used.bytes.fill(0);
    this.#used.load(this.#used.bytes);
    yield* this.#scan();
    const tree = new RepairNames(this);
    yield* tree.walk();
    const files = [...this.found.values()].sort((a, b) => a.number - b.number);
    for (const f of files) if (f.reached && f.descriptor.type !== 'directory') yield* this.claim(f);
    yield* this.#mendDirectories(tree);
    for (const [address, bytes] of this.#indexes)
      yield* this.volume.writeBlocks(blockOfAddress(this.volume.geometry, address), bytes);
    yield* this.#mendDescriptors(files);
    yield* this.#mendMaps(files);
    return { repairs: this.repairs, generationMax: this.#generationMax };
  }

  /** Reads again what failed: one bad moment of the disk must not cost a file. @throws KernelError `ioError` */
  *readFragments(run: Run): Task<Uint8Array> {
    for (let tries = 1; ; tries++) {
      try {
        return yield* this.volume.readFragments(run);
      } catch (e) {
        if (!isKernelError(e, 'ioError') || tries === triesMax) throw e;
      }
    }
  }

  *#readBlocks(block: number, count: number): Task<Uint8Array> {
    for (let tries = 1; ; tries++) {
      try {
        return yield* this.volume.readBlocks(block, count);
      } catch (e) {
        if (!isKernelError(e, 'ioError') || tries === triesMax) throw e;
      }
    }
  }

  // ---- scan ----

  *#scan(): Task<void> {
    const { descriptorBlock, descriptorBlocks } = this.volume.geometry;
    for (let b = 0; b < descriptorBlocks; b += scanBlocks) {
      const count = Math.min(scanBlocks, descriptorBlocks - b);
      const bytes = yield* this.#readBlocks(descriptorBlock + b, count);
      for (let i = 0; i < count * descriptorsPerBlock; i++)
        this.#note(b * descriptorsPerBlock + i, bytes, i * descriptorBytes);
    }
  }

  #note(number: number, bytes: Uint8Array, at: number): void {
    const descriptor = decodeDescriptor(bytes, at);
    if (descriptor === 'damaged') {
      this.#senseless.push(number);
      return;
    }
    this.#generationMax = Math.max(this.#generationMax, generationAt(bytes, at));
    if (descriptor === 'free') return;
    if (number < rootNumber) this.#senseless.push(number);
    else this.found.set(number, { number, descriptor, links: 0, reached: false, damaged: false });
  }

  // ---- claim ----

  /** Makes the blocks that a file leads to its own, and takes away the pointers that lead wrong. */
  *claim(f: Found): Task<void> {
    const { descriptor: d } = f;
    const last = lastBlock(d.sizeBytes);
    for (let n = 0; n < directBlocks; n++)
      d.direct[n] = this.#own(f, d.direct[n] ?? none, n <= last ? fragmentsIn(d.sizeBytes, n) : 0);
    const [single = none, double = none, triple = none] = d.indirect;
    const firstDouble = directBlocks + pointersPerBlock;
    d.indirect[0] = this.#own(f, single, last >= directBlocks ? fragmentsPerBlock : 0);
    d.indirect[1] = this.#own(f, double, last >= firstDouble ? fragmentsPerBlock : 0);
    d.indirect[2] = this.#own(f, triple, 0);
    if (d.indirect[0] !== none) yield* this.#claimIndex(f, single, last - directBlocks);
    if (d.indirect[1] === none) return;
    const leaves = yield* this.#claimIndex(f, double, Math.floor((last - firstDouble) / pointersPerBlock));
    for (const [i, leaf] of leaves.entries())
      if (leaf !== none) yield* this.#claimIndex(f, leaf, last - firstDouble - i * pointersPerBlock);
  }

  /** The address, now this file's own; `none` when it leads nowhere, wrong, or where nothing should be (no fragments). */
  #own(f: Found, address: number, fragments: number): number {
    if (address === none) return none;
    let good = fragments > 0 && this.volume.isBlock(address, fragments);
    for (let i = 0; good && i < fragments; i++) good = !this.#used.has(address + i);
    if (!good) {
      f.damaged = true;
      this.repairs++;
      return none;
    }
    for (let i = 0; i < fragments; i++) this.#used.put(address + i, true);
    return address;
  }

  /** Claims what an index block leads to, up to a slot; returns the pointers that are left. */
  *#claimIndex(f: Found, address: number, lastSlot: number): Task<number[]> {
    const bytes = yield* this.readFragments({ address, fragments: fragmentsPerBlock });
    const kept: number[] = [];
    let changed: Uint8Array | null = null;
    for (let slot = 0; slot < pointersPerBlock; slot++) {
      const to = pointer.get.to(bytes, slot * pointer.size);
      const own = this.#own(f, to, slot <= lastSlot ? fragmentsPerBlock : 0);
      kept.push(own);
      if (own === to) continue;
      changed ??= bytes.slice();
      pointer.set.to(changed, slot * pointer.size, none);
    }
    if (changed !== null) this.#indexes.set(address, changed);
    return kept;
  }

  // ---- mend ----

  *#mendDirectories(tree: RepairNames): Task<void> {
    for (const { chunks, changed, addresses } of tree.kept)
      for (const chunk of [...changed].sort((a, b) => a - b)) {
        const fragment = Math.floor((chunk * chunkBytes) / fragmentBytes);
        const address = addresses[Math.floor(fragment / fragmentsPerBlock)] ?? none;
        const first = (fragment * fragmentBytes) / chunkBytes;
        const bytes = new Uint8Array(fragmentBytes);
        for (let i = 0; i < fragmentBytes / chunkBytes; i++) {
          const entries = chunks[first + i];
          if (entries !== undefined) bytes.set(encodeChunk(entries), i * chunkBytes);
        }
        if (address !== none)
          yield* this.volume.writeFragments(address + (fragment % fragmentsPerBlock), bytes);
      }
  }

  *#mendDescriptors(files: readonly Found[]): Task<void> {
    const changes = new Map<number, Uint8Array>();
    for (const number of this.#senseless) changes.set(number, encodeFree(this.#generationMax));
    for (const f of files) {
      const d = f.descriptor;
      if (!f.reached) changes.set(f.number, encodeFree(d.generation));
      else if (f.damaged || f.links !== d.links) {
        if (f.damaged) d.version = (d.version + 1) >>> 0;
        d.links = f.links;
        changes.set(f.number, encodeDescriptor(d, true));
      }
    }
    this.repairs += changes.size;
    const blocks = new Map<number, number[]>();
    for (const number of changes.keys()) {
      const block = Math.floor(number / descriptorsPerBlock);
      blocks.set(block, [...(blocks.get(block) ?? []), number]);
    }
    const { descriptorBlock } = this.volume.geometry;
    for (const [block, numbers] of [...blocks].sort(([a], [b]) => a - b)) {
      const bytes = (yield* this.#readBlocks(descriptorBlock + block, 1)).slice();
      for (const number of numbers)
        bytes.set(changes.get(number) ?? encodeFree(0), (number % descriptorsPerBlock) * descriptorBytes);
      yield* this.volume.writeBlocks(descriptorBlock + block, bytes);
    }
  }

  *#mendMaps(files: readonly Found[]): Task<void> {
    const { geometry, numbers, space } = this.volume;
    numbers.map.bytes.fill(0);
    numbers.map.load(numbers.map.bytes);
    for (const f of files) if (f.reached) numbers.map.put(f.number, true);
    numbers.recount();
    space.recount();
    for (const [map, first] of [
      [numbers.map, geometry.descriptorMapBlock],
      [space.map, geometry.dataMapBlock],
    ] as const) {
      yield* this.volume.writeBlocks(first, map.bytes.slice());
      map.changed.clear();
    }
  }

  /** Where the blocks of a directory are. Index blocks have been claimed. */
  *addressesOf(d: Descriptor): Task<number[]> {
    const last = lastBlock(d.sizeBytes);
    const addresses = d.direct.slice(0, last + 1);
    const [single = none, double = none] = d.indirect;
    const pointers = function* (repair: Repair, index: number): Task<number[]> {
      if (index === none) return Array.from({ length: pointersPerBlock }, () => none);
      const bytes =
        repair.#indexes.get(index) ??
        (yield* repair.readFragments({ address: index, fragments: fragmentsPerBlock }));
      return Array.from({ length: pointersPerBlock }, (_, i) => pointer.get.to(bytes, i * pointer.size));
    };
    if (last >= directBlocks) addresses.push(...(yield* pointers(this, single)));
    if (last >= directBlocks + pointersPerBlock)
      for (const leaf of yield* pointers(this, double)) {
        if (addresses.length > last) break;
        addresses.push(...(yield* pointers(this, leaf)));
      }
    return addresses.slice(0, last + 1);
  }
}
