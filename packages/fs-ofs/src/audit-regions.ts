/** The part of the audit that reads what is written once: the label, the header, and whether all that they promise is there. */

import type { Findings } from '@backplane/file-service';
import type { DiskImage } from '@backplane/slots';
import {
  bitsPerBlock,
  blockBytes,
  type DomainHeader,
  descriptorsPerBlock,
  diskLabel,
  domainHeader,
  fragmentsPerBlock,
  headerMagic,
  isSealed,
  labelMagic,
  summary,
  summaryMagic,
} from './layouts.ts';

/** Blocks of an image, those that a sound label and header lead to. */
export class Regions {
  readonly header: DomainHeader;
  readonly #image: DiskImage;
  readonly #sectorsPerBlock: number;

  constructor(image: DiskImage, header: DomainHeader) {
    this.#image = image;
    this.header = header;
    this.#sectorsPerBlock = blockBytes / image.sectorBytes;
  }

  /** First sector of a block of the disk. */
  sectorOf(block: number): number {
    return block * this.#sectorsPerBlock;
  }

  block(block: number): Uint8Array {
    return this.#image.read(this.sectorOf(block), this.#sectorsPerBlock);
  }

  /** The block of the disk that has the fragment of this address. */
  blockOf(address: number): number {
    return this.header.dataBlock + Math.floor(address / fragmentsPerBlock);
  }
}

/** Does an image begin with the label of such a disk, be it sound or not? */
export function hasLabel(image: DiskImage): boolean {
  return image.sectors > 0 && diskLabel.tryDecode(image.read(0, 1))?.magic === labelMagic;
}

/** Null, and a finding, where so much is wrong that nothing else can be judged. */
export function auditRegions(image: DiskImage, findings: Findings): Regions | null {
  const wrong = (kind: string, text: string, sector: number): null => {
    findings.report(kind, 'disk', text, sector);
    return null;
  };
  if (blockBytes % image.sectorBytes !== 0 || image.sectorBytes < summary.size)
    return wrong('label', `sectors of ${image.sectorBytes} bytes hold no such disk`, 0);
  const first = image.sectors > 0 ? image.read(0, 1) : null;
  const label = first === null ? undefined : diskLabel.tryDecode(first);
  if (first === null || label === undefined || label.magic !== labelMagic || !isSealed(first))
    return wrong('label', 'there is no valid disk label', 0);
  if (label.sectors > image.sectors)
    return wrong(
      'truncated',
      `the disk label speaks of ${label.sectors} sectors; ${image.sectors} are there`,
      image.sectors,
    );
  if (label.sectorBytes !== image.sectorBytes)
    return wrong('label', `it speaks of sectors of ${label.sectorBytes} bytes`, 0);
  const sector = label.domainSector < image.sectors ? image.read(label.domainSector, 1) : null;
  const h = sector === null ? undefined : domainHeader.tryDecode(sector);
  if (sector === null || h === undefined || h.magic !== headerMagic || !isSealed(sector))
    return wrong('header', 'there is no valid domain header', label.domainSector);
  if (!fits(h, Math.floor(label.sectors / (blockBytes / image.sectorBytes))))
    return wrong('header', 'the regions do not fit together', label.domainSector);
  auditSummary(image, label.summarySector, findings);
  return new Regions(image, h);
}

const fits = (h: DomainHeader, blocks: number): boolean =>
  h.dataBlock + h.dataBlocks <= blocks &&
  h.descriptors === h.descriptorBlocks * descriptorsPerBlock &&
  h.descriptorMapBlocks * bitsPerBlock >= h.descriptors &&
  h.dataMapBlocks * bitsPerBlock >= h.dataBlocks * fragmentsPerBlock &&
  h.descriptorMapBlock + h.descriptorMapBlocks <= h.descriptorBlock &&
  h.descriptorBlock + h.descriptorBlocks <= h.dataMapBlock &&
  h.dataMapBlock + h.dataMapBlocks <= h.dataBlock;

function auditSummary(image: DiskImage, at: number, findings: Findings): void {
  const sector = at < image.sectors ? image.read(at, 1) : null;
  if (sector === null || summary.tryDecode(sector)?.magic !== summaryMagic || !isSealed(sector))
    findings.report('summary', 'disk', 'there is no valid summary', at);
}
