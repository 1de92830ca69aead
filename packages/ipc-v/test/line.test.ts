import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { type EntityId, MessageFlag, message, ReplyCode } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { code, type Made, places, World, word, words } from './world.ts';

const conditional = (n: number) => message({ code: 1, words: [n], flags: MessageFlag.conditional });

/** Answers so many requests after a while; the numbers in order. */
function receiver(w: World, host: number, afterNs: number, from: readonly (EntityId | null)[]) {
  const order: (number | string)[] = [];
  const made = w.host(host).process('server', function* (p): Task<void> {
    yield* sleep(afterNs);
    for (const wanted of from) {
      const r = wanted === null ? yield* p.receive() : yield* p.receiveFrom(wanted);
      if (r === 'nonexistentEntity') {
        order.push(r);
      } else {
        order.push(word(r, 1));
        yield* p.reply(r, words(0));
      }
    }
  });
  return { ...made, order };
}

const sends = (made: Made, to: Made, n: number): void => {
  made.scope.spawn('send', made.process.send(to.process.id, words(1, n)));
};

describe.each(places)('the line of a process, senders %s', (_, there) => {
  it('goes by arrival', () => {
    const w = new World();
    const server = receiver(w, there, seconds(1), [null, null, null, null]);
    for (let n = 0; n < 4; n++) {
      sends(w.host(n % 2).process(`client ${n}`), server, n);
      w.after(ms(10));
    }
    w.after(seconds(2));
    expect(server.order).toEqual([0, 1, 2, 3]);
  });

  it('goes by urgency first', () => {
    const w = new World();
    const server = receiver(w, there, seconds(1), [null, null, null, null, null]);
    const { port, machine } = w.host(0);
    for (const priority of [8, 15, 0, 8, 3]) {
      const client = port.mint();
      port.attach(client, { arrived: () => 'taken' });
      const send = port.send(client, server.process.id, words(1, priority), { priority });
      machine.scope.spawn('send', send);
      w.after(ms(10));
    }
    w.after(seconds(2));
    expect(server.order).toEqual([0, 3, 8, 8, 15]);
  });

  it('gives one sender’s request to who receives from it, and leaves the rest', () => {
    const w = new World();
    const clients = [0, 1, 2].map((n) => w.host(0).process(`client ${n}`));
    const [first, second] = [clients[1]?.process.id ?? null, clients[2]?.process.id ?? null];
    const server = receiver(w, there, seconds(1), [first, second, null]);
    for (const [n, client] of clients.entries()) sends(client, server, n);
    w.after(seconds(2));
    expect(server.order).toEqual([1, 2, 0]);
  });

  it('lets others wait while one sender is waited for', () => {
    const w = new World();
    const [wanted, other] = [w.host(0).process('wanted'), w.host(0).process('other')];
    const server = receiver(w, there, 0, [wanted.process.id, null]);
    sends(other, server, 1);
    w.after(seconds(20));
    sends(wanted, server, 2);
    w.after(seconds(1));
    expect(server.order).toEqual([2, 1]);
  });

  it('ends receiveFrom when the wanted process dies, does not exist, or is a group', () => {
    const w = new World();
    const wanted = w.host(0).process('wanted');
    const group = w.host(0).ipc.mintGroup();
    const server = receiver(w, there, 0, [wanted.process.id, wanted.process.id, group]);
    w.after(seconds(20));
    expect(server.order).toEqual([]);
    wanted.scope.cancel();
    w.after(seconds(20));
    expect(server.order).toEqual(['nonexistentEntity', 'nonexistentEntity', 'nonexistentEntity']);
  });

  it('takes a conditional message only in a receive that it fits', () => {
    const w = new World();
    const [wanted, other] = [w.host(0).process('wanted'), w.host(0).process('other')];
    const server = receiver(w, there, ms(100), [wanted.process.id, null]);
    const codes: number[] = [];
    w.run(function* () {
      const to = server.process.id;
      codes.push(code(yield* other.process.send(to, conditional(1))));
      yield* sleep(ms(200));
      codes.push(code(yield* other.process.send(to, conditional(2))));
      codes.push(code(yield* wanted.process.send(to, conditional(3))));
      codes.push(code(yield* other.process.send(to, conditional(4))));
    });
    const refused = ReplyCode.notAwaitingMessage;
    expect(codes).toEqual([refused, refused, 0, 0]);
    expect(server.order).toEqual([3, 4]);
  });

  it('is lost with a request that was in line when its sender died', () => {
    const w = new World();
    const server = receiver(w, there, seconds(1), [null, null]);
    const [dies, lives] = [w.host(0).process('dies'), w.host(0).process('lives')];
    sends(dies, server, 1);
    sends(lives, server, 2);
    w.after(ms(10));
    dies.process.destroy();
    w.after(seconds(2));
    expect(server.order).toEqual([2]);
  });
});

describe('a full line', () => {
  it('keeps further requests of other hosts out of it until there is room, and nobody fails', () => {
    const w = new World({ ipc: { queuedMax: 2 } });
    const order: number[] = [];
    const server = w.host(0).process('server', function* (p): Task<void> {
      yield* sleep(seconds(1));
      for (;;) {
        const r = yield* p.receive();
        order.push(word(r, 1));
        yield* sleep(ms(20));
        yield* p.reply(r, words(0));
      }
    });
    for (let n = 0; n < 8; n++) sends(w.host(n < 5 ? 1 : 0).process(`client ${n}`), server, n);
    w.after(ms(500));
    expect(w.net.delivered).toBe(0); // the local ones were first, and they take no room but their own
    w.after(seconds(2));
    expect(order.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(order.slice(0, 3)).toEqual([5, 6, 7]);
  });
});

describe('receiveFrom a process of another host', () => {
  it('goes on waiting while that host is silent, and ends when its next life speaks', () => {
    const w = new World({ ipc: { probeSeconds: 2 } });
    const wanted = w.host(1).process('wanted');
    const server = receiver(w, 0, 0, [wanted.process.id]);
    w.host(1).crash();
    w.after(seconds(100));
    expect(server.order).toEqual([]);
    w.host(1).reboot();
    w.after(seconds(3));
    expect(server.order).toEqual(['nonexistentEntity']);
  });
});
