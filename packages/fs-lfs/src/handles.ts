/** The files in use, by number. Handles of which the log has everything leave when there are many, those first that were not used for a while. */

import { type Task, tasks } from '@backplane/engine';
import { damaged } from '@backplane/file-service';
import { type FileId, KernelError } from '@backplane/slots';
import { BlockIndex } from './block-index.ts';
import { type Descriptor, descriptorFrom } from './descriptor.ts';
import type { DescriptorBlocks } from './descriptor-blocks.ts';
import type { DescriptorMap } from './descriptor-map.ts';
import { Directory } from './directory.ts';
import { type Geometry, isInSegment } from './geometry.ts';
import { type BlockMover, Handle } from './handle.ts';
import { blockBytes, blockHeader, descriptorBytes, descriptorRecord, none } from './layouts.ts';
import type { Log } from './log.ts';
import { nowhere, sectorOf, sectorsOf } from './place.ts';

const handlesMax = 4096;

export interface HandlesParts {
  readonly domain: number;
  readonly geometry: Geometry;
  readonly map: DescriptorMap;
  readonly log: Log;
  readonly blocks: DescriptorBlocks;
}

export class Handles {
  static {
    tasks(Handles);
  }

  readonly #parts: HandlesParts;
  readonly domain: number;
  readonly #mover: BlockMover;
  readonly #table = new Map<number, Handle>();
  #evictAbove = handlesMax;

  constructor(parts: HandlesParts, mover: BlockMover) {
    this.#parts = parts;
    this.#mover = mover;
    this.domain = parts.domain;
  }

  /** All that are in the table. */
  get all(): readonly Handle[] {
    return [...this.#table.values()];
  }

  /** The handle of a file in use, until `release`; undefined for another, which `hold` gets. */
  tryHold(f: FileId): Handle | undefined {
    const h = this.#table.get(f.number);
    if (h === undefined || h.gone || h.id.generation !== f.generation || f.domain !== h.id.domain)
      return undefined;
    h.used = true;
    h.users++;
    return h;
  }

  /** The handle of a file, until `release`. @throws KernelError `stale`, `ioError` */
  *hold(f: FileId): Task<Handle> {
    const { domain, map } = this.#parts;
    const known = this.tryHold(f);
    if (known !== undefined) return known;
    if (f.domain !== domain || !map.isNumber(f.number)) throw new KernelError('stale');
    const h = yield* this.#get(f.number, f.generation);
    if (h === undefined) throw new KernelError('stale');
    h.users++;
    return h;
  }

  /** The same of a directory, with its entries. @throws KernelError `stale`, `notDirectory`, `ioError` */
  *holdDirectory(f: FileId): Task<Handle> {
    const h = yield* this.hold(f);
    let opened = false;
    try {
      yield* this.open(h);
      opened = true;
      return h;
    } finally {
      if (!opened) this.release(h);
    }
  }

  /** Brings a directory's entries into memory. @throws KernelError `notDirectory`, `ioError` */
  *open(h: Handle): Task<Directory> {
    if (h.directory !== null) return h.directory;
    if (!h.isDirectory) throw new KernelError('notDirectory');
    const directory = yield* this.#read(h);
    h.directory ??= directory;
    return h.directory;
  }

  release(h: Handle): void {
    h.users--;
    if (this.#table.size > this.#evictAbove) this.#evict();
  }

  /** A file that has just been made; held. */
  enter(number: number, descriptor: Descriptor): Handle {
    const id = { domain: this.#parts.domain, number, generation: descriptor.generation };
    const h = new Handle(this.#mover, id, descriptor, new BlockIndex(this.#parts, id));
    if (descriptor.type === 'directory') h.directory = new Directory(number, descriptor.generation);
    this.#table.set(number, h);
    h.users++;
    return h;
  }

  forget(h: Handle): void {
    if (this.#table.get(h.id.number) === h) this.#table.delete(h.id.number);
    h.release();
  }

  *#get(number: number, generation: number): Task<Handle | undefined> {
    const { map } = this.#parts;
    for (;;) {
      const known = this.#table.get(number);
      if (known !== undefined) {
        return known.gone || known.id.generation !== generation ? undefined : known;
      }
      if (!map.isAllocated(number) || map.generation(number) !== generation) return undefined;
      const sector = map.sector(number);
      const made = yield* this.#load(number);
      // Meanwhile the descriptor may have moved, or somebody else may have read it, too.
      if (this.#table.has(number) || map.sector(number) !== sector) continue;
      this.#table.set(number, made);
      return made;
    }
  }

  *#load(number: number): Task<Handle> {
    const { domain, geometry, map, blocks } = this.#parts;
    const bytes = yield* blocks.read(map.sector(number));
    const record = descriptorRecord.tryDecode(bytes, blockHeader.size + map.slot(number) * descriptorBytes);
    const d = record === undefined ? undefined : descriptorFrom(record);
    const generation = map.generation(number);
    if (record === undefined || d === undefined || record.number !== number || d.generation !== generation)
      throw damaged(`descriptor ${number}`);
    for (const p of [...record.direct, ...record.indirect])
      if (p.sector !== none && !isInSegment(geometry, p.sector, p.sectors))
        throw damaged(`pointer in descriptor ${number}`);
    const id = { domain, number, generation };
    return new Handle(this.#mover, id, d, new BlockIndex(this.#parts, id, record));
  }

  /** All of it. */
  *#read(h: Handle): Task<Directory> {
    const { geometry, log } = this.#parts;
    const { number, generation } = h.id;
    yield* h.index.loadAll();
    const directory = new Directory(number, generation);
    const blocks = Math.ceil(h.descriptor.sizeBytes / blockBytes);
    for (let block = 0; block < blocks; block++) {
      const place = h.index.tryFind(block) ?? nowhere;
      if (place === nowhere || !isInSegment(geometry, sectorOf(place), sectorsOf(place)))
        throw damaged(`directory ${number}: no block ${block}`);
      const bytes = yield* log.read(place);
      if (!directory.decode(block, bytes)) throw damaged(`directory ${number}, block ${block}`);
    }
    return directory;
  }

  /** Lets those go that nobody has held since the last time and the log has all of; the rest are many for a while. */
  #evict(): void {
    for (const h of this.#table.values()) {
      if (this.#table.size <= handlesMax) break;
      const mayLeave = h.users === 0 && !h.used && !h.gone && h.clean;
      h.used = false;
      if (!mayLeave) continue;
      this.#table.delete(h.id.number);
      h.release();
    }
    this.#evictAbove = Math.max(handlesMax, Math.floor(this.#table.size * 1.25));
  }
}
