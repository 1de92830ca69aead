/** The board for slot `storage`: Sprite's original file system on one of the machine's disks. */
import { chooseDisk, demandBlocks } from '@backplane/file-service';
import { type Component, defineComponent } from '@backplane/slots';
import { z } from 'zod';
import { blockBytes } from './layouts.ts';
import { OfsStorage } from './storage.ts';
import { version } from './version.ts';

const options = z.strictObject({
  disk: z.string().default('').describe('instance name of the disk; not needed where there is one'),
  domain: z.int().min(0).max(0xffff).default(0).describe('number of the domain, unique on its server'),
  metadata: z
    .enum(['delayed', 'synchronous'])
    .default('delayed')
    .describe(
      'when names and descriptors go to the disk: some time later, or before each operation on names returns, as in BSD',
    ),
  writeDelaySeconds: z
    .number()
    .positive()
    .default(30)
    .describe('age at which changed blocks go to the disk by themselves'),
  percentFree: z
    .number()
    .min(0)
    .max(50)
    .default(10)
    .describe('share of the disk that is never given out, so that near blocks can be found'),
  interleaveBlocks: z
    .int()
    .min(0)
    .max(8)
    .default(0)
    .describe('blocks left out between two of a file, for machines that ask for the next one too late'),
  placement: z
    .enum(['spread', 'grouped'])
    .default('spread')
    .describe(
      'where files begin: in cylinder areas that their numbers spread them over, as in Sprite, or near their directory, as in BSD',
    ),
  areaBlocks: z
    .int()
    .min(1)
    .max(4096)
    .default(115)
    .describe('blocks of a cylinder area, when an empty disk is formatted; 115 is a cylinder of an Eagle'),
  bytesPerFile: z
    .int()
    .min(512)
    .default(4096)
    .describe('bytes of disk for each descriptor, when an empty disk is formatted'),
});
export interface OfsOptions {
  readonly disk?: string;
  readonly domain?: number;
  readonly metadata?: 'delayed' | 'synchronous';
  readonly writeDelaySeconds?: number;
  readonly percentFree?: number;
  readonly interleaveBlocks?: number;
  readonly placement?: 'spread' | 'grouped';
  readonly areaBlocks?: number;
  readonly bytesPerFile?: number;
}

export const ofsStorage: Component<'storage', OfsOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/fs-ofs',
  version,
  slot: 'storage',
  contract: 1,
  requires: ['disk', 'blockCache'],
  options,
  create: ({ disk: disks, blockCache }, { disk, metadata, placement, ...rest }, machine) => {
    demandBlocks(blockCache, blockBytes);
    const made = new OfsStorage(machine, chooseDisk(disks, disk), blockCache, {
      ...rest,
      synchronous: metadata === 'synchronous',
      grouped: placement === 'grouped',
    });
    machine.metrics.register('storage.ofs.attachSeconds', () => made.counts.attachNs / 1e9, 'max');
    machine.metrics.register('storage.ofs.repairs', () => made.counts.repairs);
    machine.metrics.register('storage.ofs.refused', () => Number(made.refused), 'max');
    machine.metrics.register('storage.ofs.writeBackErrors', () => made.writeBackErrors);
    return made;
  },
  *start(board) {
    yield* board.recover();
  },
  *halt(board) {
    yield* (board as OfsStorage).detach();
  },
});
