/**
 * What of a segment is live, and how it is written again.
 *
 * A block is dead at once when its file has another generation or was cut to nothing since; else it is live if the file's
 * index, or the map, still has it in that place. Live blocks go into the log like any others, with the age that they had.
 */
import { type Task, tasks } from '@backplane/engine';
import { isKernelError, type LiveBlock } from '@backplane/slots';
import { deflateSync } from 'fflate';
import type { Commits } from './commits.ts';
import { wholeBlock } from './descriptor-blocks.ts';
import type { DescriptorMap } from './descriptor-map.ts';
import type { FileBytes } from './file-bytes.ts';
import { type Geometry, sectorOfSegment } from './geometry.ts';
import type { Handle } from './handle.ts';
import type { Handles } from './handles.ts';
import {
  BlockKind,
  blockHeader,
  deflatedForm,
  descriptorBytes,
  descriptorRecord,
  sectorBytes,
} from './layouts.ts';
import type { Log } from './log.ts';
import type { LoggedBlock } from './partial-write.ts';
import { writesIn } from './partial-write-reader.ts';
import { formOf, sectorOf, sectorsOf } from './place.ts';
import type { Tables } from './tables.ts';
import type { SegmentUsage } from './usage.ts';

/** A live block of a file, which is held, and what the policy may know of it. */
export interface FoundBlock extends LiveBlock {
  readonly logged: LoggedBlock;
  readonly handle: Handle;
}

export interface LiveBlocksParts {
  readonly geometry: Geometry;
  readonly log: Log;
  readonly map: DescriptorMap;
  readonly usage: SegmentUsage;
  readonly handles: Handles;
  readonly bytes: FileBytes;
  readonly commits: Commits;
  readonly tables: Tables;
}

export interface LiveBlocksCounts {
  bytesRead: number;
  /** Live bytes that were written again. */
  bytesMoved: number;
  /** Blocks that were stored compressed. */
  blocksCompressed: number;
}

export class LiveBlocks {
  static {
    tasks(LiveBlocks);
  }

  readonly #parts: LiveBlocksParts;
  readonly #counts: LiveBlocksCounts;
  readonly #compressAfterNs: number;

  /** @param compressAfterNs age of a file's last change from which its blocks are compressed; 0: never */
  constructor(parts: LiveBlocksParts, counts: LiveBlocksCounts, compressAfterNs: number) {
    this.#parts = parts;
    this.#counts = counts;
    this.#compressAfterNs = compressAfterNs;
  }

  /** Reads a segment and holds the files of what may be live in it. Whatever is no file's is marked to be written again. */
  *survey(segment: number, found: FoundBlock[]): Task<void> {
    const { log, geometry } = this.#parts;
    const start = sectorOfSegment(geometry, segment);
    const all = yield* log.readRun(start, geometry.segmentSectors);
    this.#counts.bytesRead += all.length;
    for (const write of writesIn(all, start))
      for (const logged of write.blocks) yield* this.consider(logged, found);
  }

  *consider(b: LoggedBlock, found: FoundBlock[]): Task<void> {
    const { tables, map } = this.#parts;
    switch (b.owner.kind) {
      case BlockKind.data:
      case BlockKind.index:
        yield* this.#considerFile(b, found);
        return;
      case BlockKind.descriptors:
        yield* this.#considerDescriptors(b);
        return;
      case BlockKind.map:
        if (tables.mapSector(b.block) === sectorOf(b.place)) map.changed.add(b.block);
        return;
      case BlockKind.usage:
        if (tables.usageSector(b.block) === sectorOf(b.place)) this.#parts.usage.changed.add(b.block);
        return;
      default:
    }
  }

  *#considerFile(b: LoggedBlock, found: FoundBlock[]): Task<void> {
    const { map } = this.#parts;
    const { file, generation, truncations, kind } = b.owner;
    if (!map.isNumber(file) || !map.isCurrent(file, generation, truncations)) return;
    const h = yield* this.#holdNow(file, generation);
    if (h === undefined) return;
    let kept = false;
    try {
      if (kind === BlockKind.index) {
        yield* h.index.load(b.block);
        if (h.index.placeOfIndex(b.level, b.block) !== b.place) return;
        h.index.rewriteIndex(b.level, b.block);
        this.#again(h);
        return;
      }
      if ((yield* h.index.find(b.block)) !== b.place) return;
      const bytes = sectorsOf(b.place) * sectorBytes;
      found.push({ file, block: b.block, bytes, modifyNs: b.owner.modifyNs, logged: b, handle: h });
      kept = true;
    } finally {
      if (!kept) this.#parts.handles.release(h);
    }
  }

  *#considerDescriptors(b: LoggedBlock): Task<void> {
    const { map, handles } = this.#parts;
    const block = wholeBlock(b.bytes);
    if (block === undefined) return;
    const count = blockHeader.get.count(block, 0);
    for (let slot = 0; slot < count; slot++) {
      const at = blockHeader.size + slot * descriptorBytes;
      const number = descriptorRecord.get.number(block, at);
      if (!map.isNumber(number) || map.sector(number) !== sectorOf(b.place) || map.slot(number) !== slot)
        continue;
      const h = yield* this.#holdNow(number, descriptorRecord.get.generation(block, at));
      if (h === undefined) continue;
      this.#again(h);
      handles.release(h);
    }
  }

  *#holdNow(number: number, generation: number): Task<Handle | undefined> {
    const { handles } = this.#parts;
    try {
      return yield* handles.hold({ domain: handles.domain, number, generation });
    } catch (e) {
      if (!isKernelError(e, 'stale')) throw e;
      return undefined;
    }
  }

  /** Its descriptor goes into the log again. */
  #again(h: Handle): void {
    h.changed = true;
    this.#parts.commits.touch(h);
  }

  /** Writes a block again, if it is still where it was found. */
  move({ handle: h, logged, modifyNs }: FoundBlock): void {
    const { bytes, commits } = this.#parts;
    if (h.gone || h.index.tryFind(logged.block) !== logged.place) return;
    let form = formOf(logged.place);
    let content = logged.bytes;
    if (form === 0 && this.#isCold(h, modifyNs)) {
      const deflated = deflateSync(content);
      if (Math.ceil(deflated.length / sectorBytes) < sectorsOf(logged.place)) {
        form = deflatedForm;
        content = deflated;
        this.#counts.blocksCompressed++;
      }
    }
    bytes.put(h, logged.block, content, form, modifyNs);
    this.#counts.bytesMoved += content.length;
    commits.touch(h);
  }

  #isCold(h: Handle, modifyNs: number): boolean {
    const compressAfterNs = this.#compressAfterNs;
    if (compressAfterNs === 0 || h.isDirectory) return false;
    return this.#parts.commits.nowNs - modifyNs >= compressAfterNs;
  }
}
