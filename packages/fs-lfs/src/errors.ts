/** What a developer can do wrong with this storage. */
import { BackplaneError } from '@backplane/slots';

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
