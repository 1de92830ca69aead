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
    `${disk} has sectors of ${sectorBytes} bytes; this storage needs 512 or 1024.`,
    'Use a disk with such sectors.',
  );

export const diskTooSmall = (disk: string, blocks: number): BackplaneError =>
  new BackplaneError(
    'DISK_TOO_SMALL',
    { disk, blocks },
    `${disk} holds ${blocks} blocks, too few for a file system.`,
    'Give it more sectors, or raise the option "bytesPerFile".',
  );

/** The bytes on the disk make no sense. */
export const damaged = (what: string): KernelError => new KernelError('ioError', `damaged: ${what}`);
