import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { MessageFlag, message, ReplyCode } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { code, places, World, word, words } from './world.ts';

describe.each(places)('a frozen process, seen %s', (_, there) => {
  it('keeps its line, lets nobody in, and goes on with who was first', () => {
    const w = new World();
    const order: number[] = [];
    const server = w.host(there).process('server', function* (p): Task<void> {
      yield* sleep(ms(100));
      for (;;) {
        const r = yield* p.receive();
        order.push(word(r, 1));
        yield* p.reply(r, words(0));
      }
    });
    const threads = [0, 1, 2, 3].map((n) => {
      if (n === 2) server.process.freeze();
      const { process, scope } = w.host(0).process(`client ${n}`);
      const thread = scope.spawn('send', process.send(server.process.id, words(1, n)));
      w.after(ms(20));
      return thread;
    });
    w.after(seconds(3));
    expect(order).toEqual([]);
    server.process.unfreeze();
    w.run(function* () {
      for (const t of threads) expect(code(yield* t.join())).toBe(0);
    });
    expect(order.slice(0, 2)).toEqual([0, 1]);
    expect(order.toSorted()).toEqual([0, 1, 2, 3]);
  });

  it('that was receiving takes the next one at its thaw, a conditional one, too', () => {
    const w = new World();
    const server = w.host(there).process('server', function* (p): Task<void> {
      for (;;) yield* p.reply(yield* p.receive(), words(0));
    });
    const { process, scope } = w.host(0).process('client');
    w.after(ms(1));
    for (const flags of [0, MessageFlag.conditional]) {
      server.process.freeze();
      const request = message({ code: 1, flags });
      const thread = scope.spawn('send', process.send(server.process.id, request));
      w.after(seconds(1));
      expect(thread.ended).toBe(false);
      server.process.unfreeze();
      expect(code(w.run(() => thread.join()))).toBe(0);
    }
  });

  it('that was not receiving refuses a conditional message at its thaw', () => {
    const w = new World();
    const server = w.host(there).process('server');
    const { process, scope } = w.host(0).process('client');
    server.process.freeze();
    const request = message({ code: 1, flags: MessageFlag.conditional });
    const thread = scope.spawn('send', process.send(server.process.id, request));
    w.after(seconds(1));
    server.process.unfreeze();
    expect(code(w.run(() => thread.join()))).toBe(ReplyCode.notAwaitingMessage);
  });

  it('goes on with nothing that it is in: a send that was answered, a receive, a reply', () => {
    const w = new World();
    const events: string[] = [];
    const server = w.host(there).process('server', function* (p): Task<void> {
      const r = yield* p.receive();
      events.push('received');
      yield* sleep(ms(50));
      yield* p.reply(r, words(0));
      events.push('replied');
    });
    const client = w.host(0).process('client', function* (p) {
      events.push(`answered ${code(yield* p.send(server.process.id, words(1)))}`);
    });
    w.after(ms(20));
    server.process.freeze();
    w.after(seconds(1));
    expect(events).toEqual(['received']);
    client.process.freeze();
    server.process.unfreeze();
    w.after(seconds(1));
    expect(events).toEqual(['received', 'replied']);
    client.process.unfreeze();
    w.after(ms(1));
    expect(events).toEqual(['received', 'replied', 'answered 0']);
  });

  it('lets who waits for it end at a time limit, and tells them when it dies', () => {
    const w = new World();
    const server = w.host(there).process('server', function* (p): Task<void> {
      for (;;) yield* p.receive();
    });
    const [first, second] = [w.host(0).process('first'), w.host(0).process('second')];
    server.process.freeze();
    const limited = first.process.send(server.process.id, words(1), { timeoutNs: ms(100) });
    expect(code(w.run(() => limited))).toBe(ReplyCode.userTimeout);
    const waits = second.scope.spawn('send', second.process.send(server.process.id, words(1)));
    w.after(ms(100));
    server.process.destroy();
    expect(code(w.run(() => waits.join()))).toBe(ReplyCode.nonexistentEntity);
  });

  it('may be frozen again before its threads have gone on', () => {
    const w = new World();
    let received = false;
    const server = w.host(there).process('server', function* (p): Task<void> {
      yield* p.receive();
      received = true;
    });
    server.process.freeze();
    w.after(ms(1));
    const { process, scope } = w.host(0).process('client');
    scope.spawn('send', process.send(server.process.id, words(1)));
    w.after(ms(20));
    server.process.unfreeze();
    server.process.freeze();
    w.after(seconds(1));
    expect(received).toBe(false);
    server.process.unfreeze();
    w.after(ms(20));
    expect(received).toBe(true);
  });
});
