/** A request that is passed on. */
import { seconds } from '@backplane/engine';
import { MessageFlag, ReplyCode } from '@backplane/slots';
import { pattern } from '@backplane/slots/testing';
import { type Check, holds, same } from '../check.ts';
import { World } from '../transport/world.ts';
import { Desk, entitiesOf, names } from './desk.ts';
import { codeIn, done, isAnswerTo, isUntaken, numbered, numberOf } from './messages.ts';
import type { Bounds } from './under-test.ts';

export const forwardClauses = ({ boards, silenceSeconds, noticeSeconds }: Bounds): readonly Check[] => [
  {
    name: 'a forwarded request is answered by the one to whom it went, wherever both are',
    run: () => {
      for (const [a, b] of [
        [1, 2],
        [1, 1],
        [1, 0],
        [0, 1],
        [0, 0],
      ] as const)
        for (const worksNs of [0, seconds(2)]) {
          const world = new World(boards, names);
          const client = new Desk(world.host(0));
          const last = new Desk(world.host(b), { worksNs });
          const first = new Desk(world.host(a), { worksNs, ends: { forwardTo: last.entity } });
          const asked = numbered(1, { segment: pattern(6000, 1) });
          const { from, message } = client.asks(world, first.entity, asked);
          same(`who answered (${a} to ${b})`, from, last.entity);
          holds('the answer is right', isAnswerTo(asked, message));
          same('who asked', last.requests[0]?.client ?? '', client.entity);
          same('seen', [first.seen, last.seen], [[1], [1]]);
          same('forwarded', first.forwarded, [true]);
        }
    },
  },
  {
    name: 'a request may be changed when it is forwarded',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const last = new Desk(world.host(2));
      const first = new Desk(world.host(1), { worksNs: Infinity });
      const thread = client.host.spawn(client.sending(first.entity, numbered(1)));
      world.after(seconds(1));
      const changed = numbered(99, { segment: pattern(10_000, 9) });
      const [request] = first.requests;
      if (request === undefined) throw new Error('the request was not seen');
      const forwarded = world.on(first.host, () => request.forward(last.entity, changed));
      same('forwarded', forwarded, true);
      const { from, message } = world.drive(() => thread.join());
      same('who answered', from, last.entity);
      holds('the answer is that to the changed request', isAnswerTo(changed, message));
    },
  },
  {
    name: 'a request may be forwarded several times, and also back',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const [a, b, c] = [new Desk(world.host(1)), new Desk(world.host(2)), new Desk(world.host(3))];
      a.manner = { ends: { forwardTo: b.entity } };
      b.manner = { ends: { forwardTo: c.entity } };
      c.manner = { worksNs: Infinity };
      const thread = client.host.spawn(client.sending(a.entity, numbered(1)));
      world.after(seconds(2));
      a.manner = {};
      const [request] = c.requests;
      if (request === undefined) throw new Error('the request was not seen');
      same(
        'forwarded',
        world.on(c.host, () => request.forward(a.entity, request.message)),
        true,
      );
      const { from, message } = world.drive(() => thread.join());
      same('who answered', from, a.entity);
      same('the answer', numberOf(message), 1);
      same('seen', [a.seen, b.seen, c.seen], [[1, 1], [1], [1]]);
    },
  },
  {
    name: 'a request is forwarded fifteen times and no more, and is then still to be answered',
    run: () => {
      for (const i of [1, 2]) {
        const world = new World(boards, names);
        const client = new Desk(world.host(0));
        const [a, b] = [new Desk(world.host(1)), new Desk(world.host(i))];
        a.manner = { ends: { forwardTo: b.entity } };
        b.manner = { ends: { forwardTo: a.entity } };
        same('code', client.code(world, a.entity, numbered(1)), done);
        const forwarded = [...a.forwarded, ...b.forwarded];
        same('forwards', forwarded.filter((was) => was).length, 15);
        same('refused', forwarded.filter((was) => !was).length, 1);
      }
    },
  },
  {
    name: 'a request that came through a group is not forwarded, and is still to be answered',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const group = entitiesOf(world.host(0)).mintGroup();
      const last = new Desk(world.host(2));
      const member = new Desk(world.host(1), { ends: { forwardTo: last.entity } });
      member.join(group);
      same('who answered', client.asks(world, group, numbered(1)).from, member.entity);
      same('forwarded', member.forwarded, [false]);
      same('seen by the other', last.seen, []);
    },
  },
  {
    name: 'a request that is forwarded to nobody ends with why',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const [gone, silent] = [new Desk(world.host(2)), new Desk(world.host(3))];
      gone.leave();
      world.host(3).crash();
      for (const i of [0, 1]) {
        const first = new Desk(world.host(i), { ends: { forwardTo: gone.entity } });
        const response = client.asks(world, first.entity, numbered(1));
        same('to nobody', codeIn(response), ReplyCode.nonexistentEntity);
        same('untaken, though somebody passed it on', isUntaken(response), false);
        first.manner = { ends: { forwardTo: silent.entity } };
        const code = client.code(world, first.entity, numbered(2));
        same('to a silent host', code, ReplyCode.retransmissionTimeout);
      }
    },
  },
  {
    name: 'a request may be forwarded long after it came, and to somebody who takes his time',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const last = new Desk(world.host(2), { worksNs: seconds(2 * silenceSeconds) });
      const first = new Desk(world.host(1), {
        worksNs: seconds(2 * silenceSeconds),
        ends: { forwardTo: last.entity },
      });
      const { from, message } = client.asks(world, first.entity, numbered(1));
      same('who answered', from, last.entity);
      same('the answer', numberOf(message), 1);
      same('seen', [first.seen, last.seen], [[1], [1]]);
    },
  },
  {
    name: 'a client does not wait for ever when the host of the one to whom its request was forwarded dies',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const last = new Desk(world.host(2), { worksNs: Infinity });
      const first = new Desk(world.host(1), { ends: { forwardTo: last.entity } });
      const thread = client.host.spawn(client.sending(first.entity, numbered(1)));
      world.after(seconds(5));
      same('seen', last.seen, [1]);
      world.host(2).crash();
      world.after(seconds(2 * (silenceSeconds + noticeSeconds)));
      same('ended', thread.ended, true);
      const code = codeIn(world.drive(() => thread.join()));
      const codes: readonly number[] = [ReplyCode.retransmissionTimeout, ReplyCode.nonexistentEntity];
      holds(`it failed, with ${code}`, codes.includes(code));
    },
  },
  {
    name: 'a datagram may be forwarded',
    run: () => {
      const world = new World(boards, names);
      const client = new Desk(world.host(0));
      const last = new Desk(world.host(2));
      const first = new Desk(world.host(1), { ends: { forwardTo: last.entity } });
      same('the way is known', client.code(world, first.entity, numbered(1)), done);
      client.asks(world, first.entity, numbered(2, { flags: MessageFlag.datagram }));
      world.after(seconds(silenceSeconds));
      same(
        'seen',
        [first.seen, last.seen],
        [
          [1, 2],
          [1, 2],
        ],
      );
    },
  },
];
