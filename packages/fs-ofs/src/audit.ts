/**
 * Looks a disk over from outside: is everything that it says of itself true? For tests, tools and images. It shares the
 * layouts with the storage and the repair and none of their code, and it changes nothing.
 *
 * A disk passes after `recover`, after `sync` while nothing changes, and after an orderly halt. Between those, what is only in
 * memory is missing: the bitmaps above all.
 */

import { Findings } from '@backplane/file-service';
import { type DiskImage, type Finding, fileTypes } from '@backplane/slots';
import { AuditBlocks, type FileBlock } from './audit-blocks.ts';
import { AuditNames } from './audit-names.ts';
import { auditRegions, type Regions } from './audit-regions.ts';
import {
  allocatedFlag,
  bitsPerBlock,
  type DescriptorRecord,
  descriptorMagic,
  descriptorRecord,
  descriptorsPerBlock,
  fragmentsPerBlock,
  freeFlag,
  rootNumber,
} from './layouts.ts';

export function auditOfs(image: DiskImage): readonly Finding[] {
  const findings = new Findings();
  const regions = auditRegions(image, findings);
  if (regions !== null) new Audit(regions, findings).all();
  return findings.all();
}

class Audit {
  readonly #regions: Regions;
  readonly #findings: Findings;
  readonly #blocks: AuditBlocks;
  readonly #files = new Map<number, DescriptorRecord>();

  constructor(regions: Regions, findings: Findings) {
    this.#regions = regions;
    this.#findings = findings;
    this.#blocks = new AuditBlocks(regions, findings);
  }

  all(): void {
    this.#descriptors();
    const directories = new Map<number, readonly FileBlock[]>();
    for (const [number, d] of this.#files) {
      const blocks = this.#blocks.claimAll(number, d);
      if (fileTypes[d.type] === 'directory') directories.set(number, blocks);
    }
    new AuditNames(this.#files, this.#blocks, this.#findings).all(directories);
    this.#bitmaps();
  }

  // ---- files ----

  #descriptors(): void {
    const { descriptorBlock, descriptorBlocks } = this.#regions.header;
    for (let b = 0; b < descriptorBlocks; b++) {
      const bytes = this.#regions.block(descriptorBlock + b);
      for (let i = 0; i < descriptorsPerBlock; i++)
        this.#descriptor(b * descriptorsPerBlock + i, bytes, i * descriptorRecord.size);
    }
  }

  #descriptor(number: number, bytes: Uint8Array, at: number): void {
    const magic = descriptorRecord.get.magic(bytes, at);
    const flags = descriptorRecord.get.flags(bytes, at);
    if (magic === 0 && flags === 0) return;
    const wrong = (text: string): false =>
      this.#findings.report('descriptor', `descriptor ${number}`, text, this.#sectorOf(number));
    if (magic !== descriptorMagic) wrong('wrong magic number');
    else if (flags === allocatedFlag && number >= rootNumber) {
      const d = descriptorRecord.decode(bytes, at);
      if (fileTypes[d.type] === undefined) wrong(`type ${d.type}`);
      else this.#files.set(number, d);
    } else if (flags !== freeFlag) wrong(`flags ${flags}`);
  }

  #sectorOf(number: number): number {
    const block = Math.floor(number / descriptorsPerBlock);
    return this.#regions.sectorOf(this.#regions.header.descriptorBlock + block);
  }

  // ---- bitmaps ----

  #bitmaps(): void {
    const h = this.#regions.header;
    this.#bitmap(
      'descriptor',
      h.descriptorMapBlock,
      h.descriptors,
      (n) => n < rootNumber || this.#files.has(n),
    );
    this.#bitmap('fragment', h.dataMapBlock, h.dataBlocks * fragmentsPerBlock, (n) =>
      this.#blocks.isOwned(n),
    );
  }

  #bitmap(what: string, firstBlock: number, bits: number, used: (n: number) => boolean): void {
    for (let b = 0; b * bitsPerBlock < bits; b++) {
      const bytes = this.#regions.block(firstBlock + b);
      const end = Math.min(bits - b * bitsPerBlock, bitsPerBlock);
      for (let i = 0; i < end; i++) {
        const set = ((bytes[i >>> 3] ?? 0) & (0x80 >>> (i & 7))) !== 0;
        const n = b * bitsPerBlock + i;
        if (set !== used(n))
          this.#findings.report(
            'bitmap',
            `${what} ${n}`,
            set ? 'marked, and nobody has it' : 'in use, and not marked',
            this.#regions.sectorOf(firstBlock + b),
          );
      }
    }
  }
}
