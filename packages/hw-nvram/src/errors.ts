/** What a developer can do wrong with non-volatile memory, and how a disk behind it fails. */
import { BackplaneError, KernelError, nvramWordsMax } from '@backplane/slots';

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

export const noBlock = (machine: string, bytes: number, blockBytes: number): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { machine, bytes, blockBytes },
    `The memory of ${machine} has ${bytes} bytes, which is less than one block.`,
    `Give it at least ${blockBytes} "bytes", or smaller blocks ("blockBytes").`,
  );

export const outsideOfBlock = (
  machine: string,
  at: number,
  lengthBytes: number,
  blockBytes: number,
): BackplaneError =>
  new BackplaneError(
    'OUTSIDE_OF_BLOCK',
    { machine, at, lengthBytes, blockBytes },
    `The memory of ${machine} is handed ${lengthBytes} bytes for offset ${at} of a block.`,
    `A block has ${blockBytes} bytes, from offset 0 on.`,
  );

export const wrongWords = (machine: string, label: string, words: readonly number[]): BackplaneError =>
  new BackplaneError(
    'WRONG_WORDS',
    { machine, label, words },
    `The memory of ${machine} is told ${words.length} words of "${label}": ${words.join(', ')}.`,
    `Tell at most ${nvramWordsMax}, each a whole number from 0 to 2^53 - 1.`,
  );
