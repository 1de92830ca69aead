/** A question to everybody. */
import { ms, sleep, type Task } from '@backplane/engine';
import { type HostId, KernelError, type Payload, silent } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { type Check, same, within } from '../check.ts';
import { nobodys, nothing, numbered, numberOf, work } from './calls.ts';
import type { Bounds } from './under-test.ts';
import { type Host, World } from './world.ts';

const names = ['asker', 'one', 'two', 'three', 'four'];

type Answerer = (place: number) => Task<Payload | typeof silent>;

/** A world in which each host but the asker answers by its place, from 1. */
function asked(boards: Bounds['boards'], answer: Answerer): World {
  const world = new World(boards, names);
  for (const [place, host] of world.hosts.entries())
    host.setUp((transport) => transport.serve(work, () => answer(place)));
  return world;
}

interface Found {
  readonly from: number[];
  readonly numbers: number[];
  readonly tookNs: number;
}

const ask = (world: World, windowNs: number, enough: number): Found =>
  world.on(world.host(0), function* () {
    const startNs = world.engine.nowNs;
    const answers = yield* world.host(0).transport.ask(work, nothing, { windowNs, enough });
    const sorted = [...answers].sort((a, b) => a.from - b.from);
    return {
      from: sorted.map((a) => world.hosts.findIndex((h: Host) => h.id === a.from)),
      numbers: sorted.map((a) => numberOf(a.reply)),
      tookNs: world.engine.nowNs - startNs,
    };
  });

export const askClauses = ({ boards }: Bounds): readonly Check[] => [
  {
    name: 'a question collects the answers of those who answer, until its window is over',
    run: () => {
      const world = asked(boards, function* (place) {
        return place % 2 === 1 ? numbered(place, 4, 3000) : silent;
      });
      const { from, numbers, tookNs } = ask(world, ms(400), 10);
      same('who answered', from, [1, 3]);
      same('what they answered', numbers, [1, 3]);
      within('milliseconds', tookNs / 1e6, 400, 410);
    },
  },
  {
    name: 'a question ends as soon as enough have answered',
    run: () => {
      const world = asked(boards, function* (place) {
        yield* sleep(ms(20 * place));
        return nothing;
      });
      const { from, tookNs } = ask(world, ms(2000), 2);
      same('who answered', from, [1, 2]);
      within('milliseconds', tookNs / 1e6, 40, 60);
    },
  },
  {
    name: 'a question that nobody answers returns nothing, does not throw, and calls nobody dead',
    run: () => {
      const world = asked(boards, function* () {
        return silent;
      });
      const dead: HostId[] = [];
      world.host(0).transport.peers.onDead(function* (host): Task<void> {
        dead.push(host);
      });
      same('who answered', ask(world, ms(300), 1).from, []);
      const [one] = [world.host(1)];
      const kind = world.on(one, () =>
        kindOf(one.transport.ask(nobodys, nothing, { windowNs: ms(100), enough: 1 })),
      );
      same('a question that nobody serves', kind, 'ok');
      world.after(ms(60_000));
      same('called dead', dead, []);
    },
  },
  {
    name: 'a question goes to every other host and not to its own',
    run: () => {
      const places: number[] = [];
      const world = asked(boards, function* (place) {
        places.push(place);
        return nothing;
      });
      same('who answered', ask(world, ms(300), 10).from, [1, 2, 3, 4]);
      same('who was asked', places.sort(), [1, 2, 3, 4]);
    },
  },
  {
    name: 'neither an error nor silence is an answer',
    run: () => {
      const world = asked(boards, function* (place) {
        if (place === 2) throw new KernelError('permission');
        return place === 3 ? silent : nothing;
      });
      same('who answered', ask(world, ms(300), 10).from, [1, 4]);
    },
  },
  {
    name: 'each host answers once, though questions are lost and repeated',
    run: () => {
      const places: number[] = [];
      const world = asked(boards, function* (place) {
        places.push(place);
        return nothing;
      });
      world.drive(function* () {
        yield* sleep(ms(1));
      });
      let lose = 3;
      world.judge = () => (lose-- > 0 ? 'drop' : { copies: 2, spacingNs: ms(2) });
      const { from } = ask(world, ms(1500), 10);
      same('who answered', from, [1, 2, 3, 4]);
      same('handlers run', places.sort(), [1, 2, 3, 4]);
    },
  },
];
