/** What a developer can do wrong with this storage. */
import { BackplaneError } from '@backplane/slots';

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
