/**
 * The structures of a disk for people, field by field, in the order in which one leads to the next: superblock, checkpoint,
 * map, descriptors with what they lead to, usage table, summaries, and the log after the checkpoint. Ends on any bytes: a
 * block is shown once, whoever leads to it.
 */

import { Findings } from '@backplane/file-service';
import { type DiskImage, type DumpedRecord, fileTypes } from '@backplane/slots';
import { describe, type Layout, type Row } from '@backplane/wire';
import { Claims } from './audit-claims.ts';
import { type PartialWrite, segmentWrites, writesFrom } from './audit-log.ts';
import { auditMap } from './audit-map.ts';
import { auditOnce } from './audit-once.ts';
import { indexSpan } from './audit-pointers.ts';
import { auditRegions, auditSuperblocks, type FoundCheckpoint } from './audit-start.ts';
import { isWithin, Surface, sectorsFor } from './audit-surface.ts';
import { claimUsage } from './audit-usage.ts';
import { directoryLogRows, directoryRows, partialWriteRows } from './dump-records.ts';
import {
  address,
  allocatedFlag,
  BlockKind,
  blockHeader,
  blockSectors,
  checkpoint,
  type DescriptorRecord,
  descriptorBytes,
  descriptorRecord,
  descriptorsMagic,
  descriptorsPerBlock,
  directoryLogMagic,
  directoryMagic,
  directPointers,
  indexMagic,
  mapEntriesPerBlock,
  mapEntry,
  mapMagic,
  none,
  type Pointer,
  pointer,
  regionSector,
  type Superblock,
  sectorBytes,
  superblock,
  superblockCopySector,
  superblockSector,
  usageEntriesPerBlock,
  usageEntry,
  usageMagic,
  writeOnceFlag,
} from './layouts.ts';

export function* dumpLfs(image: DiskImage): Iterable<DumpedRecord> {
  if (image.sectorBytes !== sectorBytes) return;
  for (const [what, at] of [
    ['superblock', superblockSector],
    ['copy of the superblock', superblockCopySector],
  ] as const)
    if (isWithin(image, at, 1)) yield recordAt(what, at, 0, superblock, image.read(at, 1));
  // What is wrong is for the audit to say: here it only means that less is shown.
  const unread = new Findings();
  const s = auditSuperblocks(image, unread);
  if (s === null) return;
  const surface = new Surface(image, s);
  const isOnce = (s.flags & writeOnceFlag) !== 0;
  if (!isOnce) yield* regions(image, s);
  const c = isOnce ? auditOnce(surface, s, unread) : auditRegions(image, s, unread);
  if (c === null) return;
  if (isOnce) yield recordAt('checkpoint', c.sector, 0, checkpoint, image.read(c.sector, 1));
  yield* new Dump(surface, c).all();
}

const recordAt = <T>(
  what: string,
  sector: number,
  at: number,
  layout: Layout<T>,
  bytes: Uint8Array,
): DumpedRecord => ({
  what,
  sector: sector + Math.floor(at / sectorBytes),
  at: at % sectorBytes,
  rows: () => describe(layout, bytes, at),
});

function* regions(image: DiskImage, s: Superblock): Iterable<DumpedRecord> {
  for (let i = 0; i < 2; i++) {
    const sector = regionSector + i * s.regionSectors;
    if (isWithin(image, sector, 1))
      yield recordAt(`checkpoint region ${i}`, sector, 0, checkpoint, image.read(sector, 1));
  }
}

class Dump {
  readonly #surface: Surface;
  readonly #found: FoundCheckpoint;
  readonly #shown = new Set<number>();

  constructor(surface: Surface, found: FoundCheckpoint) {
    this.#surface = surface;
    this.#found = found;
  }

