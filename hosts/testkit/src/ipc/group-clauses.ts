/** Groups: who gets a copy, which replies the sender gets, and who is left out. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import {
  type EntityId,
  type IpcProcess,
  type Message,
  MessageFlag,
  message,
  ReplyCode,
} from '@backplane/slots';
import { type Check, holds, same, within } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { asked, codeIn, done, type HostName, hosts, type Made, World, wordIn, words, work } from './world.ts';

const toMany = (n = 0): Message => message({ code: work, words: [n], flags: MessageFlag.manyResponses });

/** Replies of a group to one send, sorted by their first word. */
function* replies(p: IpcProcess, group: EntityId, request: Message): Task<number[]> {
  const first = yield* p.send(group, request);
  if (codeIn(first) !== ReplyCode.ok) return [-codeIn(first)];
  const got = [wordIn(first, 1)];
  for (;;) {
    const next = yield* p.nextReply(seconds(5));
    if (next === undefined) return got.toSorted((a, b) => a - b);
    got.push(wordIn(next, 1));
  }
}

/** Members that answer with their number, after it times 20 ms. */
function members(w: World, group: EntityId, on: readonly HostName[]): Made[] {
  return on.map((host, n) => {
    const made = w.process(host, `member ${n}`, function* (p) {
      for (;;) {
        const r = yield* p.receive();
        yield* sleep(ms(20 * n));
        yield* p.reply(r, words(0, n));
      }
    });
    made.process.join(group);
    return made;
  });
}

