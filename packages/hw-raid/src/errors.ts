/** What a developer can do wrong with an array, and how an array fails. */
import { BackplaneError, KernelError } from '@backplane/slots';

export const tooFewMembers = (
  machine: string,
  level: number,
  members: number,
  least: number,
): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { machine, level, members, least },
    `The array of ${machine} has ${members} members; level ${level} takes ${least} or more.`,
    'Name more disks of the machine in the option "of", or choose another "level".',
  );

export const memberTwice = (machine: string, member: string): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { machine, member },
    `The array of ${machine} has "${member}" twice.`,
    'Name each disk once in the option "of".',
  );

export const noDisk = (machine: string, member: string): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { machine, member },
    `The array of ${machine} is to have "${member}" for a member, which is no disk with sectors of 512 bytes.`,
    'Name disks in the option "of", such as disk.1.',
  );

export const tooSmall = (machine: string, sectors: number, least: number): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { machine, sectors, least },
    `A member of the array of ${machine} has ${sectors} sectors; with such units it takes ${least}.`,
    'Take larger disks, or a smaller "unitSectors".',
  );

export const noSuchMember = (disk: string, member: string, members: readonly string[]): BackplaneError =>
  new BackplaneError(
    'NO_SUCH_MEMBER',
    { disk, member, members },
    `${disk} has no member "${member}".`,
    `Its members are ${members.join(', ')}.`,
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
