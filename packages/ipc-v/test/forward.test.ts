import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { MessageFlag, message, ReplyCode } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { code, type Made, World, word, words } from './world.ts';

/** Hosts of the client, of who forwards, and of who answers. */
const routes = [
  [0, 0, 0],
  [0, 0, 1],
  [0, 1, 1],
  [0, 1, 0],
  [0, 1, 2],
] as const;

const forwards = (w: World, host: number, to: () => Made, codes: number[]): Made =>
  w.host(host).process('forwards', function* (p): Task<void> {
    for (;;) {
      const r = yield* p.receive();
      codes.push(yield* p.forward(r, to().process.id, words(2, word(r, 1) + 1)));
    }
  });

describe.each(routes)('forward, hosts %i over %i to %i', (a, b, c) => {
  it('makes the sender wait for the next server, which may pass it on again', () => {
    const w = new World({ hosts: 3 });
    const codes: number[] = [];
    const last = w.host(c).process('last', function* (p) {
      const r = yield* p.receive();
      expect(r).toMatchObject({ from: client.process.id, to: p.id });
      yield* sleep(ms(50));
      yield* p.reply(r, words(0, word(r, 1)));
    });
    const middle = forwards(w, c, () => last, codes);
    const first = forwards(w, b, () => middle, codes);
    const client = w.host(a).process('client');
    const response = w.run(() => client.process.send(first.process.id, words(1, 10)));
    expect([code(response), word(response, 1), response.from]).toEqual([0, 12, last.process.id]);
    expect(codes).toEqual([0, 0]);
  });

  it('is nonexistentEntity for the sender when there is nobody, and may be refused as not awaiting', () => {
    const w = new World({ hosts: 3 });
    const gone = w.host(c).process('gone');
    gone.process.destroy();
    const busy = w.host(c).process('busy');
    const codes: number[] = [];
    const { process } = w.host(a).process('client');
    const answers = w.host(b).process('answers', function* (p) {
      for (const to of [gone, busy]) {
        const flags = to === busy ? MessageFlag.conditional : 0;
        codes.push(yield* p.forward(yield* p.receive(), to.process.id, message({ code: 1, flags })));
      }
    });
    w.run(function* () {
      const outcome = code(yield* process.send(answers.process.id, words(1)));
      expect(outcome).toBe(ReplyCode.nonexistentEntity);
      const refused = code(yield* process.send(answers.process.id, words(1)));
      expect(refused).toBe(ReplyCode.notAwaitingMessage);
    });
    expect(codes).toEqual([0, 0]);
  });

  it('loses a forwarded request with its sender, at its time limit, and with who has it now', () => {
    const w = new World({ hosts: 3 });
    const got: number[] = [];
    const last = w.host(c).process('last', function* (p) {
      yield* sleep(seconds(1));
      for (;;) {
        got.push(word(yield* p.receive(), 1));
        yield* sleep(ms(100));
      }
    });
    const first = forwards(w, b, () => last, []);
    const [dies, times, waits] = ['dies', 'times', 'waits'].map((name) => w.host(a).process(name));
    if (dies === undefined || times === undefined || waits === undefined) return;
    dies.scope.spawn('send', dies.process.send(first.process.id, words(1, 10)));
    const limited = times.process.send(first.process.id, words(1, 20), { timeoutNs: ms(300) });
    const late = times.scope.spawn('send', limited);
    const lost = waits.scope.spawn('send', waits.process.send(first.process.id, words(1, 30)));
    w.after(ms(200));
    dies.scope.crash();
    w.after(ms(1200));
    last.process.destroy();
    w.run(function* () {
      expect(code(yield* late.join())).toBe(ReplyCode.userTimeout);
      expect(code(yield* lost.join())).toBe(ReplyCode.nonexistentEntity);
    });
    expect(got).toEqual([31]);
  });
});

describe('forward', () => {
  it('is refused the sixteenth time, and the request is still to be answered', () => {
    for (const hosts of [
      [0, 0],
      [1, 1],
      [1, 2],
    ] as const) {
      const w = new World({ hosts: 3 });
      let count = 0;
      const servers: Made[] = hosts.map((host, n) =>
        w.host(host).process(`server ${n}`, function* (p): Task<void> {
          for (;;) {
            const r = yield* p.receive();
            const outcome = yield* p.forward(r, servers[1 - n]?.process.id ?? p.id, r.message);
            if (outcome === 0) count++;
            else expect([outcome, yield* p.reply(r, words(0, 5))]).toEqual([ReplyCode.noPermission, 0]);
          }
        }),
      );
      const { process } = w.host(0).process('client');
      const response = w.run(() => process.send(servers[0]?.process.id ?? process.id, words(1)));
      expect([word(response, 1), count]).toEqual([5, 15]);
    }
  });

  it('goes to one process, not to a group, and not for what came through a group', () => {
    const w = new World();
    const group = w.host(0).ipc.mintGroup();
    const codes: number[] = [];
    const server = w.host(0).process('server', function* (p): Task<void> {
      for (;;) {
        const r = yield* p.receive();
        codes.push(
          yield* p.forward(r, word(r, 1) === 1 ? group : p.id, r.message),
          yield* p.reply(r, words(0)),
        );
      }
    });
    server.process.join(group);
    const { process } = w.host(1).process('client');
    w.run(function* () {
      yield* process.send(server.process.id, words(1, 1));
      yield* process.send(group, words(1, 2));
    });
    expect(codes).toEqual([ReplyCode.noPermission, 0, ReplyCode.noPermission, 0]);
  });

  it('of a message to a frozen process waits for its thaw', () => {
    const w = new World();
    const last = w.host(0).process('last', function* (p) {
      for (;;) yield* p.reply(yield* p.receive(), words(0, 9));
    });
    const first = forwards(w, 0, () => last, []);
    const { process, scope } = w.host(0).process('client');
    last.process.freeze();
    const thread = scope.spawn('send', process.send(first.process.id, words(1)));
    w.after(seconds(1));
    expect(thread.ended).toBe(false);
    last.process.unfreeze();
    expect(
      word(
        w.run(() => thread.join()),
        1,
      ),
    ).toBe(9);
  });
});
