/** VMTP keeps the contract of transports over both of its carriers. */
import { ip } from '@backplane/net-ip';
import { vmtp } from '@backplane/rpc-vmtp';
import { conformsToTransport, type TransportUnderTest } from '@backplane/testkit';
import { describe, it } from 'vitest';

const transports: Readonly<Record<string, TransportUnderTest>> = {
  'VMTP over Ethernet': { boards: { transport: vmtp() } },
  'VMTP over internet datagrams': { boards: { transport: vmtp({ carrier: 'internet' }), internet: ip() } },
  'VMTP with checksums': { boards: { transport: vmtp({ checksum: true }) } },
};

for (const [name, under] of Object.entries(transports))
  describe(name, () => {
    for (const check of conformsToTransport({ courses: 5, ...under })) it(check.name, check.run);
  });
