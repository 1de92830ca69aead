/** The board for slot `storage`: a log-structured file system on one of the machine's disks. */
import { chooseDisk, demandBlocks } from '@backplane/file-service';
import { type Component, defineComponent } from '@backplane/slots';
import { z } from 'zod';
import { blockBytes } from './layouts.ts';
import { LfsStorage } from './storage.ts';
import { version } from './version.ts';

const options = z.strictObject({
  disk: z.string().default('').describe('instance name of the disk; not needed where there is one'),
  domain: z.int().min(0).max(0xffff).default(0).describe('number of the domain, unique on its server'),
  segmentBytes: z
    .int()
    .min(8192)
    .max(8_388_608)
    .multipleOf(4096)
    .default(524_288)
    .describe('bytes of a segment, when an empty disk is formatted'),
  bytesPerFile: z
    .int()
    .min(512)
    .default(4096)
    .describe('bytes of disk for each file number, when an empty disk is formatted'),
  medium: z
    .enum(['rewritable', 'write-once'])
    .default('rewritable')
    .describe(
      'write-once: no sector is ever written twice, and nothing is cleaned; when an empty disk is formatted',
    ),
  metadata: z
    .enum(['delayed', 'synchronous'])
    .default('delayed')
    .describe(
      'when operations on names are in the log on the disk: some time later, or before each returns; bytes are always delayed',
    ),
  writeDelaySeconds: z
    .number()
    .positive()
    .max(4_000_000)
    .default(30)
    .describe('age at which what has changed goes into the log by itself'),
  checkpointSeconds: z
    .number()
    .positive()
    .max(4_000_000)
    .default(30)
    .describe('time between two checkpoints'),
  checkpointBytes: z
    .int()
    .min(0)
    .default(0)
    .describe('bytes in the log after which there is a checkpoint; 0: by time alone'),
  utilisationMax: z
    .number()
    .min(0.1)
    .max(0.95)
    .default(0.85)
    .describe('share of the segments, without the reserve, that live bytes may fill'),
  cleanSegmentsMin: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'clean segments that only cleaner and checkpoints may use, beside those that the map takes; 0: two more than are cleaned together, and room for the usage table',
    ),
  segmentsPerRound: z.int().min(1).max(64).default(4).describe('segments that are cleaned together'),
  fileBlockBytes: z
    .literal([4096, 8192, 16_384, 32_768, 65_536])
    .default(4096)
    .describe('bytes of a block of files that are made from now on'),
  compressAfterSeconds: z
    .number()
    .min(0)
    .max(4_000_000)
    .default(0)
    .describe('age of a block from which the cleaner stores it compressed; 0: never'),
});
export interface LfsOptions {
  readonly disk?: string;
  readonly domain?: number;
  readonly segmentBytes?: number;
  readonly bytesPerFile?: number;
  readonly medium?: 'rewritable' | 'write-once';
  readonly metadata?: 'delayed' | 'synchronous';
  readonly writeDelaySeconds?: number;
  readonly checkpointSeconds?: number;
  readonly checkpointBytes?: number;
  readonly utilisationMax?: number;
  readonly cleanSegmentsMin?: number;
  readonly segmentsPerRound?: number;
  readonly fileBlockBytes?: 4096 | 8192 | 16_384 | 32_768 | 65_536;
  readonly compressAfterSeconds?: number;
}

export const lfsStorage: Component<'storage', LfsOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/fs-lfs',
  version,
  slot: 'storage',
  contract: 1,
  requires: ['disk', 'blockCache', 'cleaner'],
  capabilities: ['clean', 'checkpoint'],
  options,
  create: ({ disk: disks, blockCache, cleaner }, { disk, medium, metadata, ...rest }, machine) => {
    demandBlocks(blockCache, blockBytes);
    const made = new LfsStorage(machine, chooseDisk(disks, disk), blockCache, cleaner, {
      ...rest,
      writeOnce: medium === 'write-once',
      synchronous: metadata === 'synchronous',
    });
    const { metrics } = machine;
    metrics.register('storage.lfs.attachSeconds', () => made.counts.attachNs / 1e9, 'max');
    metrics.register('storage.lfs.refused', () => Number(made.refused), 'max');
    metrics.register('storage.lfs.recoveredFiles', () => made.counts.recoveredFiles);
    metrics.register('storage.lfs.recoveredNames', () => made.counts.recoveredNames);
    metrics.register('storage.lfs.recoveredBytes', () => made.counts.recoveredBytes);
    metrics.register('storage.lfs.partialWrites', () => made.parts?.log.counts.partialWrites ?? 0);
    metrics.register('storage.lfs.segmentsFilled', () => made.parts?.log.counts.segmentsFilled ?? 0);
    metrics.register('storage.lfs.bytesLogged', () => made.parts?.log.counts.bytes ?? 0);
    metrics.register('storage.lfs.checkpoints', () => made.parts?.commits.counts.checkpoints ?? 0);
    metrics.register('storage.lfs.writeBackErrors', () => made.parts?.commits.age.errors ?? 0);
    metrics.register('storage.lfs.commits', () => made.parts?.commits.counts.commits ?? 0);
    metrics.register('storage.lfs.writesRefused', () => made.parts?.log.counts.failures ?? 0);
    metrics.register('storage.lfs.liveBytes', () => made.parts?.usage.liveBytes ?? 0);
    metrics.register('storage.lfs.cleanSegments', () => made.parts?.usage.cleanSegments ?? 0);
    metrics.register('storage.lfs.segmentsCleaned', () => made.parts?.cleaner.counts.segmentsRead ?? 0);
    metrics.register('storage.lfs.bytesMoved', () => made.parts?.cleaner.counts.bytesMoved ?? 0);
    metrics.register('storage.lfs.bytesCleaned', () => made.parts?.cleaner.counts.bytesRead ?? 0);
    metrics.register('storage.lfs.blocksCompressed', () => made.parts?.cleaner.counts.blocksCompressed ?? 0);
    return made;
  },
  *start(board) {
    yield* board.recover();
  },
  *halt(board) {
    yield* (board as LfsStorage).detach();
  },
});
