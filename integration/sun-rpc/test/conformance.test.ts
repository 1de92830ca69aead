/** Every transport keeps the contract of its slot, over every carrier that it has. Their own tests draw more courses. */
import { ip } from '@backplane/net-ip';
import { spriteRpc } from '@backplane/rpc-sprite';
import { sunRpc } from '@backplane/rpc-sun';
import { conformsToTransport, type TransportUnderTest } from '@backplane/testkit';
import { describe, it } from 'vitest';

const transports: Readonly<Record<string, TransportUnderTest>> = {
  'Sprite RPC over Ethernet': { boards: { transport: spriteRpc() } },
  'Sprite RPC over internet datagrams': {
    boards: { transport: spriteRpc({ carrier: 'internet' }), internet: ip() },
  },
  'Sun RPC': { boards: { transport: sunRpc(), internet: ip() } },
  'Sun RPC without checksums': { boards: { transport: sunRpc({ checksum: false }), internet: ip() } },
};

for (const [name, under] of Object.entries(transports))
  describe(name, () => {
    for (const check of conformsToTransport({ courses: 5, ...under })) it(check.name, check.run);
  });
