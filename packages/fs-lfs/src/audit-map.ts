/** The part of the audit that goes from the checkpoint to the map, and from there to every descriptor. */
import { fileTypes } from '@backplane/slots';
import type { Claim } from './audit-claims.ts';
import { auditPointers, type FileBlock, type PointerParts } from './audit-pointers.ts';
import type { FoundCheckpoint } from './audit-start.ts';
import { sectorsFor } from './audit-surface.ts';
import {
  allocatedFlag,
  BlockKind,
  blockBytes,
  blockHeader,
  blockSectors,
  type DescriptorRecord,
  descriptorBytes,
  descriptorRecord,
  descriptorsMagic,
  descriptorsPerBlock,
  linksMax,
  type MapEntry,
  mapEntriesPerBlock,
  mapEntry,
  mapMagic,
  none,
  rootNumber,
  unlinkedFlag,
} from './layouts.ts';

/** What names have to agree with. */
export interface AuditedFile {
  readonly generation: number;
  readonly isDirectory: boolean;
  readonly links: number;
  readonly parent: number;
  readonly sizeBytes: number;
  /** Removed and still in use. */
  readonly unlinked: boolean;
  /** Of a directory; nobody asks for those of other files. */
  readonly blocks: readonly FileBlock[];
}

interface LedTo extends MapEntry {
  readonly number: number;
}

/** Every file that is there, by number. */
export function auditMap(parts: PointerParts, c: FoundCheckpoint): ReadonlyMap<number, AuditedFile> {
  const map = new MapAudit(parts);
  map.all(c);
  return map.files;
}

class MapAudit {
  readonly files = new Map<number, AuditedFile>();
  readonly #parts: PointerParts;
  readonly #entries: LedTo[] = [];

  constructor(parts: PointerParts) {
    this.#parts = parts;
  }

  all(c: FoundCheckpoint): void {
    for (const [n, sector] of c.map.entries()) if (sector !== none) this.#block(n, sector);
    // Descriptors that lie in one block are read at once; files are looked at in the order of their numbers.
    const byBlock = new Map<number, LedTo[]>();
    for (const e of this.#entries) {
      const here = byBlock.get(e.sector);
      if (here === undefined) byBlock.set(e.sector, [e]);
      else here.push(e);
    }
    for (const [sector, entries] of byBlock) this.#descriptors(sector, entries);
  }

  #block(n: number, sector: number): void {
    const { claims, findings, surface } = this.#parts;
    const where = `map block ${n}`;
    if (!claims.claim(tableClaim(where, BlockKind.map, n, sector))) return;
    const bytes = surface.sealed(sector, blockSectors, mapMagic);
    if (bytes === null || blockHeader.get.index(bytes, 0) !== n) {
      findings.report('map', where, 'it is not valid', sector);
      return;
    }
    const { get } = mapEntry;
    const from = n * mapEntriesPerBlock;
    const end = Math.min(mapEntriesPerBlock, surface.plan.filesMax - from);
    for (let i = 0, at = blockHeader.size; i < end; i++, at += mapEntry.size) {
      if (get.flags(bytes, at) === 0 && get.sector(bytes, at) === none) continue; // as most are
      const e = mapEntry.decode(bytes, at);
      const isFile = (e.flags & allocatedFlag) !== 0;
      if (isFile && e.sector !== none && from + i >= rootNumber)
        this.#entries.push({ ...e, number: from + i });
      else if (isFile || e.sector !== none || (e.flags & unlinkedFlag) !== 0)
        findings.report('map', `descriptor ${from + i}`, `flags ${e.flags}, sector ${e.sector}`, sector);
    }
  }

  #descriptors(sector: number, entries: readonly LedTo[]): void {
    const { claims, findings } = this.#parts;
    const bytes = this.#descriptorBlock(sector);
    if (bytes === null) {
      for (const e of entries)
        findings.report(
          'descriptor',
          `descriptor ${e.number}`,
          'there is no valid block of descriptors',
          sector,
        );
      return;
    }
    const claim: Claim = {
      where: `block of ${entries.length} descriptors`,
      sector,
      sectors: sectorsFor(bytes.length),
      kind: BlockKind.descriptors,
      file: 0,
      generation: 0,
      truncations: 0,
      block: 0,
      level: 0,
      form: 0,
      liveBytes: entries.length * descriptorBytes,
    };
    if (!claims.claim(claim)) return;
    const count = blockHeader.get.count(bytes, 0);
    for (const e of entries) {
      const where = `descriptor ${e.number}`;
      if (e.slot >= count) {
        findings.report('descriptor', where, `place ${e.slot} of ${count}`, sector);
        continue;
      }
      const d = descriptorRecord.decode(bytes, blockHeader.size + e.slot * descriptorBytes);
      if (d.number !== e.number || d.generation !== e.generation || d.truncations !== e.truncations)
        findings.report('descriptor', where, 'the map means another file', sector);
      else if (!isSound(d)) findings.report('descriptor', where, 'its fields make no sense', sector);
      else this.#file(d, (e.flags & unlinkedFlag) !== 0);
    }
  }

  /** Of as many sectors as its records need. */
  #descriptorBlock(sector: number): Uint8Array | null {
    const { surface } = this.#parts;
    const first = surface.read(sector, 1);
    const count = first === null ? 0 : blockHeader.get.count(first, 0);
    if (count < 1 || count > descriptorsPerBlock) return null;
    return surface.sealed(sector, sectorsFor(blockHeader.size + count * descriptorBytes), descriptorsMagic);
  }

  #file(d: DescriptorRecord, unlinked: boolean): void {
    const isDirectory = fileTypes[d.type] === 'directory';
    const blocks = auditPointers(this.#parts, d);
    this.files.set(d.number, {
      generation: d.generation,
      isDirectory,
      links: d.links,
      parent: d.parent,
      sizeBytes: d.sizeBytes,
      unlinked,
      blocks: isDirectory ? blocks : [],
    });
  }
}

const isSound = (d: DescriptorRecord): boolean =>
  fileTypes[d.type] !== undefined &&
  d.mode <= 0o7777 &&
  d.links <= linksMax &&
  [8, 16, 32, 64, 128].includes(d.blockSectors);

/** A block of the map or of the usage table: it counts whole. */
export const tableClaim = (where: string, kind: BlockKind, block: number, sector: number): Claim => ({
  where,
  sector,
  sectors: blockSectors,
  kind,
  file: 0,
  generation: 0,
  truncations: 0,
  block,
  level: 0,
  form: 0,
  liveBytes: blockBytes,
});