  *all(): Iterable<DumpedRecord> {
    yield this.#addresses();
    for (const [n, sector] of this.#found.map.entries()) yield* this.#mapBlock(n, sector);
    for (const [n, sector] of this.#found.usage.entries()) yield* this.#usageBlock(n, sector);
    yield* this.#summaries();
    for (const w of writesFrom(this.#surface, this.#found.checkpoint)) {
      yield* partialWriteRows(w, ', after the checkpoint');
      yield* this.#operations(w);
    }
  }

  #addresses(): DumpedRecord {
    const { sector, map, usage } = this.#found;
    const rows = (): readonly Row[] =>
      [...map, ...usage].flatMap((to, i): Row[] =>
        to === none
          ? []
          : [
              {
                path: i < map.length ? `map[${i}]` : `usage[${i - map.length}]`,
                offset: i * address.size,
                width: address.size,
                kind: 'u32',
                doc: '',
                value: to,
                text: String(to),
              },
            ],
      );
    return { what: 'addresses of the checkpoint', sector, at: checkpoint.size, rows };
  }

  /** A valid block that has not been shown yet. */
  #block(sector: number, sectors: number, magic: number): Uint8Array | null {
    if (sector === none || this.#shown.has(sector)) return null;
    const bytes = this.#surface.sealed(sector, sectors, magic);
    if (bytes !== null) this.#shown.add(sector);
    return bytes;
  }

  // ---- map and descriptors ----

  *#mapBlock(n: number, sector: number): Iterable<DumpedRecord> {
    const bytes = this.#block(sector, blockSectors, mapMagic);
    if (bytes === null) return;
    yield recordAt(`map block ${n}`, sector, 0, blockHeader, bytes);
    for (let i = 0; i < mapEntriesPerBlock; i++) {
      const at = blockHeader.size + i * mapEntry.size;
      const e = mapEntry.decode(bytes, at);
      const number = n * mapEntriesPerBlock + i;
      if (e.flags !== 0 || e.generation !== 0)
        yield recordAt(`map entry ${number}`, sector, at, mapEntry, bytes);
      if ((e.flags & allocatedFlag) !== 0) yield* this.#descriptors(e.sector);
    }
  }

  *#descriptors(sector: number): Iterable<DumpedRecord> {
    const first = this.#surface.read(sector, 1);
    const count = first === null ? 0 : blockHeader.get.count(first, 0);
    if (count < 1 || count > descriptorsPerBlock) return;
    const sectors = sectorsFor(blockHeader.size + count * descriptorBytes);
    const bytes = this.#block(sector, sectors, descriptorsMagic);
    if (bytes === null) return;
    yield recordAt('block of descriptors', sector, 0, blockHeader, bytes);
    for (let i = 0; i < count; i++) {
      const at = blockHeader.size + i * descriptorBytes;
      const d = descriptorRecord.decode(bytes, at);
      if (!this.#isCurrent(d, sector, i)) continue;
      yield recordAt(`descriptor ${d.number}`, sector, at, descriptorRecord, bytes);
      yield* this.#file(d);
    }
  }

  /** Does the map lead here for this file? The block may hold descriptors that have been written again since. */
  #isCurrent(d: DescriptorRecord, sector: number, slot: number): boolean {
    const block = this.#found.map[Math.floor(d.number / mapEntriesPerBlock)] ?? none;
    const bytes = block === none ? null : this.#surface.sealed(block, blockSectors, mapMagic);
    if (bytes === null) return false;
    const e = mapEntry.decode(bytes, blockHeader.size + (d.number % mapEntriesPerBlock) * mapEntry.size);
    return e.sector === sector && e.slot === slot;
  }

  *#file(d: DescriptorRecord): Iterable<DumpedRecord> {
    for (const [n, p] of d.direct.entries()) yield* this.#follow(d, p, 0, n);
    let from = directPointers;
    for (const [i, p] of d.indirect.entries()) {
      yield* this.#follow(d, p, i + 1, from);
      from += indexSpan(i + 1);
    }
  }

  *#follow(d: DescriptorRecord, p: Pointer, level: number, block: number): Iterable<DumpedRecord> {
    if (level === 0) {
      if (fileTypes[d.type] === 'directory') yield* this.#directory(d.number, p, block);
      return;
    }
    const bytes = this.#block(p.sector, p.sectors, indexMagic);
    if (bytes === null) return;
    const what = `index block of ${d.number}, level ${level}, from block ${block}`;
    yield recordAt(what, p.sector, 0, blockHeader, bytes);
    const span = indexSpan(level - 1);
    for (let i = 0, at = blockHeader.size; at + pointer.size <= bytes.length; i++, at += pointer.size) {
      const to = pointer.decode(bytes, at);
      if (to.sector === none) continue;
      yield recordAt(`pointer of ${d.number} to block ${block + i * span}`, p.sector, at, pointer, bytes);
      yield* this.#follow(d, to, level - 1, block + i * span);
    }
  }

  *#directory(number: number, p: Pointer, block: number): Iterable<DumpedRecord> {
    const bytes = this.#block(p.sector, p.sectors, directoryMagic);
    if (bytes === null) return;
    yield recordAt(`directory ${number}, block ${block}`, p.sector, 0, blockHeader, bytes);
    yield* directoryRows(number, p.sector, bytes);
  }

  // ---- usage table and log ----

  *#usageBlock(n: number, sector: number): Iterable<DumpedRecord> {
    const bytes = this.#block(sector, blockSectors, usageMagic);
    if (bytes === null) return;
    yield recordAt(`usage block ${n}`, sector, 0, blockHeader, bytes);
    for (let i = 0; i < usageEntriesPerBlock; i++) {
      const segment = n * usageEntriesPerBlock + i;
      if (segment >= this.#surface.plan.segments) return;
      yield recordAt(`segment ${segment}`, sector, blockHeader.size + i * usageEntry.size, usageEntry, bytes);
    }
  }

  /** Of the segments that have something live, as far as they list any of it: what comes after that may be anything. */
  *#summaries(): Iterable<DumpedRecord> {
    const unread = new Findings();
    const surface = this.#surface;
    const claims = new Claims(surface, unread);
    const parts = { surface, claims, findings: unread };
    claimUsage(parts, this.#found);
    auditMap(parts, this.#found);
    const { segment: last, offset } = this.#found.checkpoint;
    for (const [segment] of claims.segments()) {
      let dead: PartialWrite[] = [];
      for (const w of segmentWrites(surface, segment)) {
        if (segment === last && w.summary.offset >= offset) break;
        dead.push(w);
        if (segment !== last && !w.blocks.some((b) => claims.at(b.sector) !== undefined)) continue;
        for (const one of dead) yield* partialWriteRows(one, '');
        dead = [];
      }
    }
  }

  *#operations(w: PartialWrite): Iterable<DumpedRecord> {
    for (const { file, record, sector } of w.blocks) {
      if (file.kind !== BlockKind.directoryLog) continue;
      const bytes = this.#block(sector, record.sectors, directoryLogMagic);
      if (bytes === null) continue;
      yield recordAt('directory log block', sector, 0, blockHeader, bytes);
      yield* directoryLogRows(sector, bytes);
    }
  }
}