export const groupClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a message to a group reaches every member, on this host and on others; send brings the first reply, nextReply the others',
    run: () => {
      const w = new World(bounds);
      const group = w.ipc('one').mintGroup();
      const made = members(w, group, ['one', 'two', 'one', 'three', 'two']);
      const client = w.process('one', 'client');
      const ids = new Set(made.map(({ id }) => id));
      w.run(function* () {
        const { process } = client;
        for (let i = 0; i < 3; i++)
          same('members', yield* replies(process, group, toMany()), [0, 1, 2, 3, 4]);
        const response = yield* process.send(group, toMany());
        holds('who answered is a member', ids.has(response.from));
      });
    },
  },
  {
    name: 'nextReply is undefined when nothing comes in that time, and when the last send was to one process',
    run: () => {
      const w = new World(bounds);
      const group = w.ipc('one').mintGroup();
      members(w, group, ['one', 'two']);
      const single = w.server('two', 'single', () => done);
      const { process } = w.process('one', 'client');
      w.run(function* () {
        yield* process.send(group, toMany());
        yield* process.send(single.id, words(work));
        same('after a send to one', (yield* process.nextReply(seconds(2))) === undefined, true);
        same('members', yield* replies(process, group, toMany()), [0, 1]);
        same('afterwards', (yield* process.nextReply(seconds(2))) === undefined, true);
      });
    },
  },
  {
    name: 'replies to a group send that was followed by another are not taken for its',
    run: () => {
      const w = new World(bounds);
      const group = w.ipc('one').mintGroup();
      for (const [n, host] of hosts.entries())
        w.process(host, `member ${n}`, function* (p) {
          for (;;) {
            const r = yield* p.receive();
            yield* sleep(ms(300 * n));
            yield* p.reply(r, words(0, 10 * asked(r) + n));
          }
        }).process.join(group);
      const { process } = w.process('one', 'client');
      w.run(function* () {
        yield* process.send(group, toMany(1));
        same('replies', yield* replies(process, group, toMany(2)), [20, 21, 22]);
      });
    },
  },
  {
    name: 'who has left a group, or has died, gets nothing, and a member joins again',
    run: () => {
      const w = new World(bounds);
      const group = w.ipc('one').mintGroup();
      const made = members(w, group, ['one', 'two', 'two']);
      const extra = w.process('three', 'extra', function* (p) {
        for (;;) yield* p.reply(yield* p.receive(), words(0, 9));
      });
      const leave = extra.process.join(group);
      const { process } = w.process('one', 'client');
      const ask = (): number[] => w.run(() => replies(process, group, toMany()));
      same('members', ask(), [0, 1, 2, 9]);
      leave();
      leave();
      made[1]?.process.destroy();
      same('members', ask(), [0, 2]);
      extra.process.join(group);
      same('members', ask(), [0, 2, 9]);
    },
  },
  {
    name: 'a member that discards is silent, and so is one that is not receiving a conditional message',
    run: () => {
      const w = new World(bounds);
      const group = w.ipc('one').mintGroup();
      for (const [n, host] of (['one', 'two', 'three', 'one', 'two'] as const).entries())
        w.process(host, `member ${n}`, function* (p) {
          if (n > 2) yield* sleep(seconds(100));
          for (;;) {
            const r = yield* p.receive();
            if (n === 0) p.discard(r);
            else yield* p.reply(r, words(0, n));
          }
        }).process.join(group);
      const { process } = w.process('one', 'client');
      w.after(seconds(1));
      const flags = MessageFlag.manyResponses | MessageFlag.conditional;
      same(
        'replies',
        w.run(() => replies(process, group, message({ code: work, flags }))),
        [1, 2],
      );
    },
  },
  {
    name: 'a group without members is retransmissionTimeout',
    run: () => {
      const w = new World(bounds);
      const { process } = w.process('one', 'client');
      const beganNs = w.rig.nowNs;
      const response = w.run(() => process.send(w.ipc('one').mintGroup(), words(work)));
      same('outcome', codeIn(response), ReplyCode.retransmissionTimeout);
      within('seconds', (w.rig.nowNs - beganNs) / 1e9, 0, bounds.silenceSeconds);
    },
  },
  {
    name: 'a datagram to a group reaches its members once, and its sender goes on at once',
    run: () => {
      const w = new World(bounds);
      const group = w.ipc('two').mintGroup();
      const got = [0, 0, 0];
      for (const [n, host] of hosts.entries())
        w.process(host, `member ${n}`, function* (p) {
          for (;;) {
            const r = yield* p.receive();
            got[n] = (got[n] ?? 0) + asked(r);
            p.discard(r);
          }
        }).process.join(group);
      const { process } = w.process('one', 'client');
      w.run(function* () {
        const beganNs = w.rig.nowNs;
        yield* process.send(group, message({ code: work, words: [1], flags: MessageFlag.datagram }));
        within('seconds', (w.rig.nowNs - beganNs) / 1e9, 0, 1);
      });
      w.after(seconds(10));
      same('received', got, [1, 1, 1]);
    },
  },
  {
    name: 'with a co-resident process, or group, only members on its hosts get the message',
    run: () => {
      const w = new World(bounds);
      const [group, beside] = [w.ipc('one').mintGroup(), w.ipc('one').mintGroup()];
      members(w, group, ['one', 'two', 'three', 'two']);
      const [near, far] = [w.process('one', 'near'), w.process('two', 'far')];
      near.process.join(beside);
      w.process('three', 'third').process.join(beside);
      const { process } = w.process('one', 'client');
      const flags = MessageFlag.manyResponses;
      const ask = (coResident: EntityId): number[] =>
        w.run(() => replies(process, group, message({ code: work, flags, coResident })));
      same('beside a process of this host', ask(near.id), [0]);
      same('beside a process of another host', ask(far.id), [1, 3]);
      same('beside a group', ask(beside), [0, 2]);
    },
  },
  {
    name: 'a well-known group is the same on every host, and no two numbers name one',
    run: () => {
      const w = new World(bounds);
      const group = w.ipc('two').wellKnownGroup(41);
      holds('another number, another group', group !== w.ipc('one').wellKnownGroup(42));
      members(w, w.ipc('one').wellKnownGroup(41), ['one', 'two', 'three']);
      const { process } = w.process('one', 'client');
      same(
        'members',
        w.run(() => replies(process, group, toMany())),
        [0, 1, 2],
      );
    },
  },
  {
    name: 'a request that came through a group is not passed on: noPermission, and it is still to be answered',
    run: () => {
      const w = new World(bounds);
      const group = w.ipc('one').mintGroup();
      const other = w.server('three', 'other', () => words(0, 99));
      for (const host of ['one', 'two'] as const)
        w.process(host, 'member', function* (p) {
          for (;;) {
            const r = yield* p.receive();
            yield* p.reply(r, words(0, yield* p.forward(r, other.id, r.message)));
          }
        }).process.join(group);
      const { process } = w.process('one', 'client');
      const { noPermission } = ReplyCode;
      same(
        'codes',
        w.run(() => replies(process, group, toMany())),
        [noPermission, noPermission],
      );
    },
  },
];
