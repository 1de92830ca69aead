/** What the superblock says about where things are, and whether that makes sense on this disk. */
import { damaged } from '@backplane/file-service';
import {
  address,
  blockBytes,
  blockSectors,
  checkpoint,
  formatVersion,
  isSealed,
  mapEntriesPerBlock,
  regionSector,
  rootNumber,
  type Superblock,
  sectorBytes,
  superblock,
  superblockMagic,
  usageEntriesPerBlock,
  writeOnceFlag,
} from './layouts.ts';

export interface Geometry {
  readonly sectors: number;
  readonly segmentSectors: number;
  readonly segmentBytes: number;
  readonly segments: number;
  readonly logSector: number;
  readonly regionSectors: number;
  readonly filesMax: number;
  readonly mapBlocks: number;
  readonly usageBlocks: number;
  /** That a checkpoint takes. */
  readonly stateSectors: number;
  readonly writeOnce: boolean;
}

/** Of a checkpoint with the addresses of so many blocks, in whole sectors. */
export const stateSectors = (mapBlocks: number, usageBlocks: number): number =>
  Math.ceil((checkpoint.size + address.size * (mapBlocks + usageBlocks)) / sectorBytes);

export const mapBlocksFor = (filesMax: number): number => Math.ceil(filesMax / mapEntriesPerBlock);
export const usageBlocksFor = (segments: number): number => Math.ceil(segments / usageEntriesPerBlock);

/** A segment has to hold at least what a checkpoint puts into one partial write, and a little else. */
export const segmentSectorsMin = (segments: number, filesMax: number): number =>
  2 * blockSectors +
  usageBlocksFor(segments) * (blockSectors + 1) +
  stateSectors(mapBlocksFor(filesMax), usageBlocksFor(segments));

export const sectorOfSegment = (g: Geometry, segment: number): number =>
  g.logSector + segment * g.segmentSectors;
export const segmentOfSector = (g: Geometry, sector: number): number =>
  Math.floor((sector - g.logSector) / g.segmentSectors);

/** Does a run of sectors lie within one segment? */
export const isInSegment = (g: Geometry, sector: number, sectors: number): boolean => {
  const segment = segmentOfSector(g, sector);
  return (
    sectors > 0 &&
    segment >= 0 &&
    segment < g.segments &&
    segmentOfSector(g, sector + sectors - 1) === segment
  );
};

/** @throws KernelError `ioError` for a superblock that is not one, or not of this disk */
export function geometryOf(sector: Uint8Array, diskSectors: number): Geometry {
  if (!isSuperblock(sector)) throw damaged('superblock');
  const s = superblock.decode(sector);
  if (s.version !== formatVersion) throw damaged(`superblock: version ${s.version} of the format`);
  const g = geometryFrom(s);
  if (
    s.sectorBytes !== sectorBytes ||
    s.blockBytes !== blockBytes ||
    s.sectors > diskSectors ||
    s.segments < 1 ||
    s.filesMax <= rootNumber ||
    s.segmentSectors < segmentSectorsMin(s.segments, s.filesMax) ||
    s.logSector < regionSector + 2 * s.regionSectors ||
    s.logSector + s.segments * s.segmentSectors > s.sectors ||
    s.filesMax > s.sectors ||
    (!g.writeOnce && s.regionSectors < g.stateSectors)
  )
    throw damaged('superblock: its sizes do not fit this disk');
  return g;
}

export const isSuperblock = (sector: Uint8Array): boolean =>
  isSealed(sector) && superblock.get.magic(sector, 0) === superblockMagic;

const geometryFrom = (s: Superblock): Geometry => ({
  sectors: s.sectors,
  segmentSectors: s.segmentSectors,
  segmentBytes: s.segmentSectors * sectorBytes,
  segments: s.segments,
  logSector: s.logSector,
  regionSectors: s.regionSectors,
  filesMax: s.filesMax,
  mapBlocks: mapBlocksFor(s.filesMax),
  usageBlocks: usageBlocksFor(s.segments),
  stateSectors: stateSectors(mapBlocksFor(s.filesMax), usageBlocksFor(s.segments)),
  writeOnce: (s.flags & writeOnceFlag) !== 0,
});
