/** Where everything is on a disk: decided once when it is formatted, and read from its label and header ever after. */
import { damaged } from '@backplane/file-service';
import { diskTooSmall } from './errors.ts';
import {
  bitsPerBlock,
  blockBytes,
  type DiskLabel,
  type DomainHeader,
  descriptorsPerBlock,
  diskLabel,
  domainHeader,
  fragmentBytes,
  fragmentsPerBlock,
  headerBlock,
  headerMagic,
  isSealed,
  labelMagic,
  seal,
  summaryBlock,
} from './layouts.ts';

/** Where everything lies: what the header of a domain says, and what a sector of its disk holds. */
export interface Geometry
  extends Omit<DomainHeader, 'magic' | 'version' | 'blockBytes' | 'fragmentBytes' | 'checksum'> {
  readonly sectorBytes: number;
}

export const sectorsPerBlock = (sectorBytes: number): number => blockBytes / sectorBytes;
export const sectorsPerFragment = (sectorBytes: number): number => fragmentBytes / sectorBytes;
export const fragmentsOf = (g: Geometry): number => g.dataBlocks * fragmentsPerBlock;
export const descriptorBlockOf = (g: Geometry, number: number): number =>
  g.descriptorBlock + Math.floor(number / descriptorsPerBlock);

/** The block on the disk that holds an index block's address. */
export const blockOfAddress = (g: Geometry, address: number): number =>
  g.dataBlock + Math.floor(address / fragmentsPerBlock);

/** Divides a disk up. @throws BackplaneError when it is too small */
export function planGeometry(
  disk: { readonly name: string; readonly sectors: number; readonly sectorBytes: number },
  o: { readonly bytesPerFile: number; readonly areaBlocks: number },
): Geometry {
  const blocks = Math.floor(disk.sectors / sectorsPerBlock(disk.sectorBytes));
  const descriptorBlocks = Math.max(
    1,
    Math.floor((blocks * blockBytes) / o.bytesPerFile / descriptorsPerBlock),
  );
  const descriptors = descriptorBlocks * descriptorsPerBlock;
  const descriptorMapBlock = headerBlock + 1;
  const descriptorMapBlocks = Math.ceil(descriptors / bitsPerBlock);
  const descriptorBlock = descriptorMapBlock + descriptorMapBlocks;
  const dataMapBlock = descriptorBlock + descriptorBlocks;
  const rest = blocks - dataMapBlock;
  const dataMapBlocks = Math.ceil((rest * fragmentsPerBlock) / bitsPerBlock);
  const dataBlocks = rest - dataMapBlocks;
  if (dataBlocks < 4) throw diskTooSmall(disk.name, blocks);
  return {
    sectorBytes: disk.sectorBytes,
    areaBlocks: o.areaBlocks,
    descriptors,
    descriptorMapBlock,
    descriptorMapBlocks,
    descriptorBlock,
    descriptorBlocks,
    dataMapBlock,
    dataMapBlocks,
    dataBlock: dataMapBlock + dataMapBlocks,
    dataBlocks,
  };
}

export function encodeLabel(g: Geometry, sectors: number): Uint8Array {
  const perBlock = sectorsPerBlock(g.sectorBytes);
  const cylinders = Math.ceil((g.dataBlock + g.dataBlocks) / g.areaBlocks);
  const label: DiskLabel = {
    magic: labelMagic,
    text: 'backplane original file system',
    sectorBytes: g.sectorBytes,
    sectors,
    cylinders,
    sectorsPerCylinder: g.areaBlocks * perBlock,
    bootSector: 1,
    bootSectors: perBlock - 1,
    summarySector: summaryBlock * perBlock,
    domainSector: headerBlock * perBlock,
    partitions: Array.from({ length: 8 }, (_, i) => ({
      firstCylinder: 0,
      cylinders: i === 0 ? cylinders : 0,
    })),
    checksum: 0,
  };
  return seal(diskLabel.encode(label));
}

export function encodeHeader(g: Geometry): Uint8Array {
  const { sectorBytes: _, ...regions } = g;
  return seal(
    domainHeader.encode({
      magic: headerMagic,
      version: 1,
      blockBytes,
      fragmentBytes,
      ...regions,
      checksum: 0,
    }),
  );
}

/** @throws KernelError `ioError` when these are no label and header that fit together and this disk */
export function decodeGeometry(
  labelBytes: Uint8Array,
  headerBytes: Uint8Array,
  disk: { readonly sectors: number; readonly sectorBytes: number },
): Geometry {
  const label = diskLabel.tryDecode(labelBytes);
  if (label === undefined || label.magic !== labelMagic || !isSealed(labelBytes)) throw damaged('disk label');
  const perBlock = sectorsPerBlock(disk.sectorBytes);
  if (
    label.sectorBytes !== disk.sectorBytes ||
    label.sectors > disk.sectors ||
    label.domainSector !== headerBlock * perBlock ||
    label.summarySector !== summaryBlock * perBlock
  )
    throw damaged('disk label does not fit this disk');
  const h = domainHeader.tryDecode(headerBytes);
  if (h === undefined || h.magic !== headerMagic || !isSealed(headerBytes)) throw damaged('domain header');
  if (!makesSense(h, Math.floor(label.sectors / perBlock))) throw damaged('domain header makes no sense');
  return {
    sectorBytes: disk.sectorBytes,
    areaBlocks: h.areaBlocks,
    descriptors: h.descriptors,
    descriptorMapBlock: h.descriptorMapBlock,
    descriptorMapBlocks: h.descriptorMapBlocks,
    descriptorBlock: h.descriptorBlock,
    descriptorBlocks: h.descriptorBlocks,
    dataMapBlock: h.dataMapBlock,
    dataMapBlocks: h.dataMapBlocks,
    dataBlock: h.dataBlock,
    dataBlocks: h.dataBlocks,
  };
}

/** Regions follow one another without gaps, within the disk, and the bitmaps cover what they are of. */
function makesSense(h: DomainHeader, blocks: number): boolean {
  return (
    h.version === 1 &&
    h.blockBytes === blockBytes &&
    h.fragmentBytes === fragmentBytes &&
    h.areaBlocks > 0 &&
    h.dataBlocks > 0 &&
    h.descriptorBlocks > 0 &&
    h.descriptors === h.descriptorBlocks * descriptorsPerBlock &&
    h.descriptorMapBlock === headerBlock + 1 &&
    h.descriptorMapBlocks === Math.ceil(h.descriptors / bitsPerBlock) &&
    h.descriptorBlock === h.descriptorMapBlock + h.descriptorMapBlocks &&
    h.dataMapBlock === h.descriptorBlock + h.descriptorBlocks &&
    h.dataMapBlocks * bitsPerBlock >= h.dataBlocks * fragmentsPerBlock &&
    h.dataBlock === h.dataMapBlock + h.dataMapBlocks &&
    h.dataBlock + h.dataBlocks <= blocks
  );
}
