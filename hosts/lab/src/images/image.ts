/** What the command does with images: make one, fill it from a host's directory, empty it into one. */
import { statSync } from 'node:fs';
import type { Task } from '@backplane/engine';
import { isKernelError, type StoreFormat } from '@backplane/slots';
import { cannotFormat, imageExists, refusedImage, unreadableDirectory, unsoundImage } from './errors.ts';
import { emptyDirectory, exportDirectory } from './export-directory.ts';
import { ImageDisk } from './image-disk.ts';
import { ImageFile, imageSectorBytes, replaceImage } from './image-file.ts';
import { importDirectory, noneYet, type TransferCounts } from './import-directory.ts';
import { type Attached, withStorage } from './store-machine.ts';
import { auditImage, boardFor, formatOf, storageNamed } from './stores.ts';

/** Is told how far things are, a few times a second at least. What it throws ends the work. */
export type Turn = (so: TransferCounts) => void;

export interface MadeImage {
  readonly format: string;
  readonly sectors: number;
}

export interface Transfer extends TransferCounts {
  readonly format: string;
}

/**
 * An empty image.
 *
 * @param storage short name of a storage, with options as `--set` takes them
 * @throws BackplaneError when the file is there and not empty, or the storage does not take so few bytes
 */
export async function createImage(file: string, storage: string, sizeBytes: number): Promise<MadeImage> {
  const { format, board } = storageNamed(storage);
  const there = statSync(file, { throwIfNoEntry: false });
  if (there !== undefined && (!there.isFile() || there.size > 0)) throw imageExists(file);
  const sectors = Math.floor(sizeBytes / imageSectorBytes);
  const disk = new ImageDisk(sectors, null);
  try {
    await withStorage({ disk, board, turn: () => {} }, ({ storage: s }) => s.sync());
  } catch (e) {
    throw isKernelError(e) ? cannotFormat(file, format.name, sizeBytes, e.message) : e;
  }
  replaceImage(file, sectors, disk.pieces(), (image) => {
    const findings = auditImage(image, format);
    if (findings.length > 0) throw unsoundImage(file, findings);
  });
  return { format: format.name, sectors };
}

/**
 * Puts a directory of the host into an image, below its root. The file is replaced when all of it is in and the image has
 * been checked, and not touched before.
 *
 * @throws BackplaneError when the image or the directory cannot be read, or when something does not fit
 */
export async function importIntoImage(
  file: string,
  directory: string,
  turn: Turn = () => {},
): Promise<Transfer> {
  checkDirectory(directory);
  const image = new ImageFile(file);
  try {
    const format = formatOf(image);
    auditImage(image, format);
    const disk = new ImageDisk(image.sectors, image);
    const counts = noneYet();
    const work = { image: file, directory, counts };
    await attached(file, format, { disk, turn: () => turn(counts) }, (a) => importDirectory(a, work));
    replaceImage(file, image.sectors, disk.pieces(), (made) => {
      const findings = auditImage(made, format);
      if (findings.length > 0) throw unsoundImage(file, findings);
    });
    return { ...counts, format: format.name };
  } finally {
    image.close();
  }
}

/**
 * Takes everything out of an image. The image is not changed.
 *
 * @throws BackplaneError when the image cannot be read, or the directory is not empty
 */
export async function exportImage(file: string, directory: string, turn: Turn = () => {}): Promise<Transfer> {
  const image = new ImageFile(file);
  try {
    const format = formatOf(image);
    auditImage(image, format);
    emptyDirectory(directory);
    const counts = noneYet();
    const disk = new ImageDisk(image.sectors, image);
    await attached(file, format, { disk, turn: () => turn(counts) }, (a) =>
      exportDirectory(a, { directory, counts }),
    );
    return { ...counts, format: format.name };
  } finally {
    image.close();
  }
}

/** Work on an image. A storage that refuses its disk, or fails in the middle of it, says so with an error of the kernel. */
async function attached(
  file: string,
  format: StoreFormat,
  o: { readonly disk: ImageDisk; readonly turn: () => void },
  work: (a: Attached) => Task<void>,
): Promise<void> {
  try {
    await withStorage({ ...o, board: boardFor(format) }, work);
  } catch (e) {
    throw isKernelError(e) ? refusedImage(file, format.name, e.message) : e;
  }
}

function checkDirectory(directory: string): void {
  const there = statSync(directory, { throwIfNoEntry: false });
  if (there === undefined) throw unreadableDirectory(directory, 'there is no such directory.');
  if (!there.isDirectory()) throw unreadableDirectory(directory, 'this is no directory.');
}
