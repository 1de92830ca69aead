import { costBenefitCleaner } from '@backplane/cleaner-cost-benefit';
import { lfsStorage } from '@backplane/fs-lfs';
import { memoryStorage } from '@backplane/fs-memory';
import { ofsStorage } from '@backplane/fs-ofs';
import { drive } from '@backplane/hw-disk';
import { conformsToStorage, type StorageUnderTest } from '@backplane/testkit';
import { describe, it } from 'vitest';

const sectors = 16_384;
const storages: Readonly<Record<string, StorageUnderTest>> = {
  'storage in memory': { boards: { storage: memoryStorage({ sizeBytes: 8_000_000 }) }, survives: false },
  "Sprite's original file system on an Eagle, names written late": {
    boards: { storage: ofsStorage({ metadata: 'delayed' }), disk: drive({ profile: 'eagle', sectors }) },
  },
  'the same, names written through': {
    boards: { storage: ofsStorage({ metadata: 'synchronous' }), disk: drive({ profile: 'eagle', sectors }) },
  },
  'a log-structured file system on an Eagle': {
    boards: {
      storage: lfsStorage({ segmentBytes: 131_072 }),
      cleaner: costBenefitCleaner(),
      disk: drive({ profile: 'eagle', sectors }),
    },
  },
};

for (const [name, under] of Object.entries(storages))
  describe(name, () => {
    for (const check of conformsToStorage({ courses: 6, ...under })) it(check.name, check.run);
  });
