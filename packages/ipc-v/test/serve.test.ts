import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { MessageFlag, message, ReplyCode } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { code, places, World, word, words } from './world.ts';

describe.each(places)('a server by procedures, clients %s', (_, there) => {
  it('runs as many at once as it may, and takes the others from the line in their order', () => {
    const w = new World();
    const server = w.host(there).process('server');
    const order: number[] = [];
    server.process.serve(
      function* (r) {
        order.push(word(r, 1));
        yield* sleep(ms(100));
        return words(0, word(r, 1));
      },
      { concurrent: 3 },
    );
    const threads = Array.from({ length: 7 }, (_, n) => {
      const { process, scope } = w.host(0).process(`client ${n}`);
      const thread = scope.spawn('send', process.send(server.process.id, words(1, n)));
      w.after(ms(5));
      return thread;
    });
    const got = w.run(function* () {
      const answers: number[] = [];
      for (const t of threads) answers.push(word(yield* t.join(), 1));
      return answers;
    });
    expect(got).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('starts with what was in line, takes conditional messages while it is not full, and may not reply', () => {
    const w = new World({ ipc: { concurrent: 1 } });
    const server = w.host(there).process('server');
    const [early, late] = [w.host(0).process('early'), w.host(0).process('late')];
    const waiting = early.scope.spawn('send', early.process.send(server.process.id, words(1, 1)));
    w.after(ms(10));
    server.process.serve(function* (r): Task<'discard' | ReturnType<typeof words>> {
      yield* sleep(ms(100));
      return word(r, 1) === 2 ? 'discard' : words(0);
    });
    const conditional = message({ code: 1, words: [2], flags: MessageFlag.conditional });
    w.run(function* () {
      expect(code(yield* late.process.send(server.process.id, conditional))).toBe(
        ReplyCode.notAwaitingMessage,
      );
      expect(code(yield* waiting.join())).toBe(0);
      expect(code(yield* late.process.send(server.process.id, conditional))).toBe(
        ReplyCode.responseDiscarded,
      );
    });
  });

  it('ends its procedures when it dies', () => {
    const w = new World();
    const server = w.host(there).process('server');
    let [cleanedUp, ranOn] = [0, 0];
    server.process.serve(function* () {
      try {
        yield* sleep(seconds(10));
        ranOn++;
      } finally {
        cleanedUp++;
      }
      return words(0);
    });
    const { process, scope } = w.host(0).process('client');
    const thread = scope.spawn('send', process.send(server.process.id, words(1)));
    w.after(seconds(1));
    server.process.destroy();
    expect(code(w.run(() => thread.join()))).toBe(ReplyCode.nonexistentEntity);
    w.after(seconds(20));
    expect([cleanedUp, ranOn]).toEqual([1, 0]);
  });

  it('starts nothing while it is frozen, and goes on where it was', () => {
    const w = new World();
    const server = w.host(there).process('server');
    const started: number[] = [];
    server.process.serve(
      function* (r) {
        started.push(word(r, 1));
        yield* sleep(ms(100));
        return words(0);
      },
      { concurrent: 1 },
    );
    const threads = [1, 2, 3].map((n) => {
      if (n === 3) server.process.freeze();
      const { process, scope } = w.host(0).process(`client ${n}`);
      const thread = scope.spawn('send', process.send(server.process.id, words(1, n)));
      w.after(ms(20));
      return thread;
    });
    w.after(seconds(5));
    expect(started).toEqual([1]);
    expect(threads.map((t) => t.ended)).toEqual([false, false, false]);
    server.process.unfreeze();
    w.run(function* () {
      for (const t of threads) expect(code(yield* t.join())).toBe(0);
    });
    expect(started).toEqual([1, 2, 3]);
  });
});
