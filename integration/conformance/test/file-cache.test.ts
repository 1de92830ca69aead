import { nfsCache } from '@backplane/cache-nfs';
import { noCache } from '@backplane/cache-none';
import { spriteCache } from '@backplane/cache-sprite';
import { ipcV } from '@backplane/ipc-v';
import { reopenRecovery } from '@backplane/recovery-reopen';
import { conformsToFileCache, type FileCacheUnderTest } from '@backplane/testkit';
import { uio } from '@backplane/uio-v';
import { describe, it } from 'vitest';

const recovery = reopenRecovery();
const fileCaches: Readonly<Record<string, FileCacheUnderTest>> = {
  'no cache': { boards: { fileCache: noCache(), recovery }, consistency: 'sequential' },
  "Sprite's caches": { boards: { fileCache: spriteCache(), recovery }, consistency: 'sequential' },
  "Sprite's caches without copies at clients": {
    boards: { fileCache: spriteCache({ clientCaching: false }), recovery },
    consistency: 'sequential',
  },
  "V's uniform I/O": {
    boards: { fileCache: uio({ probeSeconds: 5, writes: 'through' }), ipc: ipcV() },
    consistency: 'sequential',
  },
  'caches like those of NFS': {
    boards: { fileCache: nfsCache() },
    consistency: 'close-to-open',
    keepsRemoved: 'host',
    locksBind: 'host',
  },
};

for (const [name, under] of Object.entries(fileCaches))
  describe(name, () => {
    for (const check of conformsToFileCache({ courses: 4, ...under })) it(check.name, check.run);
  });
