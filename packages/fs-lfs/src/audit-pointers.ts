/** The part of the audit that follows the pointers of a file to its blocks. */

import type { Findings } from '@backplane/file-service';
import type { Claims } from './audit-claims.ts';
import type { Surface } from './audit-surface.ts';
import {
  BlockKind,
  blockHeader,
  blockSectors,
  type DescriptorRecord,
  deflatedForm,
  directPointers,
  indexMagic,
  none,
  type Pointer,
  pointer,
  pointersPerBlock,
  sectorBytes,
} from './layouts.ts';

/** A block of a file, and where it is. Holes are not among them. */
export interface FileBlock {
  readonly block: number;
  readonly at: Pointer;
}

export interface PointerParts {
  readonly surface: Surface;
  readonly claims: Claims;
  readonly findings: Findings;
}

/** Blocks of a file that an index block of that level leads to; level 0 is the block itself. */
export function indexSpan(level: number): number {
  let span = 1;
  for (let l = 0; l < level; l++) span *= pointersPerBlock;
  return span;
}

/** Claims everything that a file leads to. Returns its blocks, in order. */
export function auditPointers(parts: PointerParts, d: DescriptorRecord): readonly FileBlock[] {
  const walk = new Walk(parts, d);
  walk.all();
  return walk.found;
}

/** An index block is read by the first who leads to it and by nobody else: so the walk ends on any disk. */
class Walk {
  readonly found: FileBlock[] = [];
  readonly #parts: PointerParts;
  readonly #file: DescriptorRecord;
  readonly #where: string;
  readonly #blocks: number;

  constructor(parts: PointerParts, file: DescriptorRecord) {
    this.#parts = parts;
    this.#file = file;
    this.#where = `descriptor ${file.number}`;
    this.#blocks = Math.ceil(file.sizeBytes / (file.blockSectors * sectorBytes));
  }

  all(): void {
    for (const [n, p] of this.#file.direct.entries()) this.#follow(p, 0, n);
    let from = directPointers;
    for (const [i, p] of this.#file.indirect.entries()) {
      this.#follow(p, i + 1, from);
      from += indexSpan(i + 1);
    }
  }

  /** @param level 0 leads to data. @param block the first block of the file that it leads to */
  #follow(p: Pointer, level: number, block: number): void {
    if (p.sector === none) return;
    if (block >= this.#blocks) {
      this.#report('beyond', `block ${block} lies beyond the end of the file`, p.sector);
      return;
    }
    const sectorsMax = level === 0 ? this.#file.blockSectors : blockSectors;
    const formMax = level === 0 ? deflatedForm : 0;
    if (p.sectors > sectorsMax || p.form > formMax) {
      this.#report('pointer', `block ${block}: ${p.sectors} sectors of form ${p.form}`, p.sector);
      return;
    }
    const { number: file, generation, truncations } = this.#file;
    const first = this.#parts.claims.claim({
      where: this.#where,
      sector: p.sector,
      sectors: p.sectors,
      kind: level === 0 ? BlockKind.data : BlockKind.index,
      file,
      generation,
      truncations,
      block,
      level,
      form: p.form,
      liveBytes: p.sectors * sectorBytes,
    });
    if (!first) return;
    if (level === 0) this.found.push({ block, at: p });
    else this.#index(p, level, block);
  }

  #index(p: Pointer, level: number, block: number): void {
    const bytes = this.#parts.surface.sealed(p.sector, p.sectors, indexMagic);
    const h = bytes === null ? undefined : blockHeader.decode(bytes);
    const isIts =
      h !== undefined &&
      h.owner === this.#file.number &&
      h.generation === this.#file.generation &&
      h.index === block &&
      h.count === level;
    if (bytes === null || !isIts) {
      this.#report(
        'index',
        `the index block of level ${level} from block ${block} on is not valid`,
        p.sector,
      );
      return;
    }
    const span = indexSpan(level - 1);
    for (let i = 0, at = blockHeader.size; at + pointer.size <= bytes.length; i++, at += pointer.size)
      if (pointer.get.sector(bytes, at) !== none)
        this.#follow(pointer.decode(bytes, at), level - 1, block + i * span);
  }

  #report(kind: string, text: string, sector: number): void {
    this.#parts.findings.report(kind, this.#where, text, sector);
  }
}
