/**
 * Where everything begins: the superblock and its copy, and the checkpoint from which the rest is judged, which is the
 * newest one that is valid. One damaged region of two is no finding: that is what there are two for.
 */

import type { Findings } from '@backplane/file-service';
import type { DiskImage } from '@backplane/slots';
import { hasMagic, isWithin, sectorsFor } from './audit-surface.ts';
import {
  address,
  blockBytes,
  type Checkpoint,
  checkpoint,
  checkpointMagic,
  formatVersion,
  isSealed,
  mapEntriesPerBlock,
  regionSector,
  rootNumber,
  type Superblock,
  sectorBytes,
  superblock,
  superblockCopySector,
  superblockMagic,
  superblockSector,
  usageEntriesPerBlock,
  writeOnceFlag,
} from './layouts.ts';

/** A checkpoint with its addresses; what it says of the log is true behind it, wherever it lies. */
export interface FoundCheckpoint {
  /** Of the region, or of the block in the log. */
  readonly sector: number;
  readonly checkpoint: Checkpoint;
  readonly map: readonly number[];
  readonly usage: readonly number[];
}

/** Does an image claim to be such a disk? One of the two superblocks is enough. */
export const hasSuperblock = (image: DiskImage): boolean =>
  image.sectorBytes === sectorBytes &&
  [superblockSector, superblockCopySector].some(
    (at) => isWithin(image, at, 1) && hasMagic(image.read(at, 1), superblockMagic),
  );

/** The superblock that counts: the first that is sound, or nothing and a finding. */
export function auditSuperblocks(image: DiskImage, findings: Findings): Superblock | null {
  if (image.sectorBytes !== sectorBytes) {
    findings.report('superblock', 'disk', `sectors of ${image.sectorBytes} bytes hold no such disk`);
    return null;
  }
  const sound: Superblock[] = [];
  for (const [where, at] of [
    ['superblock', superblockSector],
    ['copy of the superblock', superblockCopySector],
  ] as const) {
    const found = readSuperblock(image, at);
    if (found !== null) sound.push(found);
    else findings.report('superblock', where, 'it is not valid', at);
  }
  const [first, second] = sound;
  if (first === undefined) return null;
  if (second !== undefined && !isSame(first, second))
    findings.report('superblock', 'copy of the superblock', 'it differs', superblockCopySector);
  if (first.sectors > image.sectors) {
    findings.report(
      'truncated',
      'superblock',
      `it speaks of ${first.sectors} sectors; ${image.sectors} are there`,
      image.sectors,
    );
    return null;
  }
  return makesSense(first, findings) ? first : null;
}

function readSuperblock(image: DiskImage, sector: number): Superblock | null {
  if (!isWithin(image, sector, 1)) return null;
  const bytes = image.read(sector, 1);
  return hasMagic(bytes, superblockMagic) && isSealed(bytes) ? superblock.decode(bytes) : null;
}

const isSame = (a: Superblock, b: Superblock): boolean => {
  const [x, y] = [a, b].map((s) => superblock.encode(s));
  return x !== undefined && y !== undefined && x.every((byte, i) => byte === y[i]);
};

/** Blocks of the map and of the usage table that there may be. */
const tableBlocks = (s: Superblock): { readonly map: number; readonly usage: number } => ({
  map: Math.ceil(s.filesMax / mapEntriesPerBlock),
  usage: Math.ceil(s.segments / usageEntriesPerBlock),
});

/** After this nothing that the superblock counts is more than the disk has sectors. */
function makesSense(s: Superblock, findings: Findings): boolean {
  const { map, usage } = tableBlocks(s);
  const regionBytes = checkpoint.size + address.size * (map + usage);
  if (s.version !== formatVersion) {
    const text = `it is of version ${s.version} of the format, and not of ${formatVersion}`;
    return findings.report('superblock', 'disk', text, superblockSector);
  }
  const fits =
    s.sectorBytes === sectorBytes &&
    s.blockBytes === blockBytes &&
    s.segments > 0 &&
    s.segmentSectors > 0 &&
    s.filesMax > rootNumber &&
    s.filesMax <= s.sectors &&
    s.logSector >= regionSector + 2 * s.regionSectors &&
    s.logSector + s.segments * s.segmentSectors <= s.sectors &&
    ((s.flags & writeOnceFlag) !== 0 || s.regionSectors >= sectorsFor(regionBytes));
  return fits || findings.report('superblock', 'disk', 'its sizes do not fit together', superblockSector);
}

/** The valid checkpoint with the highest serial number of the two regions. */
export function auditRegions(image: DiskImage, s: Superblock, findings: Findings): FoundCheckpoint | null {
  const found = [0, 1].flatMap((i) => {
    const sector = regionSector + i * s.regionSectors;
    const c = isWithin(image, sector, s.regionSectors)
      ? readCheckpoint(image.read(sector, s.regionSectors), sector, s)
      : null;
    return c ?? [];
  });
  const newest = found.reduce<FoundCheckpoint | null>(
    (best, c) => (best === null || isNewer(c, best) ? c : best),
    null,
  );
  if (newest === null)
    findings.report('checkpoint', 'both checkpoint regions', 'none of them is valid', regionSector);
  return newest;
}

/** Serial numbers wrap. */
const isNewer = (a: FoundCheckpoint, b: FoundCheckpoint): boolean =>
  ((a.checkpoint.serial - b.checkpoint.serial) | 0) > 0;

/** @param bytes of a whole region or block; null when there is no valid checkpoint in them */
export function readCheckpoint(bytes: Uint8Array, sector: number, s: Superblock): FoundCheckpoint | null {
  const c = checkpoint.tryDecode(bytes);
  if (c === undefined || c.magic !== checkpointMagic) return null;
  const { map, usage } = tableBlocks(s);
  if (c.mapBlocks > map || (c.usageBlocks !== 0 && c.usageBlocks !== usage)) return null;
  const end = checkpoint.size + address.size * (c.mapBlocks + c.usageBlocks);
  const used = bytes.subarray(0, sectorsFor(end) * sectorBytes);
  if (used.length < end || !isSealed(used)) return null;
  const addresses = Array.from({ length: c.mapBlocks + c.usageBlocks }, (_, i) =>
    address.get.sector(used, checkpoint.size + i * address.size),
  );
  return { sector, checkpoint: c, map: addresses.slice(0, c.mapBlocks), usage: addresses.slice(c.mapBlocks) };
}
