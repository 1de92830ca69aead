/** What a developer can do wrong with a disk behind memory, and how it fails. */
import { BackplaneError, KernelError } from '@backplane/slots';

export const noDisk = (machine: string, instance: string): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { machine, instance },
    `The memory of ${machine} is to stand before "${instance}", which is no disk.`,
    'Name a disk in the option "of", such as disk.1.',
  );

export const tooSmall = (machine: string, bytes: number, sectorBytes: number): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { machine, bytes, sectorBytes },
    `The memory of ${machine} has ${bytes} bytes, which is less than two sectors.`,
    `Give it at least ${2 * sectorBytes} "bytes".`,
  );

export const wrongLength = (disk: string, lengthBytes: number, sectorBytes: number): BackplaneError =>
  new BackplaneError(
    'WRONG_LENGTH',
    { disk, lengthBytes, sectorBytes },
    `${disk} is handed ${lengthBytes} bytes to write.`,
    `Write whole sectors, at least one: a multiple of ${sectorBytes} bytes.`,
  );

export const noSuchSector = (disk: string, sector: number, count: number, sectors: number): KernelError =>
  new KernelError('noSuchSector', `${disk}: ${count} sectors at ${sector} of ${sectors}`);

export const failed = (disk: string, operation: string, sector: number): KernelError =>
  new KernelError('ioError', `${disk}: ${operation} at sector ${sector}`);
