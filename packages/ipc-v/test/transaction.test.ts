import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { MessageFlag, message, type Received, ReplyCode } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { code, places, thrown, World, word, words } from './world.ts';

describe.each(places)('send, receive, reply %s', (_, there) => {
  it('hands over message and segment, names sender and receiver, and unblocks with the reply', () => {
    const w = new World();
    const seen: Received[] = [];
    const server = w.host(there).process('server', function* (p) {
      const r = yield* p.receive();
      seen.push(r);
      expect(yield* p.reply(r, message({ code: 0x80_0007, segment: r.message.segment.slice(2) }))).toBe(0);
    });
    const client = w.host(0).process('client');
    const sent = message({ code: 5, words: [1, 2], segment: Uint8Array.of(1, 2, 3) });
    const response = w.run(() => client.process.send(server.process.id, sent));
    expect(seen[0]).toMatchObject({
      from: client.process.id,
      to: server.process.id,
      message: sent,
      grant: null,
    });
    expect(code(response)).toBe(0x80_0007);
    expect([...response.message.segment]).toEqual([3]);
    expect(response.from).toBe(server.process.id);
  });

  it('refuses what no message is, with a code', () => {
    const w = new World();
    const codes: number[] = [];
    const bad = [
      { control: new Uint8Array(31), segment: new Uint8Array(0) },
      { control: new Uint8Array(32), segment: new Uint8Array(16_385) },
    ];
    const server = w.host(there).process('server', function* (p) {
      const r = yield* p.receive();
      for (const m of bad) codes.push(yield* p.reply(r, m), yield* p.forward(r, p.id, m));
      codes.push(yield* p.reply(r, words(0)));
    });
    const { process } = w.host(0).process('client');
    w.run(function* () {
      for (const m of bad) codes.push(code(yield* process.send(server.process.id, m)));
      const grant = { read: true, write: true, address: 0xffff_ffff, bytes: 2 };
      codes.push(code(yield* process.send(server.process.id, words(1), { grant })));
      codes.push(code(yield* process.send(server.process.id, words(1))));
    });
    w.after(seconds(1));
    const refused = ReplyCode.protocolError;
    expect(codes).toEqual([refused, refused, refused, refused, refused, refused, refused, 0, 0]);
  });

  it('answers each request once, by who has it', () => {
    const w = new World();
    const codes: number[] = [];
    const other = w.host(there).process('other').process;
    const server = w.host(there).process('server', function* (p) {
      const r = yield* p.receive();
      codes.push(yield* other.reply(r, words(1)), other.discard(r), yield* other.forward(r, p.id, words(1)));
      codes.push(yield* p.reply({ ...r, grant: null }, words(1)));
      codes.push(yield* p.reply(r, words(0)));
      codes.push(yield* p.reply(r, words(1)), p.discard(r), yield* p.forward(r, other.id, words(1)));
    });
    const client = w.host(0).process('client');
    expect(code(w.run(() => client.process.send(server.process.id, words(9))))).toBe(0);
    w.after(seconds(1));
    expect(codes).toEqual([4, 4, 4, 4, 0, 4, 4, 4]);
  });

  it('ends at its time limit whether the request is in line or was received', () => {
    const w = new World();
    const codes: number[] = [];
    const got: number[] = [];
    const server = w.host(there).process('server', function* (p) {
      yield* sleep(ms(500));
      for (;;) {
        const r = yield* p.receive();
        got.push(word(r, 1));
        yield* sleep(ms(500));
        codes.push(yield* p.reply(r, words(0, word(r, 1))));
      }
    });
    const { process } = w.host(0).process('client');
    w.run(function* () {
      const inLine = yield* process.send(server.process.id, words(1, 1), { timeoutNs: ms(100) });
      expect(code(inLine)).toBe(ReplyCode.userTimeout);
      yield* sleep(ms(500));
      const received = yield* process.send(server.process.id, words(1, 2), { timeoutNs: ms(100) });
      expect(code(received)).toBe(ReplyCode.userTimeout);
      expect(received.from).toBe(server.process.id);
      expect(word(yield* process.send(server.process.id, words(1, 3)), 1)).toBe(3);
    });
    w.after(seconds(1));
    expect(got).toEqual([2, 3]);
    expect(codes).toEqual([ReplyCode.nonexistentEntity, 0]);
  });

  it('forgets the request of a thread that is cancelled', () => {
    const w = new World();
    const got: number[] = [];
    const server = w.host(there).process('server', function* (p) {
      yield* sleep(seconds(1));
      for (;;) {
        const r = yield* p.receive();
        got.push(word(r, 1));
        yield* p.reply(r, words(0));
      }
    });
    const { process, scope } = w.host(0).process('client');
    const thread = scope.spawn('send', process.send(server.process.id, words(1, 1)));
    w.after(ms(100));
    thread.cancel();
    w.run(() => process.send(server.process.id, words(1, 2)));
    expect(got).toEqual([2]);
  });

  it('lets threads of one process take turns, within their time limits', () => {
    const w = new World();
    const server = w.host(there).process('server', function* (p) {
      for (;;) {
        const r = yield* p.receive();
        yield* sleep(ms(100));
        yield* p.reply(r, words(0, word(r, 1)));
      }
    });
    const { process, scope } = w.host(0).process('client');
    const to = server.process.id;
    const outcomes = w.run(function* () {
      const threads = [1, 2, 3, 4].map((n) => {
        const options = n === 3 ? { timeoutNs: ms(150) } : {};
        return scope.spawn('send', process.send(to, words(1, n), options));
      });
      const got: number[][] = [];
      for (const t of threads) {
        const response = yield* t.join();
        got.push([code(response), word(response, 1)]);
      }
      return got;
    });
    expect(outcomes).toEqual([
      [0, 1],
      [0, 2],
      [ReplyCode.userTimeout, 0],
      [0, 4],
    ]);
  });

  it('does not block for a datagram, and nobody waits for the reply', () => {
    const w = new World();
    const codes: number[] = [];
    const server = w.host(there).process('server', function* (p) {
      for (;;) codes.push(yield* p.reply(yield* p.receive(), words(0)));
    });
    const { process } = w.host(0).process('client');
    w.run(function* () {
      const startNs = w.engine.nowNs;
      const response = yield* process.send(
        server.process.id,
        message({ code: 1, flags: MessageFlag.datagram }),
      );
      expect([code(response), w.engine.nowNs - startNs]).toEqual([0, 0]);
    });
    w.after(seconds(1));
    expect(codes).toEqual([ReplyCode.nonexistentEntity]);
  });

  it('tells who asks nobody that there is nobody', () => {
    const w = new World();
    const gone = w.host(there).process('gone').process;
    gone.destroy();
    const client = w.host(0).process('client');
    const response = w.run(() => client.process.send(gone.id, words(1)));
    expect([code(response), response.from]).toEqual([ReplyCode.nonexistentEntity, gone.id]);
  });

  it('keeps the requests of several, to be answered in any order', () => {
    const w = new World();
    const server = w.host(there).process('server', function* (p) {
      const requests = [yield* p.receive(), yield* p.receive(), yield* p.receive()];
      yield* sleep(ms(300));
      for (const r of requests.reverse()) yield* p.reply(r, words(0, 2 * word(r, 1)));
    });
    const got: number[] = [];
    for (const n of [1, 2, 3])
      w.host(0).process(`client ${n}`, function* (p) {
        got.push(word(yield* p.send(server.process.id, words(1, n)), 1) / n);
      });
    w.after(seconds(1));
    expect(got).toEqual([2, 2, 2]);
  });

  it('discards: the sender of one request is told, and later answers are refused', () => {
    const w = new World();
    const codes: number[] = [];
    const server = w.host(there).process('server', function* (p): Task<void> {
      const r = yield* p.receive();
      codes.push(p.discard(r), p.discard(r), yield* p.reply(r, words(0)));
    });
    const client = w.host(0).process('client');
    const response = w.run(() => client.process.send(server.process.id, words(1)));
    expect(code(response)).toBe(ReplyCode.responseDiscarded);
    expect(codes).toEqual([0, 4, 4]);
  });
});

describe('misuse by a developer', () => {
  it('stops a second thread that receives as the same process', () => {
    const w = new World();
    const { process, scope } = w.host(0).process('server');
    scope.spawn('first', process.receive());
    w.after(ms(1));
    expect(w.run(() => thrown(process.receive()))).toBe('PROCESS_RECEIVES');
    expect(w.run(() => thrown(process.receiveFrom(process.id)))).toBe('PROCESS_RECEIVES');
    expect(() =>
      process.serve(function* () {
        return 'discard';
      }),
    ).toThrow(/receiving/);
  });

  it('stops a process that serves from receiving, and from serving twice', () => {
    const w = new World();
    const { process } = w.host(0).process('server');
    const procedure = function* (): Task<'discard'> {
      return 'discard';
    };
    process.serve(procedure);
    expect(w.run(() => thrown(process.receive()))).toBe('PROCESS_SERVES');
    expect(() => process.serve(procedure)).toThrow(/serves already/);
  });
});
