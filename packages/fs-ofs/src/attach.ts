/**
 * Attaching a disk.
 *
 *   what the disk says                       then
 *   nothing: its first blocks are all zeros  format it (without virtual time, as if it had come formatted)
 *   no label and header that fit             `ioError`: it may hold somebody else's bytes
 *   clean, and its free counts agree         take its bitmaps
 *   anything else                            repair it: check everything, make the bitmaps anew
 *
 * From then on until it is detached the disk says that it is not clean.
 */
import type { Task } from '@backplane/engine';
import type { BlockCache, Disk } from '@backplane/slots';
import { encodeChunk, entryOf } from './chunk.ts';
import { encodeDescriptor, newDescriptor } from './descriptor.ts';
import { wrongSectors } from './errors.ts';
import {
  blockOfAddress,
  decodeGeometry,
  descriptorBlockOf,
  encodeHeader,
  encodeLabel,
  planGeometry,
  sectorsPerBlock,
} from './geometry.ts';
import {
  blockBytes,
  cleanFlag,
  descriptorBytes,
  descriptorsPerBlock,
  fragmentBytes,
  fragmentsPerBlock,
  headerBlock,
  isSealed,
  rootNumber,
  seal,
  summary,
  summaryBlock,
  summaryMagic,
} from './layouts.ts';
import { Repair } from './repair.ts';
import { type SpaceOptions, Volume } from './volume.ts';

export interface FormatOptions {
  readonly bytesPerFile: number;
  readonly areaBlocks: number;
}

/** @throws KernelError `ioError` when the disk holds something else, or is damaged where nothing can be mended */
export function* attach(
  disk: Disk,
  cache: BlockCache,
  domain: number,
  o: FormatOptions & SpaceOptions,
): Task<{ readonly volume: Volume; readonly mounts: number; readonly repairs: number }> {
  const perBlock = sectorsPerBlock(disk.sectorBytes);
  if (disk.sectorBytes !== 512 && disk.sectorBytes !== 1024) throw wrongSectors(disk.name, disk.sectorBytes);
  let front = yield* disk.read(0, (headerBlock + 1) * perBlock);
  if (front.every((b) => b === 0)) {
    format(disk, cache, domain, o);
    front = yield* disk.read(0, (headerBlock + 1) * perBlock);
  }
  const block = (n: number): Uint8Array => front.subarray(n * blockBytes, n * blockBytes + 512);
  const geometry = decodeGeometry(block(0), block(headerBlock), disk);
  const volume = new Volume(disk, cache, domain, geometry, o);
  const known = isSealed(block(summaryBlock)) ? summary.tryDecode(block(summaryBlock)) : undefined;
  const clean = known?.magic === summaryMagic && (known.flags & cleanFlag) !== 0;
  let mounts = (known?.mounts ?? 0) + 1;
  let repairs = 0;
  if (!clean || !(yield* takeBitmaps(volume, known))) {
    const found = yield* new Repair(volume).run();
    // The generations in use tell how often a disk with a damaged summary was attached at least.
    mounts = Math.max(mounts, Math.floor(found.generationMax / 0x10000) + 1);
    repairs = found.repairs;
  }
  yield* volume.writeBlocks(summaryBlock, encodeSummary(volume, false, mounts));
  volume.mounts = mounts;
  return { volume, mounts, repairs };
}

/** Everything is on the disk, and it may be taken as it is. */
export function* markClean(volume: Volume): Task<void> {
  yield* volume.writeBlocks(summaryBlock, encodeSummary(volume, true, volume.mounts));
  yield* volume.barrier();
}

function encodeSummary({ space, numbers }: Volume, clean: boolean, mounts: number): Uint8Array {
  const block = new Uint8Array(blockBytes);
  summary.encode(
    {
      magic: summaryMagic,
      flags: clean ? cleanFlag : 0,
      mounts: mounts >>> 0,
      freeFragments: space.free,
      freeFiles: numbers.free,
      checksum: 0,
    },
    block,
  );
  seal(block.subarray(0, 512));
  return block;
}

/** False when the disk's bitmaps do not have as many free as its summary says. */
function* takeBitmaps(
  volume: Volume,
  known: { readonly freeFragments: number; readonly freeFiles: number } | undefined,
): Task<boolean> {
  const { geometry, numbers, space } = volume;
  numbers.map.load(yield* volume.readBlocks(geometry.descriptorMapBlock, geometry.descriptorMapBlocks));
  space.map.load(yield* volume.readBlocks(geometry.dataMapBlock, geometry.dataMapBlocks));
  numbers.recount();
  space.recount();
  return numbers.free === known?.freeFiles && space.free === known.freeFragments;
}

/** An empty file system, put on the medium as it would come from the maker. */
function format(disk: Disk, cache: BlockCache, domain: number, o: FormatOptions & SpaceOptions): void {
  const geometry = planGeometry(disk, o);
  const volume = new Volume(disk, cache, domain, geometry, { ...o, percentFree: 0 });
  const perBlock = sectorsPerBlock(disk.sectorBytes);
  const put = (block: number, at: number, bytes: Uint8Array): void => {
    const whole = new Uint8Array(blockBytes);
    whole.set(bytes, at);
    disk.load(block * perBlock, whole);
  };
  const address = volume.space.take(1, -1, 0);
  const root = newDescriptor({ type: 'directory', mode: 0o755, uid: 0, gid: 0 }, 1, 0);
  const entries = encodeChunk([entryOf('.', rootNumber), entryOf('..', rootNumber)]);
  root.links = 2;
  root.sizeBytes = entries.length;
  root.direct[0] = address;
  put(blockOfAddress(geometry, address), (address % fragmentsPerBlock) * fragmentBytes, entries);
  const at = (rootNumber % descriptorsPerBlock) * descriptorBytes;
  put(descriptorBlockOf(geometry, rootNumber), at, encodeDescriptor(root, true));
  const maps = [
    { map: volume.numbers.map, block: geometry.descriptorMapBlock, blocks: geometry.descriptorMapBlocks },
    { map: volume.space.map, block: geometry.dataMapBlock, blocks: geometry.dataMapBlocks },
  ];
  for (const { map, block, blocks } of maps)
    for (let n = 0; n < Math.min(blocks, map.blocks); n++) put(block + n, 0, map.block(n));
  put(headerBlock, 0, encodeHeader(geometry));
  put(summaryBlock, 0, encodeSummary(volume, true, 0));
  put(0, 0, encodeLabel(geometry, disk.sectors));
}
