/** The storages that keep what they have on a disk: how an image of each is recognized, and which board attaches it. */
import { lfsFormat } from '@backplane/fs-lfs';
import { ofsFormat } from '@backplane/fs-ofs';
import type { Board, DiskImage, StoreFormat } from '@backplane/slots';
import { catalogue } from '../catalogue.ts';
import { parseSetting, splitSetting } from '../setting.ts';
import { foreignImage, noImageStorage, truncatedImage } from './errors.ts';
import type { ImageFile } from './image-file.ts';

/** What every image of a format begins with: for those that are none. */
interface KnownStore {
  readonly format: StoreFormat;
  readonly what: string;
  readonly sector: number;
}

const known: readonly KnownStore[] = [
  { format: lfsFormat, what: 'superblock', sector: 64 },
  { format: ofsFormat, what: 'disk label', sector: 0 },
];

export const storeFormats: readonly StoreFormat[] = known.map((k) => k.format);

/** The format that an image claims to have, if any. */
export const recognized = (image: DiskImage): StoreFormat | undefined =>
  storeFormats.find((f) => f.recognizes(image));

/** @throws BackplaneError FOREIGN_IMAGE, with what was looked for and where; TRUNCATED_IMAGE */
export function formatOf(image: ImageFile): StoreFormat {
  const format = recognized(image);
  if (format === undefined)
    throw foreignImage(
      image.name,
      image.sectors * image.sectorBytes,
      known.map(({ format: { name }, what, sector }) => ({ name, what, sector })),
    );
  return format;
}

/** What an audit finds. @throws BackplaneError TRUNCATED_IMAGE: of half an image nothing else is worth saying */
export function auditImage(image: ImageFile, format: StoreFormat): ReturnType<StoreFormat['audit']> {
  const findings = format.audit(image);
  const cut = findings.find((f) => f.kind === 'truncated');
  if (cut !== undefined)
    throw truncatedImage(image.name, image.sectors * image.sectorBytes, cut.where, cut.text);
  return findings;
}

/** The board of a format, with its defaults. */
export function boardFor(format: StoreFormat): Board {
  const entry = catalogue.find((e) => e.slot === 'storage' && e.short === format.name);
  if (entry === undefined) throw noImageStorage(format.name, []);
  return entry.make();
}

/** `lfs` or `lfs:option=value,...` as `--storage` takes it. @throws BackplaneError */
export function storageNamed(text: string): { readonly format: StoreFormat; readonly board: Board } {
  const { board: name } = splitSetting(`storage=${text}`);
  const format = storeFormats.find((f) => f.name === name);
  if (format === undefined)
    throw noImageStorage(
      name,
      storeFormats.map((f) => f.name),
    );
  const { entry, options } = parseSetting(`storage=${text}`);
  return { format, board: entry.make(options) };
}
