/** The board for slot `disk`: non-volatile memory in front of another disk. */
import { seconds } from '@backplane/engine';
import { type Component, type Disk, defineComponent } from '@backplane/slots';
import { z } from 'zod';
import { noDisk, tooSmall } from './errors.ts';
import { version } from './version.ts';
import { WriteBuffer } from './write-buffer.ts';

const options = z.strictObject({
  of: z.string().default('disk.1').describe('the disk behind it, by instance'),
  bytes: z
    .int()
    .min(1024)
    .default(512 * 1024)
    .describe('how much the memory holds'),
  largestShare: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.5)
    .describe('a write of a larger share of the memory goes past it to the disk'),
  delaySeconds: z
    .number()
    .min(0)
    .default(30)
    .describe('how old a sector may get in the memory, counted from its first write'),
  highShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.75)
    .describe('share of the memory above which sectors go to the disk before their time'),
  lowShare: z.number().min(0).max(1).default(0.5).describe('and down to which they go then'),
  runBytes: z
    .int()
    .min(512)
    .default(128 * 1024)
    .describe('most bytes in one request to the disk'),
  retrySeconds: z
    .number()
    .min(0.1)
    .default(5)
    .describe('how long after an error of the disk sectors are tried again'),
});
export interface NvramOptions {
  readonly of?: string;
  readonly bytes?: number;
  readonly largestShare?: number;
  readonly delaySeconds?: number;
  readonly highShare?: number;
  readonly lowShare?: number;
  readonly runBytes?: number;
  readonly retrySeconds?: number;
}

export const nvram: Component<'disk', NvramOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/hw-nvram',
  version,
  slot: 'disk',
  contract: 1,
  requires: [],
  options,
  wraps: ({ of }) => [of],
  create: ({ wrapped }, o, machine) => {
    const disk = wrapped.get(o.of);
    if (!isDisk(disk)) throw noDisk(machine.name, o.of);
    const capacitySectors = Math.floor(o.bytes / disk.sectorBytes);
    if (capacitySectors < 2) throw tooSmall(machine.name, o.bytes, disk.sectorBytes);
    const made = new WriteBuffer(machine, disk, {
      capacitySectors,
      largestSectors: Math.max(1, Math.floor(o.largestShare * capacitySectors)),
      delayNs: seconds(o.delaySeconds),
      retryNs: seconds(o.retrySeconds),
      highSectors: Math.floor(o.highShare * capacitySectors),
      lowSectors: Math.floor(Math.min(o.lowShare, o.highShare) * capacitySectors),
      runSectorsMax: Math.max(1, Math.floor(o.runBytes / disk.sectorBytes)),
    });
    const { counts, memory } = made;
    for (const name of Object.keys(counts) as (keyof typeof counts)[])
      machine.metrics.register(`nvram.${machine.role}.${name}`, () => counts[name]);
    machine.metrics.register(`nvram.${machine.role}.sectors`, () => memory.used);
    return made;
  },
  reset: (board) => (board as WriteBuffer).reset(),
});

const isDisk = (x: unknown): x is Disk => typeof x === 'object' && x !== null && 'sectorBytes' in x;
