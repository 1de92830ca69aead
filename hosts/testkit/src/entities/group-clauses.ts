/** Requests to groups: whom they reach, and which responses come back. */
import { ms, seconds } from '@backplane/engine';
import { type EntityId, MessageFlag, ReplyCode, segmentBytesMax } from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { type Check, holds, same, within } from '../check.ts';
import { World } from '../transport/world.ts';
import { Desk, entitiesOf, type Manner, names } from './desk.ts';
import { codeIn, done, isAnswerTo, numbered, numberOf } from './messages.ts';
import type { Bounds } from './under-test.ts';

const many = MessageFlag.manyResponses;

/** A client on the first host, and members of a group on these hosts. */
class Club {
  readonly world: World;
  readonly client: Desk;
  readonly group: EntityId;
  readonly members: readonly Desk[];

  constructor(boards: Bounds['boards'], hosts: readonly number[], manner: Manner = {}, wellKnown = false) {
    this.world = new World(boards, names);
    this.world.drive(function* () {});
    this.client = new Desk(this.world.host(0));
    const entities = entitiesOf(this.world.host(0));
    this.group = wellKnown ? entities.wellKnownGroup(7) : entities.mintGroup();
    this.members = hosts.map((i) => new Desk(this.world.host(i), manner));
    for (const member of this.members) member.join(this.group);
  }

  member(i: number): Desk {
    const member = this.members[i];
    if (member === undefined) throw new Error(`no member ${i}`);
    return member;
  }

  get seen(): number[][] {
    return this.members.map(({ seen }) => [...seen]);
  }

  /** The responses that are there within a time, by place of the member in the list; -1 for anybody else. */
  further(waitNs: number): number[] {
    const found: number[] = [];
    for (;;) {
      const from = this.client.next(this.world, waitNs);
      if (from === null) return found;
      found.push(this.members.findIndex(({ entity }) => entity === from));
    }
  }
}

