/** Transports that carry transactions between entities. */
import { ip } from '@backplane/net-ip';
import { spriteRpc } from '@backplane/rpc-sprite';
import { sunRpc } from '@backplane/rpc-sun';
import { vmtp } from '@backplane/rpc-vmtp';
import { conformsToEntities, type EntitiesUnderTest } from '@backplane/testkit';
import { describe, it } from 'vitest';

const transports: Readonly<Record<string, EntitiesUnderTest['boards']>> = {
  VMTP: { transport: vmtp() },
  'VMTP over internet datagrams': { transport: vmtp({ carrier: 'internet' }), internet: ip() },
  'Sprite RPC': { transport: spriteRpc() },
  'Sun RPC': { transport: sunRpc(), internet: ip() },
};

for (const [name, boards] of Object.entries(transports))
  describe(`entities over ${name}`, () => {
    for (const check of conformsToEntities({ boards, courses: 5 })) it(check.name, check.run);
  });
