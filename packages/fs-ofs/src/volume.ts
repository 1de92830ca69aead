/** An attached disk: where things are, what is free, and how blocks go to and fro. */
import { type Task, tasks } from '@backplane/engine';
import type { BlockCache, Disk } from '@backplane/slots';
import { fragmentsOf, type Geometry, sectorsPerBlock, sectorsPerFragment } from './geometry.ts';
import { InFlight } from './in-flight.ts';
import { fragmentsPerBlock, none } from './layouts.ts';
import { type BlockDevice, MetaBlocks } from './meta-blocks.ts';
import { Numbers } from './numbers.ts';
import { type Run, Space } from './space.ts';

export interface SpaceOptions {
  readonly percentFree: number;
  readonly interleaveBlocks: number;
}

export class Volume implements BlockDevice {
  static {
    tasks(Volume);
  }

  readonly domain: number;
  readonly geometry: Geometry;
  readonly cache: BlockCache;
  /** Every key in the block cache begins with it. */
  readonly keyPrefix: string;
  readonly space: Space;
  readonly numbers: Numbers;
  readonly metas: MetaBlocks;
  readonly inFlight: InFlight = new InFlight();
  /** Given back, but still led to by descriptors on the disk. */
  pendingFragments = 0;
  pendingFiles = 0;
  /** Times that the disk was attached, this one included. */
  mounts = 0;
  readonly #disk: Disk;

  constructor(disk: Disk, cache: BlockCache, domain: number, geometry: Geometry, o: SpaceOptions) {
    this.#disk = disk;
    this.cache = cache;
    this.domain = domain;
    this.geometry = geometry;
    this.keyPrefix = `@backplane/fs-ofs:${domain}`;
    this.space = new Space({ blocks: geometry.dataBlocks, areaBlocks: geometry.areaBlocks, ...o });
    this.numbers = new Numbers(geometry.descriptors);
    this.metas = new MetaBlocks(this, cache, this.keyPrefix);
  }

  *readBlocks(block: number, count: number): Task<Uint8Array> {
    const perBlock = sectorsPerBlock(this.geometry.sectorBytes);
    return yield* this.#disk.read(block * perBlock, count * perBlock);
  }

  *writeBlocks(block: number, bytes: Uint8Array): Task<void> {
    yield* this.#write(block * sectorsPerBlock(this.geometry.sectorBytes), bytes);
  }

  *readFragments(run: Run): Task<Uint8Array> {
    const perFragment = sectorsPerFragment(this.geometry.sectorBytes);
    return yield* this.#disk.read(this.#sectorOf(run.address), run.fragments * perFragment);
  }

  *writeFragments(address: number, bytes: Uint8Array): Task<void> {
    yield* this.#write(this.#sectorOf(address), bytes);
  }

  *barrier(): Task<void> {
    yield* this.#disk.barrier();
  }

  /** Is this where a block of a file may lie? */
  isBlock(address: number, fragments: number): boolean {
    return (
      address + fragments <= fragmentsOf(this.geometry) &&
      (address % fragmentsPerBlock) + fragments <= fragmentsPerBlock
    );
  }

  /** A pointer as it came from the disk: nowhere, or to a whole block. */
  isPointer(address: number): boolean {
    return address === none || this.isBlock(address, fragmentsPerBlock);
  }

  #sectorOf(address: number): number {
    const fragment = this.geometry.dataBlock * fragmentsPerBlock + address;
    return fragment * sectorsPerFragment(this.geometry.sectorBytes);
  }

  *#write(sector: number, bytes: Uint8Array): Task<void> {
    const write = this.inFlight.begin();
    try {
      yield* this.#disk.write(sector, bytes);
    } finally {
      this.inFlight.end(write);
    }
  }
}