export const groupClauses = ({ boards, silenceSeconds }: Bounds): readonly Check[] => [
  {
    name: "a request to a group reaches every member once, on every host and on the client's own",
    run: () => {
      for (const wellKnown of [false, true]) {
        const club = new Club(boards, [0, 0, 1, 2, 2, 3], {}, wellKnown);
        const asked = numbered(1, { segment: pattern(900, 1), flags: many });
        const { message } = club.client.asks(club.world, club.group, asked);
        holds('the answer is right', isAnswerTo(asked, message));
        club.world.after(seconds(silenceSeconds));
        same('seen', club.seen, Array(6).fill([1]));
        const request = club.member(3).requests[0];
        same('to', request?.to ?? '', club.group);
        same('client', request?.client ?? '', club.client.entity);
      }
    },
  },
  {
    name: 'the first response ends a group request; further ones come one by one, in the order in which they are made',
    run: () => {
      const club = new Club(boards, [1, 2, 3, 0]);
      for (const [i, member] of club.members.entries()) member.manner = { worksNs: ms(300 * (4 - i)) };
      const asked = numbered(1, { flags: many });
      const first = club.client.asks(club.world, club.group, asked);
      same('the first', first.from, club.member(3).entity);
      holds('its answer', isAnswerTo(asked, first.message));
      same('further ones', club.further(seconds(2)), [2, 1, 0]);
    },
  },
  {
    name: 'a further response is waited for as long as was said, and kept when it comes in between',
    run: () => {
      const club = new Club(boards, [1, 2]);
      club.member(1).manner = { worksNs: seconds(3) };
      club.client.asks(club.world, club.group, numbered(1, { flags: many }));
      const startNs = club.world.engine.nowNs;
      same('within a second', club.client.next(club.world, seconds(1)), null);
      within('seconds', (club.world.engine.nowNs - startNs) / 1e9, 1, 1.01);
      club.world.after(seconds(10));
      same('then', club.client.next(club.world, 0), club.member(1).entity);
      same('and no more', club.client.next(club.world, seconds(1)), null);
    },
  },
  {
    name: 'further responses are dropped when the client begins another transaction',
    run: () => {
      const club = new Club(boards, [1, 2]);
      club.member(1).manner = { worksNs: seconds(2) };
      const other = new Desk(club.world.host(3));
      club.client.asks(club.world, club.group, numbered(1, { flags: many }));
      same('another', club.client.code(club.world, other.entity, numbered(2)), done);
      club.world.after(seconds(10));
      same('further ones', club.further(seconds(1)), []);
      // Nor does one come as a response to a group request that follows.
      club.member(1).manner = { worksNs: Infinity };
      const next = club.client.asks(club.world, club.group, numbered(3, { flags: many }));
      same('the next group request', numberOf(next.message), 3);
    },
  },
  {
    name: 'a response to an earlier group request is none to a later one',
    run: () => {
      const club = new Club(boards, [1, 2], { worksNs: Infinity });
      const limit = { timeoutNs: seconds(2) };
      for (const n of [1, 2]) {
        const code = club.client.code(club.world, club.group, numbered(n, { flags: many }), limit);
        same('nobody answers', code, ReplyCode.userTimeout);
      }
      const thread = club.client.host.spawn(club.client.sending(club.group, numbered(3, { flags: many })));
      club.world.after(seconds(1));
      club.member(0).answer(0);
      club.member(1).answer(1);
      club.world.after(seconds(2));
      same('answered by one of those', thread.ended, false);
      club.member(1).answer(2);
      same('the answer', numberOf(club.world.drive(() => thread.join()).message), 3);
    },
  },
  {
    name: 'a group without members is retransmissionTimeout',
    run: () => {
      const club = new Club(boards, []);
      const entities = entitiesOf(club.world.host(0));
      for (const group of [
        club.group,
        entities.wellKnownGroup(9),
        entitiesOf(club.world.host(1)).mintGroup(),
      ]) {
        const startNs = club.world.engine.nowNs;
        const response = club.client.asks(club.world, group, numbered(1));
        same('code', codeIn(response), ReplyCode.retransmissionTimeout);
        same('who was asked', response.from, group);
        within('seconds', (club.world.engine.nowNs - startNs) / 1e9, 0, silenceSeconds);
      }
    },
  },
  {
    name: 'who has left a group is not reached: by the undo of its join, or because it was detached',
    run: () => {
      const club = new Club(boards, [1, 1, 2]);
      const [again, once] = [new Desk(club.world.host(1)), new Desk(club.world.host(2))];
      const [undoAgain, undoOnce] = [again.join(club.group), once.join(club.group)];
      undoOnce();
      undoAgain();
      again.join(club.group);
      undoAgain();
      club.member(1).leave();
      club.client.asks(club.world, club.group, numbered(1, { flags: many }));
      club.world.after(seconds(silenceSeconds));
      same('seen', club.seen, [[1], [], [1]]);
      same('by one that left', once.seen, []);
      same('by one that joined again', again.seen, [1]);
    },
  },
  {
    name: 'an entity may be a member of several groups, and still be asked alone',
    run: () => {
      const club = new Club(boards, [0, 1]);
      const second = entitiesOf(club.world.host(2)).mintGroup();
      for (const member of club.members) member.join(second);
      club.client.asks(club.world, club.group, numbered(1, { flags: many }));
      club.world.after(seconds(5));
      club.client.asks(club.world, second, numbered(2, { flags: many }));
      club.world.after(seconds(5));
      for (const member of club.members)
        same('alone', club.client.code(club.world, member.entity, numbered(3)), done);
      same('seen', club.seen, [
        [1, 2, 3],
        [1, 2, 3],
      ]);
      same(
        'through',
        club.member(1).requests.map(({ to }) => to),
        [club.group, second, club.member(1).entity],
      );
    },
  },
  {
    name: 'a request to a group brings the longest segment, and so do its responses',
    run: () => {
      const club = new Club(boards, [0, 1, 2]);
      const segment = pattern(segmentBytesMax, 3);
      const asked = numbered(1, { segment, flags: many });
      const { message } = club.client.asks(club.world, club.group, asked);
      holds('the answer is right', isAnswerTo(asked, message));
      same('further ones', club.further(seconds(5)).length, 2);
      for (const { requests } of club.members) {
        same('seen', requests.length, 1);
        holds('the segment arrived', sameBytes(requests[0]?.message.segment ?? pattern(0, 1), segment));
      }
    },
  },
  {
    name: 'a request to a group waits for a member that works on it, and is seen by it once',
    run: () => {
      for (const i of [0, 1]) {
        const club = new Club(boards, [i], { worksNs: seconds(20) });
        same('code', club.client.code(club.world, club.group, numbered(1)), done);
        same('seen', club.seen, [[1]]);
      }
    },
  },
  {
    name: "the client's own limit ends a request to a group with userTimeout",
    run: () => {
      const club = new Club(boards, [1, 0], { worksNs: Infinity });
      const startNs = club.world.engine.nowNs;
      const code = club.client.code(club.world, club.group, numbered(1), { timeoutNs: ms(1500) });
      same('code', code, ReplyCode.userTimeout);
      within('seconds', (club.world.engine.nowNs - startNs) / 1e9, 1.49, 2.5);
    },
  },
  {
    name: 'of a conditional request to a group, members that do not wait are silent',
    run: () => {
      const club = new Club(boards, [1, 2, 0], { delivery: 'notAwaiting' });
      const flags = MessageFlag.conditional | many;
      const nobody = club.client.code(club.world, club.group, numbered(1, { flags }));
      same('nobody waits', nobody, ReplyCode.retransmissionTimeout);
      club.member(1).manner = {};
      const { from } = club.client.asks(club.world, club.group, numbered(2, { flags }));
      same('one waits', from, club.member(1).entity);
      same('further ones', club.further(seconds(2)), []);
    },
  },
  {
    name: 'of a request to a group, members that discard it are silent',
    run: () => {
      const club = new Club(boards, [1, 2, 0], { ends: 'discard' });
      club.member(1).manner = { worksNs: seconds(1) };
      const { from, message } = club.client.asks(club.world, club.group, numbered(1, { flags: many }));
      same('who answers', from, club.member(1).entity);
      holds('the answer is right', isAnswerTo(numbered(1), message));
      same('further ones', club.further(seconds(2)), []);
      club.member(1).manner = { ends: 'discard' };
      const code = club.client.code(club.world, club.group, numbered(2));
      same('when all discard it', code, ReplyCode.retransmissionTimeout);
    },
  },
  {
    name: 'a busy member does not keep the others from answering, and is asked again while nobody does',
    run: () => {
      const club = new Club(boards, [1, 2], { delivery: 'busy' });
      club.member(1).manner = {};
      const first = club.client.asks(club.world, club.group, numbered(1));
      same('who answers', first.from, club.member(1).entity);
      club.member(1).leave();
      const thread = club.client.host.spawn(club.client.sending(club.group, numbered(2)));
      club.world.after(ms(300));
      club.member(0).manner = {};
      const { from } = club.world.drive(() => thread.join());
      same('who answers then', from, club.member(0).entity);
      same('seen', club.member(0).seen, [2]);
    },
  },
  {
    name: 'a datagram to a group returns at once and is seen once by each member',
    run: () => {
      const club = new Club(boards, [0, 1, 2, 2]);
      for (const n of [1, 2]) {
        const startNs = club.world.engine.nowNs;
        const asked = numbered(n, { flags: MessageFlag.datagram, segment: pattern(700, n) });
        club.client.asks(club.world, club.group, asked);
        within('milliseconds', (club.world.engine.nowNs - startNs) / 1e6, 0, 5);
        club.world.after(seconds(silenceSeconds));
      }
      same('seen', club.seen, Array(4).fill([1, 2]));
      same('responses', club.further(0), []);
    },
  },
];
