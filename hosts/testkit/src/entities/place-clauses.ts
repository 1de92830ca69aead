/** Where an entity is, and what a client hears when it is nowhere. */
import { ms, seconds } from '@backplane/engine';
import { type EntityId, type Probed, ReplyCode } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { type Check, holds, same, within } from '../check.ts';
import { type Host, World } from '../transport/world.ts';
import { Desk, entitiesOf, names } from './desk.ts';
import { codeIn, done, isAnswerTo, isUntaken, numbered } from './messages.ts';
import type { Bounds } from './under-test.ts';

const probe = (world: World, host: Host, entity: EntityId): Probed =>
  world.on(host, () => entitiesOf(host).probe(entity));

export const placeClauses = ({ boards, silenceSeconds, noticeSeconds }: Bounds): readonly Check[] => [
  {
    name: 'an entity that is not where it was, and nowhere else, is nonexistentEntity: a living host says so, and nobody has had the request',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      for (const i of [0, 1]) {
        const server = new Desk(world.host(i));
        same('while it is there', client.code(world, server.entity, numbered(1)), done);
        server.leave();
        const startNs = world.engine.nowNs;
        const response = client.asks(world, server.entity, numbered(2));
        same('code', codeIn(response), ReplyCode.nonexistentEntity);
        same('who was asked', response.from, server.entity);
        same('untaken', isUntaken(response), true);
        within('seconds', (world.engine.nowNs - startNs) / 1e9, 0, silenceSeconds);
        const never = entitiesOf(world.host(i)).mint();
        const nobodys = client.asks(world, never, numbered(3));
        same('one that never was', codeIn(nobodys), ReplyCode.nonexistentEntity);
        same('untaken', isUntaken(nobodys), true);
      }
    },
  },
  {
    name: 'an entity of a host that is silent is retransmissionTimeout, and never nonexistentEntity',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const [known, unknown] = [new Desk(world.host(1)), new Desk(world.host(1))];
      same('at first', client.code(world, known.entity, numbered(1)), done);
      world.host(1).crash();
      for (const to of [known, unknown, known, unknown]) {
        const startNs = world.engine.nowNs;
        const response = client.asks(world, to.entity, numbered(2));
        same('code', codeIn(response), ReplyCode.retransmissionTimeout);
        within('seconds', (world.engine.nowNs - startNs) / 1e9, 0, silenceSeconds);
      }
    },
  },
  {
    name: 'a partition is silence, and its end is the end of that',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const server = new Desk(world.host(1));
      same('before', client.code(world, server.entity, numbered(1)), done);
      world.cut(world.host(0), world.host(1));
      const code = client.code(world, server.entity, numbered(2));
      same('meanwhile', code, ReplyCode.retransmissionTimeout);
      world.mend();
      world.after(seconds(silenceSeconds + noticeSeconds));
      same('afterwards', client.code(world, server.entity, numbered(3)), done);
      same('seen', server.seen, [1, 3]);
    },
  },
  {
    name: 'the entities of a former life do not exist in the next one',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const server = new Desk(world.host(1));
      same('at first', client.code(world, server.entity, numbered(1)), done);
      world.host(1).reboot();
      world.drive(function* () {});
      world.after(seconds(noticeSeconds));
      same('code', client.code(world, server.entity, numbered(2)), ReplyCode.nonexistentEntity);
      const next = new Desk(world.host(1));
      same('one of the next life', client.code(world, next.entity, numbered(3)), done);
    },
  },
  {
    name: 'an entity that has moved keeps its number, and everybody finds it',
    run: () => {
      const world = new World(boards, names);
      const clients = world.hosts.map((host) => new Desk(host));
      const entity = entitiesOf(world.host(1)).mint();
      let server = new Desk(world.host(1), {}, entity);
      let n = 0;
      for (const to of [2, 3, 1, 0, 2]) {
        for (const client of clients) {
          const asked = numbered(++n, { segment: pattern(2000, n) });
          const { from, message } = client.asks(world, entity, asked);
          same('who answered', from, entity);
          holds(`answer ${n} is right`, isAnswerTo(asked, message));
        }
        same('seen where it is', server.seen.length, clients.length);
        server.leave();
        server = new Desk(world.host(to), {}, entity);
      }
    },
  },
  {
    name: 'an entity that was never where it was minted is found',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      for (const [minted, placed] of [
        [1, 2],
        [0, 1],
        [1, 0],
      ] as const) {
        const entity = entitiesOf(world.host(minted)).mint();
        const server = new Desk(world.host(placed), {}, entity);
        same('code', client.code(world, entity, numbered(1)), done);
        same('seen', server.seen, [1]);
      }
    },
  },
  {
    name: 'a request that waits for a frozen entity reaches it where it has moved',
    run: () => {
      for (const [from, to] of [
        [1, 2],
        [1, 0],
        [0, 1],
      ] as const) {
        const world = new World(boards, names);
        const client = new Desk(world.host(0));
        const old = new Desk(world.host(from));
        same('before', client.code(world, old.entity, numbered(1)), done);
        old.manner = { delivery: 'frozen' };
        const thread = client.host.spawn(client.sending(old.entity, numbered(2)));
        world.after(seconds(5));
        same('ended while it is moved', thread.ended, false);
        const moved = new Desk(world.host(to), {}, old.entity);
        old.leave();
        world.after(seconds(silenceSeconds + noticeSeconds));
        same('ended', thread.ended, true);
        same('code', codeIn(world.drive(() => thread.join())), done);
        same('seen', [old.seen, moved.seen], [[1], [2]]);
      }
    },
  },
  {
    name: 'a probe finds an entity that is here, there, or has moved',
    run: () => {
      const world = new World(boards, names);
      const here = world.host(0);
      const moved = new Desk(world.host(2), {}, entitiesOf(world.host(1)).mint());
      for (const { entity } of [new Desk(here), new Desk(world.host(1)), moved])
        same('probed', probe(world, here, entity), 'here');
    },
  },
  {
    name: 'a probe tells an entity that a living host does not know from one whose host is silent',
    run: () => {
      const world = new World(boards, names);
      const here = world.host(0);
      const [own, gone, silent] = [new Desk(here), new Desk(world.host(1)), new Desk(world.host(2))];
      same('before', probe(world, here, silent.entity), 'here');
      own.leave();
      gone.leave();
      world.host(2).crash();
      same('detached here', probe(world, here, own.entity), 'nonexistent');
      same('detached there', probe(world, here, gone.entity), 'nonexistent');
      const startNs = world.engine.nowNs;
      same('on a silent host', probe(world, here, silent.entity), 'noAnswer');
      within('seconds', (world.engine.nowNs - startNs) / 1e9, 0, silenceSeconds);
      same('on a silent host, once more', probe(world, here, silent.entity), 'noAnswer');
    },
  },
  {
    name: 'a probe does not reach the service, and finds an entity that is busy or frozen',
    run: () => {
      const world = new World(boards, names);
      const here = world.host(0);
      const server = new Desk(world.host(1), { delivery: 'frozen' });
      same('frozen', probe(world, here, server.entity), 'here');
      server.manner = { delivery: 'busy' };
      same('busy', probe(world, here, server.entity), 'here');
      server.manner = { worksNs: ms(1) };
      same('at work', probe(world, here, server.entity), 'here');
      same('seen', server.seen, []);
    },
  },
];
