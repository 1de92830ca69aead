/**
 * What moves from host to host, over each transport that promises it; and that the others refuse. `npm test` draws a few courses
 * of each; with BACKPLANE_FULL it is 100.
 */
import { ipcV } from '@backplane/ipc-v';
import { ip } from '@backplane/net-ip';
import { spriteRpc } from '@backplane/rpc-sprite';
import { sunRpc } from '@backplane/rpc-sun';
import { vmtp } from '@backplane/rpc-vmtp';
import { type Check, conformsToEntities, conformsToIpc, type EntitiesUnderTest } from '@backplane/testkit';
import { describe, it } from 'vitest';

const courses = process.env['BACKPLANE_FULL'] === undefined ? 3 : 100;

const moving: Readonly<Record<string, EntitiesUnderTest['boards']>> = {
  VMTP: { transport: vmtp() },
  'VMTP over internet datagrams': { transport: vmtp({ carrier: 'internet' }), internet: ip() },
};
const staying: Readonly<Record<string, EntitiesUnderTest['boards']>> = {
  'Sprite RPC': { transport: spriteRpc() },
  'Sun RPC': { transport: sunRpc(), internet: ip() },
};

type Kit = (moves: boolean) => readonly Check[];
const kitsOver = (boards: EntitiesUnderTest['boards']): Readonly<Record<string, Kit>> => ({
  entities: (moves) => conformsToEntities({ boards, courses, moves }),
  "processes of V's ipc": (moves) => conformsToIpc({ boards: { ...boards, ipc: ipcV() }, courses, moves }),
});

/** The clauses that stand where one says that nothing moves; all others are run with the rest of the kit. */
const clauses = (kit: Kit, moves: boolean): readonly Check[] => {
  const others = new Set(kit(!moves).map(({ name }) => name));
  return kit(moves).filter(({ name }) => !others.has(name));
};

for (const [name, boards] of Object.entries(moving))
  for (const [what, kit] of Object.entries(kitsOver(boards)))
    describe(`${what} that move over ${name}`, () => {
      for (const check of clauses(kit, true)) it(check.name, check.run);
    });

for (const [name, boards] of Object.entries(staying))
  for (const [what, kit] of Object.entries(kitsOver(boards)))
    describe(`${what} over ${name}`, () => {
      for (const check of clauses(kit, false)) it(check.name, check.run);
    });
