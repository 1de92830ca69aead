/** An image as a plain file: the sectors of a disk, one after another; what is zeros may be a hole in the file. */
import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DiskImage } from '@backplane/slots';
import { hostReason, noFolderForImage, truncatedImage, unreadableImage } from './errors.ts';

/** Of every image: the drives of the time had such sectors. */
export const imageSectorBytes = 512;

export class ImageFile implements DiskImage {
  readonly name: string;
  readonly sectorBytes: number = imageSectorBytes;
  readonly sectors: number;
  readonly #fd: number;

  /** @throws BackplaneError when there is no file with whole sectors that can be read */
  constructor(name: string) {
    this.name = name;
    try {
      this.#fd = openSync(name, 'r');
    } catch (e) {
      throw unreadableImage(name, hostReason(e));
    }
    const s = fstatSync(this.#fd);
    this.sectors = Math.floor(s.size / imageSectorBytes);
    if (!s.isFile() || s.size === 0 || s.size % imageSectorBytes !== 0) {
      closeSync(this.#fd);
      if (!s.isFile()) throw unreadableImage(name, 'this is no plain file.');
      if (s.size === 0) throw unreadableImage(name, 'the file is empty.');
      throw truncatedImage(name, s.size, 'last sector', 'it is not whole');
    }
  }

  read(sector: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * imageSectorBytes);
    const from = sector * imageSectorBytes;
    for (let done = 0; done < bytes.length; ) {
      const n = this.#read(bytes, done, from + done);
      if (n === 0) throw unreadableImage(this.name, `it became shorter than ${from + bytes.length} bytes.`);
      done += n;
    }
    return bytes;
  }

  #read(into: Uint8Array, at: number, from: number): number {
    try {
      return readSync(this.#fd, into, at, into.length - at, from);
    } catch (e) {
      throw unreadableImage(this.name, `byte ${from}: ${hostReason(e)}`);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Bytes of an image and where they go; in order, without those that are zeros. */
export type ImagePieces = Iterable<{ readonly sector: number; readonly bytes: Uint8Array }>;

/**
 * Writes an image beside the file, has it looked at, and only then puts it in the file's place: what was there before is
 * there until then.
 *
 * @param check throws when the image is not to be taken
 * @throws BackplaneError when it cannot be written
 */
export function replaceImage(
  name: string,
  sectors: number,
  pieces: ImagePieces,
  check: (image: ImageFile) => void,
): void {
  const beside = join(dirname(name), `.${basename(name)}.${process.pid}`);
  try {
    writePieces(beside, sectors, pieces);
    keepMode(name, beside);
    const image = new ImageFile(beside);
    try {
      check(image);
    } finally {
      image.close();
    }
    renameSync(beside, name);
  } catch (e) {
    rmSync(beside, { force: true });
    throw e instanceof Error && 'syscall' in e ? noFolderForImage(name, hostReason(e)) : e;
  }
}

/** Writes an image file; zeros become holes. */
export function writePieces(name: string, sectors: number, pieces: ImagePieces): void {
  const fd = openSync(name, 'w');
  try {
    for (const { sector, bytes } of pieces) {
      const from = sector * imageSectorBytes;
      for (let done = 0; done < bytes.length; )
        done += writeSync(fd, bytes, done, bytes.length - done, from + done);
    }
    ftruncateSync(fd, sectors * imageSectorBytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The new file has the permissions of the one that it replaces. */
function keepMode(name: string, beside: string): void {
  const mode = statSync(name, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return;
  const fd = openSync(beside, 'r');
  fchmodSync(fd, mode & 0o777);
  closeSync(fd);
}
