/** Transports that carry transactions between entities. */
import { ip } from '@backplane/net-ip';
import { spriteRpc } from '@backplane/rpc-sprite';
import { sunRpc } from '@backplane/rpc-sun';
import { type Check, conformsToEntities } from '@backplane/testkit';
import { describe, it } from 'vitest';

const kits: Readonly<Record<string, readonly Check[]>> = {
  'entities over Sprite RPC': conformsToEntities({ boards: { transport: spriteRpc() } }),
  'entities over Sun RPC': conformsToEntities({ boards: { transport: sunRpc(), internet: ip() } }),
};

for (const [name, checks] of Object.entries(kits))
  describe(name, () => {
    for (const check of checks) it(check.name, check.run);
  });
