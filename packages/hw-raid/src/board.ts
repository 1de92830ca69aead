/** The board for slot `disk`: one disk, made of several. */
import { seconds } from '@backplane/engine';
import { type Component, type Disk, defineComponent, type Machine } from '@backplane/slots';
import { z } from 'zod';
import { RaidArray } from './array.ts';
import { memberTwice, noDisk, tooFewMembers, tooSmall } from './errors.ts';
import { Geometry, type Level, levels } from './geometry.ts';
import { reservedSectors } from './journal.ts';
import { membersMax } from './members.ts';
import { version } from './version.ts';

const options = z.strictObject({
  level: z
    .union(levels.map((level) => z.literal(level)))
    .default(5)
    .describe('0: striped, 1: mirrored, 5: striped with rotated parity'),
  of: z
    .array(z.string())
    .max(membersMax)
    .default(['disk.1', 'disk.2', 'disk.3', 'disk.4', 'disk.5'])
    .describe('the disks of the machine that it is made of, by instance'),
  unitSectors: z
    .int()
    .min(1)
    .max(2048)
    .default(32)
    .describe('sectors that lie on one member before the next one has its turn'),
  replaceSeconds: z
    .number()
    .min(0)
    .default(0)
    .describe('how long after its loss somebody has replaced a member; 0: nobody does by himself'),
  rebuildShare: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.5)
    .describe('share of time that rebuilding takes; the rest is for requests alone'),
  strikeSeconds: z
    .number()
    .min(0.1)
    .default(30)
    .describe('how often regions that have been quiet are struck out of the note'),
});
export interface RaidOptions {
  readonly level?: Level;
  readonly of?: string[];
  readonly unitSectors?: number;
  readonly replaceSeconds?: number;
  readonly rebuildShare?: number;
  readonly strikeSeconds?: number;
}

const membersMin: Readonly<Record<Level, number>> = { 0: 2, 1: 2, 5: 3 };

export const raid: Component<'disk', RaidOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/hw-raid',
  version,
  slot: 'disk',
  contract: 1,
  requires: [],
  options,
  wraps: ({ of }) => of,
  create: ({ wrapped }, o, machine) => {
    const members = disksOf(machine, o.of, wrapped);
    const counts = {
      fullRows: 0,
      readModifyWrites: 0,
      reconstructWrites: 0,
      degradedReads: 0,
      losses: 0,
      journalWrites: 0,
      rowsRebuilt: 0,
      rowsResynchronised: 0,
    };
    for (const name of Object.keys(counts) as (keyof typeof counts)[])
      machine.metrics.register(`raid.${machine.role}.${name}`, () => counts[name]);
    return new RaidArray(
      machine,
      members,
      geometryOf(machine, o.level, members, o.unitSectors),
      {
        strikeNs: seconds(o.strikeSeconds),
        replaceNs: seconds(o.replaceSeconds),
        rebuildShare: o.rebuildShare,
      },
      counts,
    );
  },
  reset: (board) => (board as RaidArray).reset(),
});

function disksOf(
  machine: Machine,
  of: readonly string[],
  wrapped: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, Disk> {
  const disks = new Map<string, Disk>();
  for (const instance of of) {
    if (disks.has(instance)) throw memberTwice(machine.name, instance);
    const disk = wrapped.get(instance);
    if (!isDisk(disk)) throw noDisk(machine.name, instance);
    disks.set(instance, disk);
  }
  return disks;
}

const isDisk = (x: unknown): x is Disk =>
  typeof x === 'object' && x !== null && 'sectorBytes' in x && x.sectorBytes === 512;

function geometryOf(
  machine: Machine,
  level: Level,
  disks: ReadonlyMap<string, Disk>,
  unitSectors: number,
): Geometry {
  const members = disks.size;
  if (members < membersMin[level]) throw tooFewMembers(machine.name, level, members, membersMin[level]);
  const reserved = level === 0 ? 0 : reservedSectors(unitSectors);
  const sectors = Math.min(...[...disks.values()].map((d) => d.sectors));
  const rows = Math.floor((sectors - reserved) / unitSectors);
  if (rows < 1) throw tooSmall(machine.name, sectors, reserved + unitSectors);
  return new Geometry(level, members, unitSectors, rows);
}
