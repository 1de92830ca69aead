/** The boards that stand for hardware. */
import { drive } from '@backplane/hw-disk';
import { ethernet } from '@backplane/hw-ethernet';
import { conformsToDisk, conformsToMedium } from '@backplane/testkit';
import { describe, it } from 'vitest';

const disks = {
  'an Eagle': drive({ profile: 'eagle' }),
  'an Eagle that serves whoever came first': drive({ profile: 'eagle', policy: 'fifo', sectors: 8000 }),
  'a Wren IV that takes the nearest': drive({ profile: 'wren-iv', policy: 'sstf' }),
  'a drive that takes no time': drive({ profile: 'instant', sectors: 8000 }),
};

for (const [name, disk] of Object.entries(disks))
  describe(name, () => {
    for (const check of conformsToDisk({ disk, courses: 10 })) it(check.name, check.run);
  });

const media = {
  'one Ethernet segment': ethernet(),
  'a long one with large frames': ethernet({ lengthMeters: 1000, stationSpacingMeters: 200, mtuBytes: 4000 }),
};

for (const [name, medium] of Object.entries(media))
  describe(name, () => {
    for (const check of conformsToMedium({ medium })) it(check.name, check.run);
  });
