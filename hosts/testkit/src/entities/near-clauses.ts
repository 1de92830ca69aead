/** Requests to those members of a group that share a host with somebody. */
import { seconds } from '@backplane/engine';
import { type EntityId, MessageFlag } from '@backplane/slots';
import { type Check, same } from '../check.ts';
import { World } from '../transport/world.ts';
import { Desk, entitiesOf, names } from './desk.ts';
import { codeIn, done, numbered } from './messages.ts';
import type { Bounds } from './under-test.ts';

/** A client on the first host, and one member of a group on each host, two on the second. */
class Manor {
  readonly world: World;
  readonly client: Desk;
  readonly group: EntityId;
  readonly members: readonly Desk[];

  constructor(boards: Bounds['boards']) {
    this.world = new World(boards, names);
    this.world.drive(function* () {});
    this.client = new Desk(this.world.host(0));
    this.group = entitiesOf(this.world.host(0)).mintGroup();
    this.members = [0, 1, 1, 2, 3].map((i) => new Desk(this.world.host(i)));
    for (const member of this.members) member.join(this.group);
  }

  /** Members that see a request to those near an entity or a group. */
  reached(number: number, coResident: EntityId, flags: number = MessageFlag.manyResponses): number[] {
    const asked = numbered(number, { coResident, flags });
    const response = this.client.asks(this.world, this.group, asked);
    if ((flags & MessageFlag.datagram) === 0) same(`code of ${number}`, codeIn(response), done);
    this.world.after(seconds(10));
    return this.members.flatMap(({ seen }, i) => seen.filter((n) => n === number).map(() => i));
  }
}

export const nearClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'with coResident, only members on the host of that entity see the request, once',
    run: () => {
      const manor = new Manor(boards);
      for (const [host, reached] of [
        [1, [1, 2]],
        [0, [0]],
        [3, [4]],
      ] as const) {
        const { entity } = new Desk(manor.world.host(host));
        same(`near one on host ${host}`, manor.reached(host, entity), [...reached]);
      }
    },
  },
  {
    name: 'with coResident, an entity that has moved is followed',
    run: () => {
      const manor = new Manor(boards);
      let near = new Desk(manor.world.host(1));
      same('where it was', manor.reached(1, near.entity), [1, 2]);
      for (const [n, host, reached] of [
        [2, 2, [3]],
        [3, 0, [0]],
        [4, 3, [4]],
      ] as const) {
        near.leave();
        near = new Desk(manor.world.host(host), {}, near.entity);
        same(`on host ${host}`, manor.reached(n, near.entity), [...reached]);
      }
    },
  },
  {
    name: 'with coResident and a group, only members on the hosts of its members see the request, once',
    run: () => {
      const manor = new Manor(boards);
      const others = entitiesOf(manor.world.host(2)).mintGroup();
      for (const host of [1, 3]) new Desk(manor.world.host(host)).join(others);
      same('elsewhere', manor.reached(1, others), [1, 2, 4]);
      const leave = new Desk(manor.world.host(0)).join(others);
      same('here, too', manor.reached(2, others), [0, 1, 2, 4]);
      leave();
      same('no longer here', manor.reached(3, others), [1, 2, 4]);
    },
  },
  {
    name: 'with coResident, a datagram reaches the same members',
    run: () => {
      const manor = new Manor(boards);
      for (const [host, reached] of [
        [1, [1, 2]],
        [0, [0]],
      ] as const) {
        const { entity } = new Desk(manor.world.host(host));
        manor.client.asks(manor.world, entity, numbered(10));
        same(`near one on host ${host}`, manor.reached(host, entity, MessageFlag.datagram), [...reached]);
      }
    },
  },
  {
    name: 'with coResident and no member on its host, the request fails, and is seen by nobody',
    run: () => {
      const manor = new Manor(boards);
      const near = new Desk(manor.world.host(2));
      manor.members[3]?.leave();
      const asked = numbered(1, { coResident: near.entity });
      const code = manor.client.code(manor.world, manor.group, asked, { timeoutNs: seconds(600) });
      same('it is done', code === done, false);
      same(
        'seen',
        manor.members.map(({ seen }) => seen.length),
        [0, 0, 0, 0, 0],
      );
    },
  },
];
