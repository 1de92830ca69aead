/** Numbers: who has them, and for how long. */
import { type EntityId, isGroup, noEntity } from '@backplane/slots';
import { type Check, holds, same } from '../check.ts';
import { World } from '../transport/world.ts';
import { Desk, entitiesOf, names } from './desk.ts';
import type { Bounds } from './under-test.ts';

export const numberClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'the board declares the capability, and has it',
    run: () => {
      same('capabilities', boards.transport?.capabilities.includes('entities') ?? false, true);
      const world = new World(boards, names);
      for (const host of world.hosts) holds('it has entities', host.transport.entities !== undefined);
    },
  },
  {
    name: 'a number is minted once: on one host, in several lives, for an entity or a group',
    run: () => {
      const world = new World(boards, names);
      const minted: EntityId[] = [];
      for (let life = 0; life < 3; life++)
        for (const host of world.hosts) {
          const entities = entitiesOf(host);
          for (let i = 0; i < 50; i++) minted.push(entities.mint(), entities.mintGroup());
          host.reboot();
        }
      same('different ones', new Set(minted).size, minted.length);
      holds('16 digits each', minted.every((e) => /^[0-9a-f]{16}$/.test(e)) && !minted.includes(noEntity));
    },
  },
  {
    name: 'the number of a group shows that it is one, and that of an entity that it is none',
    run: () => {
      const world = new World(boards, names);
      const entities = entitiesOf(world.host(0));
      same('an entity', isGroup(entities.mint()), false);
      same('a group of programs', isGroup(entities.mintGroup()), true);
      same('a well-known group', isGroup(entities.wellKnownGroup(1)), true);
    },
  },
  {
    name: 'a well-known group is the same on every host, and each number stands for another one',
    run: () => {
      const world = new World(boards, names);
      const groups = world.hosts.map((host) => [1, 2, 3, 10].map((n) => entitiesOf(host).wellKnownGroup(n)));
      const [first = []] = groups;
      for (const others of groups) same('groups', others, first);
      same('different ones', new Set(first).size, 4);
    },
  },
  {
    name: 'an entity is on a host from when it is attached until that is taken back, once',
    run: () => {
      const world = new World(boards, names);
      const host = world.host(0);
      const entities = entitiesOf(host);
      const entity = entities.mint();
      const here: boolean[] = [entities.isHere(entity)];
      const first = new Desk(host, {}, entity);
      here.push(entities.isHere(entity));
      first.leave();
      here.push(entities.isHere(entity));
      const second = new Desk(host, {}, entity);
      first.leave();
      here.push(entities.isHere(entity), entitiesOf(world.host(1)).isHere(entity));
      same('here', here, [false, true, false, true, false]);
      second.leave();
    },
  },
];
