/** The boards that find things: hosts on the segment, and whom to ask about a name. */
import { ipcV } from '@backplane/ipc-v';
import { arpLocator } from '@backplane/locator-arp';
import { mountNaming } from '@backplane/naming-mounts';
import { prefixNaming } from '@backplane/naming-prefix';
import { vNaming } from '@backplane/naming-v';
import { conformsToLocator, conformsToNaming } from '@backplane/testkit';
import { describe, it } from 'vitest';

describe('address resolution', () => {
  for (const check of conformsToLocator({ boards: { locator: arpLocator() } })) it(check.name, check.run);
});

for (const [name, boards] of Object.entries({
  'prefix tables': { naming: prefixNaming() },
  'static mounts': { naming: mountNaming() },
  "V's naming": { naming: vNaming(), ipc: ipcV() },
}))
  describe(name, () => {
    for (const check of conformsToNaming({ boards })) it(check.name, check.run);
  });
