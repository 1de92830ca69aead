import { ms, seconds, sleep, type Task } from '@backplane/engine';
import {
  type EntityId,
  type IpcProcess,
  type Message,
  MessageFlag,
  message,
  ReplyCode,
} from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { code, type Made, World, word, words } from './world.ts';

const many = (more: number = 0, coResident?: EntityId): Message =>
  message({ code: 1, flags: MessageFlag.manyResponses | more, ...(coResident && { coResident }) });

function* all(p: IpcProcess, group: EntityId, request: Message): Task<number[]> {
  const first = yield* p.send(group, request);
  const got = [word(first, 1)];
  for (let next = yield* p.nextReply(seconds(1)); next !== undefined; next = yield* p.nextReply(seconds(1)))
    got.push(word(next, 1));
  return got.toSorted();
}

function setUp(): { w: World; group: EntityId; members: Made[]; client: Made } {
  const w = new World({ hosts: 3 });
  const group = w.host(0).ipc.mintGroup();
  const members = [0, 1, 1, 2].map((host, n) => {
    const made = w.host(host).process(`member ${n}`, function* (p): Task<void> {
      for (;;) {
        const r = yield* p.receive();
        yield* sleep(ms(10 * n));
        yield* p.reply(r, words(0, n));
      }
    });
    made.process.join(group);
    return made;
  });
  return { w, group, members, client: w.host(0).process('client') };
}

describe('a group', () => {
  it('gives the first reply to send and the others to nextReply, from members here and elsewhere', () => {
    const { w, group, client } = setUp();
    expect(w.run(() => all(client.process, group, many()))).toEqual([0, 1, 2, 3]);
  });

  it('has nothing more to give after another send', () => {
    const { w, group, client, members } = setUp();
    w.run(function* () {
      yield* client.process.send(group, many());
      yield* client.process.send(members[0]?.process.id ?? group, words(1));
      expect(yield* client.process.nextReply(seconds(5))).toBeUndefined();
    });
  });

  it('is left by the undo, by death, and is not joined by the dead', () => {
    const { w, group, client, members } = setUp();
    const extra = w.host(2).process('extra');
    const leave = extra.process.join(group);
    leave();
    members[1]?.scope.cancel();
    members[2]?.process.destroy();
    members[2]?.process.join(group);
    w.after(0);
    expect(w.run(() => all(client.process, group, many()))).toEqual([0, 3]);
  });

  it('is silent where a member is not receiving, discards, or dies with the request', () => {
    const { w, group, client } = setUp();
    const bodies: ((p: IpcProcess) => Task<void>)[] = [
      function* () {},
      function* (p) {
        p.discard(yield* p.receive());
      },
      function* (p) {
        yield* p.receive();
        p.destroy();
      },
    ];
    for (const [n, body] of bodies.entries()) w.host(n).process('other', body).process.join(group);
    w.after(ms(1));
    const request = many(MessageFlag.conditional);
    expect(w.run(() => all(client.process, group, request))).toEqual([0, 1, 2, 3]);
  });

  it('is asked beside a process only, and without members is a time-out', () => {
    const { w, group, client, members } = setUp();
    w.run(function* () {
      expect(yield* all(client.process, group, many(0, members[1]?.process.id))).toEqual([1, 2]);
      const nobody = yield* client.process.send(w.host(0).ipc.mintGroup(), words(1));
      expect(code(nobody)).toBe(ReplyCode.retransmissionTimeout);
    });
  });

  it('may be well known', () => {
    const w = new World();
    const server = w.host(1).process('server', function* (p) {
      yield* p.reply(yield* p.receive(), words(0, 6));
    });
    server.process.join(w.host(1).ipc.wellKnownGroup(77));
    const { process } = w.host(0).process('client');
    expect(
      word(
        w.run(() => process.send(w.host(0).ipc.wellKnownGroup(77), words(1))),
        1,
      ),
    ).toBe(6);
  });
});
