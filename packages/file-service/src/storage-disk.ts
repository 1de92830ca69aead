/** What every storage on a disk says when it is put together wrongly, or finds bytes that make no sense. */
import { BackplaneError, type BlockCache, type Disk, KernelError } from '@backplane/slots';

/** By the name of its instance, with or without the slot: `0` or `disk.0`; none is needed where there is one disk. */
export function chooseDisk(disks: ReadonlyMap<string, Disk>, wanted: string): Disk {
  const [only, ...others] = disks.values();
  const found =
    wanted === '' ? (others.length === 0 ? only : undefined) : disks.get(wanted.replace(/^disk\./, ''));
  if (found === undefined) throw noSuchDisk(wanted, [...disks.keys()]);
  return found;
}

const noSuchDisk = (wanted: string, disks: readonly string[]): BackplaneError =>
  new BackplaneError(
    'WRONG_OPTION',
    { wanted, disks },
    wanted === ''
      ? `The machine has ${disks.length} disks, and the option "disk" does not say which one to use.`
      : `The machine has no disk "${wanted}".`,
    disks.length === 0 ? 'Give the machine a disk.' : `Set the option "disk" to one of: ${disks.join(', ')}`,
  );

/** @throws BackplaneError unless the cache has blocks of this size */
export function demandBlocks(cache: BlockCache, blockBytes: number): void {
  const { blockBytes: cacheBytes } = cache;
  if (cacheBytes === blockBytes) return;
  throw new BackplaneError(
    'WRONG_BLOCK_SIZE',
    { cacheBytes, blockBytes },
    `The block cache has blocks of ${cacheBytes} bytes; this storage has ${blockBytes}.`,
    'Fill the slot blockCache with a cache of the same block size.',
  );
}

/** The bytes on the disk make no sense. */
export const damaged = (what: string): KernelError => new KernelError('ioError', `damaged: ${what}`);
