import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { ReplyCode } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { code, type Made, places, World, words } from './world.ts';

const ends: readonly (readonly [string, (m: Made) => void])[] = [
  ['destroy', ({ process }) => process.destroy()],
  ['cancellation of the scope', ({ scope }) => scope.cancel()],
  ['a crash of the scope', ({ scope }) => scope.crash()],
];

describe.each(places)('death, seen %s', (_, there) => {
  it.each(ends)(
    'by %s: who is in line and who awaits a reply get nonexistentEntity, later ones too',
    (_name, end) => {
      const w = new World();
      const server = w.host(there).process('server', function* (p) {
        yield* p.receive();
        yield* p.receive();
        yield* sleep(seconds(100));
      });
      const threads = [0, 1, 2, 3].map((n) => {
        const { scope, process } = w.host(0).process(`client ${n}`);
        return scope.spawn('send', process.send(server.process.id, words(1)));
      });
      w.after(ms(100));
      end(server);
      w.run(function* () {
        for (const t of threads) expect(code(yield* t.join())).toBe(ReplyCode.nonexistentEntity);
        const { process } = w.host(0).process('late');
        expect(code(yield* process.send(server.process.id, words(1)))).toBe(ReplyCode.nonexistentEntity);
      });
      w.after(seconds(1));
      expect(server.thread.ended).toBe(true);
    },
  );

  it.each(ends)('by %s: the process is found no more, and servers find out by asking', (_name, end) => {
    const w = new World();
    const found: unknown[] = [];
    const server = w.host(there).process('server', function* (p): Task<void> {
      const r = yield* p.receive();
      found.push(yield* w.host(there).ipc.probe(r.from));
      yield* sleep(seconds(1));
      found.push(yield* w.host(there).ipc.probe(r.from), yield* p.reply(r, words(0)));
    });
    const client = w.host(0).process('client', function* (p) {
      yield* p.send(server.process.id, words(1));
    });
    expect(w.host(0).ipc.find(client.process.id)).toBe(client.process);
    w.after(ms(500));
    end(client);
    w.after(0);
    expect(w.host(0).ipc.find(client.process.id)).toBeUndefined();
    w.after(seconds(5));
    expect(found).toEqual(['here', 'nonexistent', ReplyCode.nonexistentEntity]);
  });
});

describe('a destroyed process', () => {
  it('ends the threads that are in its primitives, or that call one', () => {
    const w = new World();
    const left: string[] = [];
    const never = w.host(1).process('never', function* () {});
    const made = [
      w.host(0).process('receives', (p) => leaving('receive', p.receive())),
      w.host(0).process('sends here', (p) => leaving('send', p.send(p.id, words(1)))),
      w.host(0).process('sends there', (p) => leaving('far send', p.send(never.process.id, words(1)))),
      w.host(0).process('waits its turn', function* (p) {
        made[3]?.scope.spawn('first', p.send(never.process.id, words(1)));
        yield* sleep(1);
        yield* leaving('turn', p.send(never.process.id, words(1)));
      }),
      w.host(0).process('is frozen', function* (p) {
        p.freeze();
        yield* leaving('frozen', p.receive());
      }),
      w.host(0).process('calls later', function* (p) {
        yield* sleep(ms(50));
        yield* leaving('later', p.send(never.process.id, words(1)));
      }),
    ] as Made[];
    function* leaving(what: string, primitive: Task<unknown>): Task<void> {
      try {
        yield* primitive;
        left.push(`${what} went on`);
      } finally {
        left.push(what);
      }
    }
    w.after(ms(20));
    for (const { process } of made) {
      process.destroy();
      process.destroy();
      process.unfreeze();
    }
    w.after(ms(100));
    expect(left.toSorted()).toEqual(['far send', 'frozen', 'later', 'receive', 'send', 'turn']);
    expect(made.map(({ thread }) => thread.ended)).toEqual(made.map(() => true));
  });

  it('answers what its threads ask while they clean up with codes', () => {
    const w = new World();
    const codes: unknown[] = [];
    const server = w.host(1).process('server', function* (p) {
      const r = yield* p.receive();
      try {
        yield* p.receive();
      } finally {
        codes.push(yield* p.reply(r, words(0)), yield* p.moveBytesTo(r, 0, new Uint8Array(1)));
        codes.push(code(yield* p.send(p.id, words(1))), yield* p.nextReply(ms(1)), p.discard(r));
        codes.push(yield* p.forward(r, p.id, words(1)));
      }
    });
    const client = w.host(0).process('client');
    const thread = client.scope.spawn('send', client.process.send(server.process.id, words(1)));
    w.after(ms(20));
    server.process.destroy();
    expect(code(w.run(() => thread.join()))).toBe(ReplyCode.nonexistentEntity);
    w.after(ms(20));
    expect(codes).toEqual([4, ReplyCode.noPermission, 4, undefined, 4, 4]);
    expect(server.thread.ended).toBe(true);
  });

  it('frees those who receive only from it, and is no receiver for what comes at that instant', () => {
    const w = new World();
    const wanted = w.host(0).process('wanted');
    let got: unknown;
    w.host(0).process('server', function* (p) {
      got = yield* p.receiveFrom(wanted.process.id);
    });
    w.after(ms(10));
    wanted.scope.crash();
    w.after(0);
    expect(got).toBe('nonexistentEntity');
  });
});

describe('a crash of the machine', () => {
  it('tells nobody anything: who waits elsewhere finds out by silence', () => {
    const w = new World();
    const server = w.host(1).process('server', function* (p): Task<void> {
      for (;;) yield* p.receive();
    });
    let ranOn = false;
    const client = w.host(0).process('client');
    w.host(1).process('local', function* (p) {
      yield* p.send(server.process.id, words(1));
      ranOn = true;
    });
    const thread = client.scope.spawn('send', client.process.send(server.process.id, words(1)));
    w.after(ms(20));
    w.host(1).crash();
    expect(code(w.run(() => thread.join()))).toBe(ReplyCode.retransmissionTimeout);
    expect(w.run(() => w.host(0).ipc.probe(server.process.id))).toBe('noAnswer');
    w.host(1).reboot();
    w.after(ms(1));
    expect(w.run(() => w.host(0).ipc.probe(server.process.id))).toBe('nonexistent');
    expect(ranOn).toBe(false);
  });
});
