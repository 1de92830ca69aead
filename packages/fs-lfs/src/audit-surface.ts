/** Sectors and segments of an image, for whoever looks at it from outside: no address is trusted before it was asked for here. */
import type { DiskImage } from '@backplane/slots';
import { blockSectors, isSealed, type Superblock, sectorBytes, writeOnceFlag } from './layouts.ts';

/** What a superblock says of where things are. */
export type Plan = Pick<Superblock, 'segmentSectors' | 'segments' | 'logSector' | 'filesMax' | 'flags'>;

export class Surface {
  readonly image: DiskImage;
  readonly plan: Plan;

  constructor(image: DiskImage, plan: Plan) {
    this.image = image;
    this.plan = plan;
  }

  /** Is nothing on this medium ever written twice? */
  get isOnce(): boolean {
    return (this.plan.flags & writeOnceFlag) !== 0;
  }

  sectorOf(segment: number): number {
    return this.plan.logSector + segment * this.plan.segmentSectors;
  }

  /** -1 outside of the log. */
  segmentOf(sector: number): number {
    const { logSector, segmentSectors, segments } = this.plan;
    if (sector < logSector) return -1;
    const segment = Math.floor((sector - logSector) / segmentSectors);
    return segment < segments ? segment : -1;
  }

  /** Does a run of sectors lie within one segment, as everything in the log does? */
  isInSegment(sector: number, sectors: number): boolean {
    const segment = this.segmentOf(sector);
    return segment >= 0 && sectors > 0 && this.segmentOf(sector + sectors - 1) === segment;
  }

  /** Null where the image ends before. */
  read(sector: number, sectors: number): Uint8Array | null {
    return isWithin(this.image, sector, sectors) ? this.image.read(sector, sectors) : null;
  }

  /** A block with a header and a checksum; null where there is none of that sort. */
  sealed(sector: number, sectors: number, magic: number): Uint8Array | null {
    if (sectors > blockSectors || !this.isInSegment(sector, sectors)) return null;
    const bytes = this.read(sector, sectors);
    return bytes !== null && hasMagic(bytes, magic) && isSealed(bytes) ? bytes : null;
  }
}

export const isWithin = (image: DiskImage, sector: number, sectors: number): boolean =>
  sector >= 0 && sectors > 0 && sector + sectors <= image.sectors;

export const sectorsFor = (bytes: number): number => Math.ceil(bytes / sectorBytes);

/** Every record with a checksum begins with its magic number. */
export function hasMagic(bytes: Uint8Array, magic: number): boolean {
  for (let i = 0; i < 4; i++) if (bytes[i] !== ((magic >>> (24 - 8 * i)) & 0xff)) return false;
  return true;
}
