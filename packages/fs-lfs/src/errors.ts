/** What a developer can do wrong with this storage, and what a damaged disk gives. */
import { BackplaneError, KernelError } from '@backplane/slots';

export const noSuchDisk = (wanted: string, disks: readonly string[]): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { wanted, disks },
    wanted === ''
      ? `The machine has ${disks.length} disks, and the option "disk" does not say which one to use.`
      : `The machine has no disk "${wanted}".`,
    disks.length === 0 ? 'Give the machine a disk.' : `Set the option "disk" to one of: ${disks.join(', ')}`,
  );

export const wrongBlocks = (cacheBytes: number, blockBytes: number): BackplaneError =>
  new BackplaneError(
    'WRONG_BLOCK_SIZE',
    { cacheBytes, blockBytes },
    `The block cache has blocks of ${cacheBytes} bytes; this storage has ${blockBytes}.`,
    'Fill the slot blockCache with a cache of the same block size.',
  );

export const wrongSectors = (disk: string, sectorBytes: number): BackplaneError =>
  new BackplaneError(
    'WRONG_SECTOR_SIZE',
    { disk, sectorBytes },
    `${disk} has sectors of ${sectorBytes} bytes; this storage needs 512.`,
    'Use a disk with such sectors.',
  );

export const diskTooSmall = (disk: string, sectors: number, segmentBytes: number): BackplaneError =>
  new BackplaneError(
    'DISK_TOO_SMALL',
    { disk, sectors, segmentBytes },
    `${disk} has ${sectors} sectors: too few segments of ${segmentBytes} bytes for a log.`,
    'Give it more sectors, or lower the option "segmentBytes".',
  );

export const segmentTooSmall = (disk: string, segmentBytes: number, bytesMin: number): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { disk, segmentBytes, bytesMin },
    `Segments of ${segmentBytes} bytes are too small for ${disk}: one has to hold the whole usage table.`,
    `Set the option "segmentBytes" to ${bytesMin} or more.`,
  );

/** The bytes on the disk make no sense. */
export const damaged = (what: string): KernelError => new KernelError('ioError', `damaged: ${what}`);
