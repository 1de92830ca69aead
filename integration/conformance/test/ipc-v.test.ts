/** V's interprocess communication, over each transport that carries transactions between entities. */
import { ipcV } from '@backplane/ipc-v';
import { spriteRpc } from '@backplane/rpc-sprite';
import { vmtp } from '@backplane/rpc-vmtp';
import { conformsToIpc } from '@backplane/testkit';
import { describe, it } from 'vitest';

for (const [name, transport] of Object.entries({ 'Sprite RPC': spriteRpc(), VMTP: vmtp() }))
  describe(`V's ipc over ${name}`, () => {
    for (const check of conformsToIpc({ boards: { ipc: ipcV(), transport } })) it(check.name, check.run);
  });
