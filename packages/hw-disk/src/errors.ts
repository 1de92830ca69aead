/** What a developer can do wrong with a drive, and how a drive fails. */
import { BackplaneError, KernelError } from '@backplane/slots';

export const tooManySectors = (profile: string, sectors: number, sectorsMax: number): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { profile, sectors, sectorsMax },
    `The drive "${profile}" is to have ${sectors} sectors; it has ${sectorsMax}.`,
    'Lower the option "sectors", leave it out, or take a larger "profile".',
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
