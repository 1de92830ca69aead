/** The boards that stand for hardware. */
import { drive } from '@backplane/hw-disk';
import { ethernet } from '@backplane/hw-ethernet';
import { nvram, nvramBlocks } from '@backplane/hw-nvram';
import { raid } from '@backplane/hw-raid';
import type { Board } from '@backplane/slots';
import { conformsToDisk, conformsToMedium, conformsToNvram, type DiskUnderTest } from '@backplane/testkit';
import { describe, it } from 'vitest';

const instant = (): Board<'disk'> => drive({ profile: 'instant', sectors: 8000 });
const wren = (): Board<'disk'> => drive({ profile: 'wren-iv', sectors: 8000 });
const of = (members: number): string[] => Array.from({ length: members }, (_, i) => `disk.${i + 1}`);

const disks: Readonly<Record<string, DiskUnderTest>> = {
  'an Eagle': { disk: drive({ profile: 'eagle' }) },
  'an Eagle that serves whoever came first': {
    disk: drive({ profile: 'eagle', policy: 'fifo', sectors: 8000 }),
  },
  'a Wren IV that takes the nearest': { disk: drive({ profile: 'wren-iv', policy: 'sstf' }) },
  'a drive that takes no time': { disk: instant() },
  'two Wrens, striped': { disk: raid({ level: 0, of: of(2), unitSectors: 16 }), of: [wren(), wren()] },
  'two Wrens, mirrored': { disk: raid({ level: 1, of: of(2), unitSectors: 16 }), of: [wren(), wren()] },
  'three drives that take no time, mirrored': {
    disk: raid({ level: 1, of: of(3), unitSectors: 5 }),
    of: [instant(), instant(), instant()],
  },
  'three Wrens with parity': {
    disk: raid({ level: 5, of: of(3), unitSectors: 16 }),
    of: [wren(), wren(), wren()],
  },
  'five Wrens with parity in small units': {
    disk: raid({ level: 5, of: of(5), unitSectors: 3 }),
    of: [wren(), wren(), wren(), wren(), wren()],
  },
  'half a megabyte of memory before a Wren': { disk: nvram(), of: [wren()] },
  'a little memory, soon full, before a Wren': {
    disk: nvram({ bytes: 40 * 512, delaySeconds: 0.02 }),
    of: [wren()],
  },
  'memory before an array': {
    disk: nvram({ bytes: 300 * 512, delaySeconds: 1 }),
    of: [raid({ level: 5, of: ['disk.2', 'disk.3', 'disk.4'], unitSectors: 16 }), wren(), wren(), wren()],
  },
};

for (const [name, under] of Object.entries(disks))
  describe(name, () => {
    for (const check of conformsToDisk({ courses: 10, ...under })) it(check.name, check.run);
  });

const media = {
  'one Ethernet segment': ethernet(),
  'a long one with large frames': ethernet({ lengthMeters: 1000, stationSpacingMeters: 200, mtuBytes: 4000 }),
};

for (const [name, medium] of Object.entries(media))
  describe(name, () => {
    for (const check of conformsToMedium({ medium })) it(check.name, check.run);
  });

const memories = {
  'a megabyte beside main memory': nvramBlocks(),
  'room for four small blocks': nvramBlocks({ bytes: 2500, blockBytes: 600 }),
};

for (const [name, nvram] of Object.entries(memories))
  describe(name, () => {
    for (const check of conformsToNvram({ nvram })) it(check.name, check.run);
  });
