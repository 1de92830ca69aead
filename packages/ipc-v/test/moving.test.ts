import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { type IpcProcess, ReplyCode } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { code, type Host, type Made, moveProcess, World, word, words } from './world.ts';

/** Replies to each request, after a while, with the number that it carries; counts what it has executed. */
function* echo(p: IpcProcess, executed: number[], workNs = ms(50)): Task<void> {
  for (;;) {
    const r = yield* p.receive();
    executed.push(word({ from: r.from, message: r.message }, 1));
    yield* sleep(workNs);
    yield* p.reply(r, words(0, word({ from: r.from, message: r.message }, 1) + 1000));
  }
}

describe('a process that goes to another host', () => {
  it.each([
    ['its old host', 0],
    ['its new host', 1],
    ['a third host', 2],
  ])('answers who asked it before it left, from %s: each once, in line or received', (_, where) => {
    const w = new World({ hosts: 3 });
    const executed: number[] = [];
    const server = w.host(0).process('server', (p) => echo(p, executed));
    const clients = [1, 2, 3, 4].map((n) => {
      const { process, scope } = w.host(where).process(`client ${n}`);
      return scope.spawn('send', process.send(server.process.id, words(1, n)));
    });
    w.after(ms(70)); // one is answered, or nearly so; one received; the others are in line
    expect(moveProcess(server, w.host(0), w.host(1))).toBe(true);
    const replies = w.run(function* () {
      const replies: number[] = [];
      for (const c of clients) replies.push(word(yield* c.join(), 1));
      return replies;
    });
    expect(replies).toEqual([1001, 1002, 1003, 1004]);
    expect(executed.toSorted()).toEqual([1, 2, 3, 4]);
    expect(w.host(1).ipc.find(server.process.id)).toBe(server.process);
    expect(w.host(0).ipc.find(server.process.id)).toBeUndefined();
  });

  it.each([
    ['its old host', 0],
    ['its new host', 1],
    ['a third host', 2],
  ])('gets the reply that it waits for, from a server of %s, which executes its request once', (_, where) => {
    const w = new World({ hosts: 3 });
    const executed: number[] = [];
    const server = w.host(where).process('server', (p) => echo(p, executed));
    const got: number[] = [];
    const client = w.host(0).process('client', function* (p): Task<void> {
      for (const n of [1, 2]) got.push(word(yield* p.send(server.process.id, words(1, n)), 1));
    });
    w.after(ms(20));
    expect(moveProcess(client, w.host(0), w.host(1))).toBe(true);
    w.after(seconds(1));
    expect([got, executed]).toEqual([
      [1001, 1002],
      [1, 2],
    ]);
  });

  it('stays in its groups, and leaves them when it is told to', () => {
    const w = new World({ hosts: 3 });
    const group = w.host(2).ipc.mintGroup();
    const member = w.host(0).process('member', (p) => echo(p, [], 0));
    const leave = member.process.join(group);
    w.after(ms(1));
    moveProcess(member, w.host(0), w.host(1));
    const { process } = w.host(2).process('client');
    expect(w.run(() => process.send(group, words(1, 7))).from).toBe(member.process.id);
    leave();
    expect(code(w.run(() => process.send(group, words(1, 7))))).toBe(ReplyCode.retransmissionTimeout);
  });

  it('lives on when its old host crashes, and dies with its new one', () => {
    const w = new World({ hosts: 3 });
    const server = w.host(0).process('server', (p) => echo(p, [], 0));
    w.after(ms(1));
    moveProcess(server, w.host(0), w.host(1));
    w.host(0).crash();
    const { process } = w.host(2).process('client');
    expect(code(w.run(() => process.send(server.process.id, words(1, 1))))).toBe(0);
    w.host(1).crash();
    expect(code(w.run(() => process.send(server.process.id, words(1, 1))))).not.toBe(0);
  });

  it('goes only when it is frozen', () => {
    const w = new World();
    const { process } = w.host(0).process('free');
    expect(() => w.host(0).ipc.extract(process.id)).toThrow('not frozen');
  });

  it('is announced where it arrives', () => {
    const w = new World();
    const seen: string[] = [];
    w.host(1).ipc.onArrival((p) => seen.push(p.id));
    const made = w.host(0).process('p');
    moveProcess(made, w.host(0), w.host(1));
    expect(seen).toEqual([made.process.id]);
  });
});

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('processes that ask each other and wander (seed %i)', (seed) => {
  it('execute each request once, and each gets its own reply', () => {
    const w = new World({ hosts: 3, seed });
    const random = w.engine.random('wander');
    const executed: number[] = [];
    const servers = [0, 1, 2].map((h) => w.host(h).process(`server ${h}`, (p) => echo(p, executed, ms(3))));
    const wrong: string[] = [];
    let done = 0;
    const clients = [0, 1, 2, 3].map((c) =>
      w.host(c % 3).process(`client ${c}`, function* (p): Task<void> {
        for (let i = 0; i < 40; i++) {
          const n = c * 100 + i;
          const to = servers[random.below(3)] as Made;
          const reply = yield* p.send(to.process.id, words(1, n));
          if (code(reply) !== 0 || word(reply, 1) !== n + 1000)
            wrong.push(`${n}: ${code(reply)} ${word(reply, 1)}`);
          done++;
        }
      }),
    );
    const at = new Map<Made, Host>([...servers, ...clients].map((m, i) => [m, w.host(i % 3)]));
    clients.forEach((m, c) => void at.set(m, w.host(c % 3)));
    for (let i = 0; i < 60; i++) {
      w.after(ms(5 + random.below(20)));
      const made = random.pick([...at.keys()]);
      const from = at.get(made) as Host;
      const to = w.host(random.below(3));
      if (from === to || from.ipc.find(made.process.id) === undefined) continue;
      if (moveProcess(made, from, to)) at.set(made, to);
    }
    w.after(seconds(60));
    expect(wrong).toEqual([]);
    expect(done).toBe(160);
    expect(executed.length).toBe(160);
    expect(new Set(executed).size).toBe(160);
  });
});
