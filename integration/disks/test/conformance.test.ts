/** A storage keeps its contract whatever the disk is made of. One course of each property; with BACKPLANE_FULL 20. */
import { costBenefitCleaner } from '@backplane/cleaner-cost-benefit';
import { lfsStorage } from '@backplane/fs-lfs';
import { ofsStorage } from '@backplane/fs-ofs';
import { drive } from '@backplane/hw-disk';
import { nvram } from '@backplane/hw-nvram';
import { raid } from '@backplane/hw-raid';
import type { Board, KernelSpec } from '@backplane/slots';
import { conformsToStorage } from '@backplane/testkit';
import { describe, it } from 'vitest';

const wren = (sectors: number): Board<'disk'> => drive({ profile: 'wren-iv', sectors });

const ofs = { storage: { '/': ofsStorage({ disk: '0' }) } };
const lfs = {
  storage: { '/': lfsStorage({ disk: '0', segmentBytes: 131_072 }) },
  cleaner: costBenefitCleaner(),
};
const level5 = [
  raid({ level: 5, of: ['disk.1', 'disk.2', 'disk.3'], unitSectors: 16 }),
  wren(8400),
  wren(8400),
  wren(8400),
];

const machines: Readonly<Record<string, KernelSpec>> = {
  "Sprite's original file system on level 5 over three Wrens": { ...ofs, disk: level5 },
  "Sprite's original file system behind half a megabyte of memory": {
    ...ofs,
    disk: [nvram(), wren(16_384)],
  },
  'a log on level 5 over three Wrens': { ...lfs, disk: level5 },
  'a log behind a little memory, always full': {
    ...lfs,
    disk: [nvram({ bytes: 65_536, delaySeconds: 1 }), wren(16_384)],
  },
};

const courses = process.env['BACKPLANE_FULL'] === undefined ? 1 : 20;

for (const [name, boards] of Object.entries(machines))
  describe(name, () => {
    for (const check of conformsToStorage({ boards, courses })) it(check.name, check.run);
  });
