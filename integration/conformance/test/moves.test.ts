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

/**
 * Where VMTP falls short of the contract: mostly while an entity is on no host for a while, and in a network that loses packets
 * meanwhile; then a transaction may end with `entityMigrated` or `responseDiscarded`. A clause that holds again fails here.
 */
const transit = ', also when it is on no host for a while';
const storm = ', whatever the network loses, repeats and delays';
const shortOf = {
  both: [
    `an entity that moves with a transaction under way gets its one response where it is, and it is executed once${transit}`,
    `an entity that moves with a transaction under way gets its one response where it is, and it is executed once${transit}${storm}`,
    `an entity that moves with requests answers them from where it is: each is executed once, each client gets one response${transit}${storm}`,
    `client and server may move at once, and cross each other on the way${transit}${storm}`,
    `a request that was passed on to an entity that moves is answered from there${transit}`,
    `a request that was passed on to an entity that moves is answered from there${transit}${storm}`,
    `whoever wanders: every send ends with its own answer, and is executed once${storm}`,
    `whoever wanders: every send ends with its own answer, and is executed once${transit}${storm}`,
    'the same when those who move are on no host for a while',
    'the same, in such a network, when those who move are on no host for a while',
    'the same, whatever the network loses, repeats and delays',
  ],
  VMTP: [`a request that was passed on to an entity that moves is answered from there${storm}`],
  'VMTP over internet datagrams': [
    `client and server may move at once, and cross each other on the way${storm}`,
  ],
};
const fallsShort = (transport: string, clause: string): boolean =>
  [...shortOf.both, ...(shortOf[transport as keyof typeof shortOf] ?? [])].includes(clause);

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
      for (const check of clauses(kit, true))
        (fallsShort(name, check.name) ? it.fails : it)(check.name, check.run);
    });

for (const [name, boards] of Object.entries(staying))
  for (const [what, kit] of Object.entries(kitsOver(boards)))
    describe(`${what} over ${name}`, () => {
      for (const check of clauses(kit, false)) it(check.name, check.run);
    });
