/** The boards that find things: hosts on the segment, and whom to ask about a name. */
import { arpLocator } from '@backplane/locator-arp';
import { mountNaming } from '@backplane/naming-mounts';
import { prefixNaming } from '@backplane/naming-prefix';
import { conformsToLocator, conformsToNaming } from '@backplane/testkit';
import { describe, it } from 'vitest';

describe('address resolution', () => {
  for (const check of conformsToLocator({ boards: { locator: arpLocator() } })) it(check.name, check.run);
});

for (const [name, naming] of Object.entries({
  'prefix tables': prefixNaming(),
  'static mounts': mountNaming(),
}))
  describe(name, () => {
    for (const check of conformsToNaming({ boards: { naming } })) it(check.name, check.run);
  });
