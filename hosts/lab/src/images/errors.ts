/** What can be wrong with an image or with a tree that is to go into one: the place, what was found, the remedy. */
import { BackplaneError, type Finding } from '@backplane/slots';

export const unreadableImage = (file: string, reason: string): BackplaneError =>
  new BackplaneError(
    'UNREADABLE_IMAGE',
    { file, reason },
    `${file}: ${reason}`,
    'Give an image that can be read.',
  );

export const foreignImage = (
  file: string,
  bytes: number,
  known: readonly { readonly name: string; readonly what: string; readonly sector: number }[],
): BackplaneError =>
  new BackplaneError(
    'FOREIGN_IMAGE',
    { file, bytes, known },
    `${file}: this is no image of a known storage: ${known
      .map(({ what, sector, name }) => `no ${what} at byte ${sector * 512} (${name})`)
      .join(', ')}.`,
    `Make one: backplane image create IMAGE --storage ${known[0]?.name ?? 'lfs'} --size 300M`,
  );

export const truncatedImage = (
  file: string,
  offset: number,
  structure: string,
  text: string,
): BackplaneError =>
  new BackplaneError(
    'TRUNCATED_IMAGE',
    { file, offset, structure },
    `${file}: the image ends at byte ${offset}, and is longer by its ${structure}: ${text}.`,
    'Take a whole copy of it.',
  );

export const imageExists = (file: string): BackplaneError =>
  new BackplaneError(
    'IMAGE_EXISTS',
    { file },
    `${file}: there is something already, and it is not overwritten.`,
    `Take another name, or remove it first: rm ${file}`,
  );

export const noFolderForImage = (file: string, reason: string): BackplaneError =>
  new BackplaneError(
    'UNWRITABLE_IMAGE',
    { file, reason },
    `${file}: ${reason}`,
    'Give a place that can be written.',
  );

export const noImageStorage = (wanted: string, known: readonly string[]): BackplaneError =>
  new BackplaneError(
    'UNKNOWN_BOARD',
    { wanted, known },
    `--storage ${wanted}: no storage with images is called "${wanted}".`,
    `There are: ${known.join(', ')}.`,
  );

export const cannotFormat = (
  file: string,
  storage: string,
  sizeBytes: number,
  reason: string,
): BackplaneError =>
  new BackplaneError(
    'REFUSED_IMAGE',
    { file, storage, sizeBytes, reason },
    `${file}: the storage ${storage} makes nothing of ${sizeBytes} bytes: ${reason}.`,
    'Give it more: --size 300M',
  );

export const refusedImage = (file: string, storage: string, reason: string): BackplaneError =>
  new BackplaneError(
    'REFUSED_IMAGE',
    { file, storage, reason },
    `${file}: the storage ${storage} cannot work with it: ${reason}.`,
    `See what is wrong with it: backplane image check ${file}`,
  );

export const imageFull = (file: string, path: string): BackplaneError =>
  new BackplaneError(
    'IMAGE_FULL',
    { file, path },
    `${file}: no room is left for ${path}. The image is as it was.`,
    'Make a larger one: backplane image create LARGER --storage lfs --size 1G',
  );

export const cannotImport = (file: string, path: string, reason: string): BackplaneError =>
  new BackplaneError(
    'CANNOT_IMPORT',
    { file, path, reason },
    `${file}: ${path} cannot go in: ${reason}. The image is as it was.`,
    'Take it out of the tree, or import into an empty image.',
  );

export const unsoundImage = (file: string, findings: readonly Finding[]): BackplaneError =>
  new BackplaneError(
    'INVARIANT',
    { file, findings: findings.length, first: findings[0]?.text ?? '' },
    `${file}: after the import ${findings.length} things are wrong, the first with ${findings[0]?.where}: ${findings[0]?.text}. The image is as it was.`,
    'This is a defect, or the image was damaged before: backplane image check',
  );

export const unreadableDirectory = (directory: string, reason: string): BackplaneError =>
  new BackplaneError(
    'UNREADABLE_TREE',
    { directory, reason },
    `${directory}: ${reason}`,
    'Give a directory that can be read: backplane image import IMAGE ./src',
  );

export const noEmptyDirectory = (directory: string, reason: string): BackplaneError =>
  new BackplaneError(
    'NO_EMPTY_DIRECTORY',
    { directory, reason },
    `${directory}: ${reason} Nothing was written.`,
    'Give a directory that is empty, or one that is not there yet.',
  );

/** What the host's own calls say: `ENOENT: no such file or directory, open '...'` without the call. */
export const hostReason = (e: unknown): string =>
  e instanceof Error && 'code' in e ? (/^[A-Z0-9]+: ([^,]*)/.exec(e.message)?.[1] ?? e.message) : String(e);
