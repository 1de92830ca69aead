/**
 * Blocks of descriptors, through the block cache: a block has up to 21 files, which are often wanted one after another.
 * The cached blocks of a segment go when the log writes the segment anew.
 */

import { type Task, tasks } from '@backplane/engine';
import { damaged } from '@backplane/file-service';
import type { Backing, BlockCache, CachedObject } from '@backplane/slots';
import { type Geometry, isInSegment, sectorOfSegment, segmentOfSector } from './geometry.ts';
import {
  blockHeader,
  blockSectors,
  descriptorBytes,
  descriptorsMagic,
  isSealed,
  none,
  sectorBytes,
} from './layouts.ts';
import type { Log } from './log.ts';
import { placeOf } from './place.ts';

/** One segment's: blocks are numbered by sectors from its beginning. */
class SegmentBlocks implements Backing {
  static {
    tasks(SegmentBlocks);
  }

  readonly #log: Log;
  readonly #from: number;
  readonly #sectors: number;

  constructor(log: Log, from: number, sectors: number) {
    this.#log = log;
    this.#from = from;
    this.#sectors = sectors;
  }

  *fetch(offset: number): Task<Uint8Array> {
    const sectors = Math.min(blockSectors, this.#sectors - offset);
    return yield* this.#log.read(placeOf(this.#from + offset, sectors));
  }

  /** Nothing is ever dirty here: the log writes. */
  *writeBack(): Task<void> {}
}

export class DescriptorBlocks {
  static {
    tasks(DescriptorBlocks);
  }

  readonly #cache: BlockCache;
  readonly #keyPrefix: string;
  readonly #geometry: Geometry;
  readonly #log: Log;
  readonly #segments = new Map<number, CachedObject>();

  constructor(cache: BlockCache, keyPrefix: string, geometry: Geometry, log: Log) {
    this.#cache = cache;
    this.#keyPrefix = keyPrefix;
    this.#geometry = geometry;
    this.#log = log;
  }

  /** @throws KernelError `ioError`, also when there is no block of descriptors at that sector */
  *read(sector: number): Task<Uint8Array> {
    if (sector === none || !isInSegment(this.#geometry, sector, 1))
      throw damaged(`descriptors at sector ${sector}`);
    const segment = segmentOfSector(this.#geometry, sector);
    const offset = sector - sectorOfSegment(this.#geometry, segment);
    const object = this.#object(segment);
    const bytes = object.tryRead(offset) ?? (yield* object.read(offset));
    const block = wholeBlock(bytes);
    if (block === undefined) {
      object.drop('clean', offset);
      throw damaged(`descriptors at sector ${sector}`);
    }
    return block;
  }

  /** The log writes this segment from now on. */
  forget(segment: number): void {
    const object = this.#segments.get(segment);
    object?.drop('all');
    object?.release();
    this.#segments.delete(segment);
  }

  #object(segment: number): CachedObject {
    let object = this.#segments.get(segment);
    if (object === undefined) {
      const { segmentSectors } = this.#geometry;
      const backing = new SegmentBlocks(this.#log, sectorOfSegment(this.#geometry, segment), segmentSectors);
      object = this.#cache.object(`${this.#keyPrefix}:segment.${segment}`, backing, {
        writeDelayNs: 'never',
      });
      this.#segments.set(segment, object);
    }
    return object;
  }
}

/** The sectors that a block of descriptors takes, out of what was read from its beginning. */
export function wholeBlock(bytes: Uint8Array): Uint8Array | undefined {
  const h = blockHeader.tryDecode(bytes);
  if (h === undefined || h.magic !== descriptorsMagic) return undefined;
  const length = Math.ceil((blockHeader.size + h.count * descriptorBytes) / sectorBytes) * sectorBytes;
  const block = bytes.subarray(0, length);
  return block.length === length && isSealed(block) ? block : undefined;
}
