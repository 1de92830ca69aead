/** The boards that stand around the one under test: the simplest of the project that do, all of them named here. */
import { lruBlockCache } from '@backplane/block-cache-lru';
import { noCache } from '@backplane/cache-none';
import { memoryStorage } from '@backplane/fs-memory';
import { ofsStorage } from '@backplane/fs-ofs';
import { drive } from '@backplane/hw-disk';
import { ethernet, ethernetInterface } from '@backplane/hw-ethernet';
import { zeroCost } from '@backplane/hw-machines';
import { memory } from '@backplane/hw-memory';
import { processors } from '@backplane/hw-processor';
import { arpLocator } from '@backplane/locator-arp';
import { fixedMemory } from '@backplane/memory-policy-fixed';
import { mountNaming } from '@backplane/naming-mounts';
import { spriteRpc } from '@backplane/rpc-sprite';
import { spriteScheduler } from '@backplane/scheduler-sprite';
import { type Board, defineKernel, type Kernel, type KernelSpec, type MachineType } from '@backplane/slots';
import { streams } from '@backplane/streams';

export const medium = (): Board<'medium'> => ethernet();

/** A machine on which nothing costs anything, with so many page frames, half of them for files. */
export const machineType = (frames: number = zeroCost.memoryBytes / zeroCost.pageBytes): MachineType => ({
  ...zeroCost,
  name: 'machine of a check',
  memoryBytes: frames * zeroCost.pageBytes,
});

/** A machine by itself: processors, and page frames with a policy. */
export const alone = (): Kernel =>
  defineKernel('alone', {
    processors: processors(),
    memory: memory({ kernelBytes: 0 }),
    memoryPolicy: fixedMemory({ filesShare: 0.5 }),
  });

/** A machine with disks: a block cache besides. */
export const withBlocks = (): Kernel => alone().with({ blockCache: lruBlockCache() });

/** A machine on the network: an interface, and who finds other machines. */
export const onSegment = (): Kernel =>
  alone().with({ scheduler: spriteScheduler(), nic: ethernetInterface(), locator: arpLocator() });

/** A machine that calls others. */
export const calling = (): Kernel => onSegment().with({ transport: spriteRpc() });

/** A machine with streams, and nothing that registers with them. */
export const withStreams = (): Kernel => calling().with({ streams: streams() });

/** A machine that opens files: names by static mounts, nothing cached between it and the server. */
export const openingFiles = (): Kernel =>
  withStreams().with({
    naming: mountNaming(),
    blockCache: lruBlockCache(),
    fileCache: noCache(),
  });

/** Storage of which everything is lost when its machine loses power: the model of the storages on disks. */
export const storage = (): Board<'storage'> => memoryStorage();

/** A model of the file protocols: it keeps nothing, so every read is as new as can be. */
export const uncached = (): Board<'fileCache'> => noCache();

/** Storage that survives a crash of its machine: names and bytes are on the disk, which takes no time, when they are synced. */
export const lastingStorage = (): KernelSpec => ({
  disk: drive({ profile: 'instant', sectors: 16_384 }),
  storage: { '/': ofsStorage({ metadata: 'synchronous' }) },
});

/** The model of naming: static mounts. */
export const mounts = (): Board<'naming'> => mountNaming();
