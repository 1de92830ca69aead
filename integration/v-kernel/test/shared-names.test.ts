/** V's naming against the clauses of the contract on directories that servers share. */
import { ipcV } from '@backplane/ipc-v';
import { vNaming } from '@backplane/naming-v';
import { conformsToNaming } from '@backplane/testkit';
import { describe, it } from 'vitest';

const sharing = (directory: boolean) => ({
  boards: { naming: vNaming({ directory, patienceSeconds: 5 }), ipc: ipcV() },
  shared: {
    prefix: '/home',
    ginger: { naming: vNaming({ directory, shares: { '/home': { below: 'm' } } }) },
    mint: { naming: vNaming({ directory, shares: { '/home': { from: 'm' } } }) },
    names: ['ann', 'zoe'],
  } as const,
});

describe.each([
  ['without a directory', false],
  ['with replicas of the directory', true],
])('names of V, %s', (_, directory) => {
  for (const check of conformsToNaming(sharing(directory)).filter(({ name }) => / share| whole/.test(name)))
    it(check.name, check.run);
});
