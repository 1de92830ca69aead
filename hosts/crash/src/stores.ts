/** The storages of the project, as they are tested. */
import { costBenefitCleaner } from '@backplane/cleaner-cost-benefit';
import { lfsFormat, lfsStorage } from '@backplane/fs-lfs';
import { ofsFormat, ofsStorage } from '@backplane/fs-ofs';
import type { Board, CleaningPolicy, DiskImage } from '@backplane/slots';
import { noSuchStore } from './errors.ts';
import type { Promises, Spare, StoreUnderTest } from './store.ts';

const ofsPromises: Promises = {
  names: 'each',
  contents: 'bytes',
  order: 'write',
  directorySync: 'names',
  damage: 'ends',
  reasons: [
    'Names go to the disk directory by directory when they are old enough, so that each is old or new by itself.',
    'Blocks are written in place, so that a file may have some of its new bytes and some of its old ones.',
    'A file that loses a name by unlink or by being replaced may be lost, though it was given another name before: nothing orders two directories.',
    'It waits for every write, as drives of its time made possible: those that have returned are stored.',
    'Descriptors, bitmaps and directories have no checksums.',
  ],
};

export const ofs: StoreUnderTest = {
  name: 'ofs',
  board: () => ofsStorage(),
  format: ofsFormat,
  promises: ofsPromises,
};

const lfsPromises: Promises = {
  names: 'prefix',
  contents: 'whole',
  order: 'barrier',
  directorySync: 'names',
  damage: 'detected',
  reasons: [
    'Operations on names are logged in their order, and only whole groups of the log count.',
    'A file is flushed whole, with its descriptor in the same group.',
    'Everything but the bytes of files has a checksum, and those have one in the summary.',
  ],
};

/** Of two checkpoint regions the older one leads to everything, with the log after it; the superblock has a copy. */
const lfsSpares = (image: DiskImage): readonly Spare[] => {
  const regions: { readonly sector: number; readonly serial: number }[] = [];
  const found: Spare[] = [];
  for (const { what, sector, rows } of lfsFormat.dump(image)) {
    if (what.startsWith('superblock') && found.length === 0) found.push({ sector, bytes: 64, what });
    else if (what.startsWith('checkpoint')) {
      const serial = rows().find((r) => r.path === 'serial')?.value;
      if (serial !== undefined) regions.push({ sector, serial: Number(serial) });
    } else if (what.startsWith('addresses')) break; // and from there to everything else
  }
  const [newest, ...older] = regions.sort((a, b) => b.serial - a.serial);
  if (newest !== undefined && older.length > 0)
    found.push({ sector: newest.sector, bytes: 64, what: 'the newer checkpoint region' });
  return found;
};

export const lfs: StoreUnderTest = {
  name: 'lfs',
  board: () => lfsStorage({ segmentBytes: 32_768 }),
  cleaner: () => policy(costBenefitCleaner()),
  format: lfsFormat,
  promises: lfsPromises,
  spares: lfsSpares,
};

/** It needs nothing of its machine. */
const policy = (board: Board<'cleaner'>): CleaningPolicy => board.create({} as never, {} as never);

const stores: readonly StoreUnderTest[] = [lfs, ofs];
export const storeNames: readonly string[] = stores.map((s) => s.name);

/** @throws BackplaneError NO_SUCH_STORE */
export function storeNamed(name: string): StoreUnderTest {
  const found = stores.find((s) => s.name === name);
  if (found === undefined) throw noSuchStore(name, storeNames);
  return found;
}
