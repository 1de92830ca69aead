/** Hosts that die while something is under way. */
import { seconds } from '@backplane/engine';
import { MessageFlag, ReplyCode } from '@backplane/slots';
import { type Check, holds, same } from '../check.ts';
import { World } from '../transport/world.ts';
import { Desk, entitiesOf, names } from './desk.ts';
import { codeIn, done, isUntaken, numbered } from './messages.ts';
import type { Bounds } from './under-test.ts';

export const deathClauses = ({ boards, silenceSeconds, noticeSeconds }: Bounds): readonly Check[] => [
  {
    name: "the death of a server's host ends what it worked on with retransmissionTimeout",
    run: () => {
      for (const afterSeconds of [0.05, 3, 100]) {
        const world = new World(boards, names);
        const client = new Desk(world.host(0));
        const server = new Desk(world.host(1), { worksNs: Infinity });
        const thread = client.host.spawn(client.sending(server.entity, numbered(1)));
        world.after(seconds(afterSeconds));
        same('seen', server.seen, [1]);
        world.host(1).crash();
        world.after(seconds(silenceSeconds + noticeSeconds));
        same('ended', thread.ended, true);
        const response = world.drive(() => thread.join());
        same('code', codeIn(response), ReplyCode.retransmissionTimeout);
        same('untaken', isUntaken(response), false);
      }
    },
  },
  {
    name: "the reboot of a server's host ends what it worked on, and its next life sees nothing of it",
    run: () => {
      for (const afterSeconds of [0.05, 3]) {
        const world = new World(boards, names);
        const client = new Desk(world.host(0));
        const server = new Desk(world.host(1), { worksNs: Infinity });
        const thread = client.host.spawn(client.sending(server.entity, numbered(1)));
        world.after(seconds(afterSeconds));
        world.host(1).reboot();
        world.drive(function* () {});
        const next = new Desk(world.host(1));
        world.after(seconds(silenceSeconds + noticeSeconds));
        same('ended', thread.ended, true);
        const response = world.drive(() => thread.join());
        const codes: readonly number[] = [ReplyCode.retransmissionTimeout, ReplyCode.nonexistentEntity];
        holds(`it failed, with ${codeIn(response)}`, codes.includes(codeIn(response)));
        same('untaken', isUntaken(response), false);
        same('one of the next life', client.code(world, next.entity, numbered(2)), done);
        same('seen', [server.seen, next.seen], [[1], [2]]);
      }
    },
  },
  {
    name: "the death of a client's host abandons what its clients have asked",
    run: () => {
      for (const comesBack of [false, true]) {
        const world = new World(boards, names);
        const client = new Desk(world.host(0));
        const server = new Desk(world.host(1), { worksNs: Infinity });
        client.host.spawn(client.sending(server.entity, numbered(1)));
        world.after(seconds(3));
        same('abandoned before', server.requests[0]?.abandoned ?? null, false);
        world.host(0).crash();
        if (comesBack) {
          world.host(0).boot();
          world.drive(function* () {});
        }
        world.after(seconds(2 * silenceSeconds + noticeSeconds));
        same('abandoned', server.requests[0]?.abandoned ?? null, true);
        same('told', server.told, [1]);
        server.answer(0);
        world.after(seconds(silenceSeconds));
        const other = new Desk(world.host(2));
        same('the server goes on', server.manner.worksNs ?? 0, Infinity);
        server.manner = {};
        same('for others', other.code(world, server.entity, numbered(2)), done);
      }
    },
  },
  {
    name: 'a response to a host that is down does not hold up the server',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const server = new Desk(world.host(1), { worksNs: Infinity });
      client.host.spawn(client.sending(server.entity, numbered(1)));
      world.after(seconds(1));
      world.host(0).crash();
      const [request] = server.requests;
      if (request === undefined) throw new Error('the request was not seen');
      server.manner = {};
      const startNs = world.engine.nowNs;
      world.on(server.host, () => request.respond(numbered(1)));
      holds('it is on its way within a second', world.engine.nowNs - startNs < seconds(1));
      const other = new Desk(world.host(2));
      same('for others', other.code(world, server.entity, numbered(2)), done);
    },
  },
  {
    name: 'a short partition costs nothing but time',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const server = new Desk(world.host(1), { worksNs: seconds(1) });
      same('before', client.code(world, server.entity, numbered(1)), done);
      const thread = client.host.spawn(client.sending(server.entity, numbered(2)));
      world.after(seconds(0.6));
      // The response is made while nobody hears it.
      world.cut(world.host(0), world.host(1));
      world.after(seconds(0.6));
      world.mend();
      world.after(seconds(silenceSeconds + noticeSeconds));
      same('ended', thread.ended, true);
      same('code', codeIn(world.drive(() => thread.join())), done);
      same('seen', server.seen, [1, 2]);
    },
  },
  {
    name: 'the death of a member is no matter for the others of its group',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const group = entitiesOf(world.host(0)).mintGroup();
      const [dead, lives] = [new Desk(world.host(1)), new Desk(world.host(2))];
      for (const member of [dead, lives]) member.join(group);
      client.asks(world, group, numbered(1, { flags: MessageFlag.manyResponses }));
      world.after(seconds(5));
      world.host(1).crash();
      const { from } = client.asks(world, group, numbered(2));
      same('who answers', from, lives.entity);
      same('seen', [dead.seen, lives.seen], [[1], [1, 2]]);
    },
  },
];
