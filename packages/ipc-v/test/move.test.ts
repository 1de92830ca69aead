import { ms, seconds, sleep, type Task } from '@backplane/engine';
import {
  codeOf,
  type EntityId,
  entityWords,
  flagsOf,
  type IpcProcess,
  MessageFlag,
  message,
  type Received,
  ReplyCode,
  type SegmentGrant,
  wellKnown,
} from '@backplane/slots';
import { pattern, sameBytes } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { SegmentCode } from '../src/index.ts';
import { Memory } from './memory.ts';
import { code, type Made, places, World, words } from './world.ts';

const rw = (address: number, bytes: number): SegmentGrant => ({ read: true, write: true, address, bytes });
const size = 64 * 1024;
const no = ReplyCode.noPermission;

function granted(
  there: number,
  grant: SegmentGrant | undefined,
  serve: (p: IpcProcess, r: Received) => Task<void>,
  options: { readonly noServerMemory?: boolean; readonly readOnlyFrom?: number } = {},
) {
  const w = new World({ hosts: 3 });
  const [mine, theirs] = [new Memory(size), new Memory(size)];
  mine.bytes.set(pattern(size, 1));
  theirs.bytes.set(pattern(size, 2));
  if (options.readOnlyFrom !== undefined) mine.lockedFrom = options.readOnlyFrom;
  const space = options.noServerMemory === true ? null : theirs;
  const server = w.host(there).process(
    'server',
    function* (p) {
      const r = yield* p.receive();
      yield* serve(p, r);
      yield* p.reply(r, words(0));
    },
    space,
  );
  const client = w.host(0).process('client', undefined, mine);
  const response = w.run(() => client.process.send(server.process.id, words(1), grant && { grant }));
  expect(code(response)).toBe(0);
  return { w, mine: mine.bytes, theirs: theirs.bytes };
}

describe.each(places)('moves %s', (_, there) => {
  it.each([0, 1, 1000, 16_384, 16_385, 40_000])('%i bytes from and to the sender', (bytes) => {
    const codes: unknown[] = [];
    const { mine, theirs } = granted(there, rw(100, bytes), function* (p, r) {
      codes.push(yield* p.moveFrom(r, 100, 7, bytes), yield* p.moveTo(r, 100, 9, bytes));
    });
    const [a, b] = [pattern(size, 1), pattern(size, 2)];
    b.set(a.slice(100, 100 + bytes), 7);
    a.set(b.slice(9, 9 + bytes), 100);
    expect(codes).toEqual([0, 0]);
    expect(sameBytes(theirs, b)).toBe(true);
    expect(sameBytes(mine, a)).toBe(true);
  });

  it('moves bytes that are in no memory, for a server without any', () => {
    const results: unknown[] = [];
    const { mine } = granted(
      there,
      rw(0, 100),
      function* (p, r) {
        results.push(yield* p.moveBytesFrom(r, 90, 10), yield* p.moveBytesTo(r, 0, pattern(50, 5)));
        results.push(yield* p.moveFrom(r, 0, 0, 10), yield* p.moveTo(r, 0, 0, 10));
      },
      { noServerMemory: true },
    );
    expect(results).toEqual([pattern(size, 1).slice(90, 100), 0, no, no]);
    expect(mine.slice(0, 51)).toEqual(Uint8Array.of(...pattern(50, 5), pattern(size, 1)[50] ?? 0));
  });

  const never: readonly (readonly [string, SegmentGrant | undefined, number, number])[] = [
    ['without a grant', undefined, 0, 1],
    ['before the grant', rw(100, 100), 99, 2],
    ['behind the grant', rw(100, 100), 199, 2],
    ['with a negative size', rw(100, 100), 150, -1],
    ['with half a byte', rw(100, 100), 150, 0.5],
    ['with no number', rw(100, 100), Number.NaN, 1],
    ['without any right', { read: false, write: false, address: 0, bytes: 10 }, 0, 1],
    ['where there is no memory', rw(0, 2 * size), size, 10],
    ['partly where there is no memory', rw(0, 2 * size), size - 5, 10],
  ];
  it.each(never)('refuses a move %s, and moves nothing', (_name, grant, at, bytes) => {
    const codes: unknown[] = [];
    const { mine, theirs } = granted(there, grant, function* (p, r) {
      codes.push(yield* p.moveFrom(r, at, 0, bytes), yield* p.moveTo(r, at, 0, bytes));
      codes.push(yield* p.moveBytesFrom(r, at, bytes));
      if (Number.isInteger(bytes) && bytes > 0)
        codes.push(yield* p.moveBytesTo(r, at, new Uint8Array(bytes)));
    });
    expect(new Set(codes)).toEqual(new Set([no]));
    expect(sameBytes(mine, pattern(size, 1))).toBe(true);
    expect(sameBytes(theirs, pattern(size, 2))).toBe(true);
  });

  it('refuses what only the other right allows, and what may not be written', () => {
    const codes: unknown[] = [];
    granted(there, { read: true, write: false, address: 0, bytes: 10 }, function* (p, r) {
      codes.push(yield* p.moveTo(r, 0, 0, 1), yield* p.moveFrom(r, 0, 0, 1));
    });
    granted(there, { read: false, write: true, address: 0, bytes: 10 }, function* (p, r) {
      codes.push(yield* p.moveTo(r, 0, 0, 1), yield* p.moveFrom(r, 0, 0, 1));
    });
    const { mine } = granted(
      there,
      rw(0, size),
      function* (p, r) {
        codes.push(yield* p.moveBytesTo(r, 8000, pattern(5000, 7)));
        codes.push(yield* p.moveFrom(r, 0, size - 1, 2), yield* p.moveTo(r, 0, size - 1, 2));
        codes.push(yield* p.moveFrom(r, 0, -1, 2), yield* p.moveTo(r, 0, -1, 2));
      },
      { readOnlyFrom: 10_240 },
    );
    expect(codes).toEqual([no, 0, 0, no, no, no, no, no, no]);
    expect(sameBytes(mine, pattern(size, 1))).toBe(true);
  });

  it('refuses moves after the reply, by somebody else, for a datagram, and for a sender that has gone on', () => {
    const w = new World();
    const codes: unknown[] = [];
    const other = w.host(there).process('other').process;
    const server = w.host(there).process('server', function* (p): Task<void> {
      const first = yield* p.receive();
      codes.push(yield* other.moveBytesTo(first, 0, pattern(5, 1)), yield* other.moveBytesFrom(first, 0, 5));
      yield* p.reply(first, words(0));
      codes.push(yield* p.moveBytesTo(first, 0, pattern(5, 1)), yield* p.moveBytesFrom(first, 0, 5));
      const late = yield* p.receive();
      yield* sleep(ms(200));
      codes.push(yield* p.moveBytesTo(late, 0, pattern(5, 1)), yield* p.moveBytesFrom(late, 0, 5));
      const datagram = yield* p.receive();
      codes.push(yield* p.moveBytesTo(datagram, 0, pattern(5, 1)));
    });
    const memory = new Memory(1024);
    const { process } = w.host(0).process('client', undefined, memory);
    w.run(function* () {
      const grant = rw(0, 100);
      yield* process.send(server.process.id, words(1), { grant });
      yield* process.send(server.process.id, words(1), { grant, timeoutNs: ms(100) });
      yield* process.send(server.process.id, message({ code: 1, flags: MessageFlag.datagram }), { grant });
    });
    w.after(seconds(1));
    expect(codes).toEqual([no, no, no, no, no, no, no]);
    expect(memory.bytes.every((b) => b === 0)).toBe(true);
  });

  it('a sender does not go on while a move into its memory is under way', () => {
    const w = new World();
    const memory = new Memory(1024, ms(50));
    const server = w.host(there).process('server');
    server.process.serve(function* (r) {
      server.scope.spawn('late move', server.process.moveBytesTo(r, 0, pattern(10, 3)));
      yield* sleep(ms(20));
      return words(0);
    });
    let seen: Uint8Array | null = null;
    w.host(0).process(
      'client',
      function* (p) {
        yield* p.send(server.process.id, words(1), { grant: rw(0, 10) });
        seen = memory.bytes.slice(0, 10);
      },
      memory,
    );
    w.after(seconds(1));
    expect(seen).toEqual(pattern(10, 3));
  });

  it.each(['destroy', 'cancel', 'crash'] as const)(
    'a sender goes on when its mover ends by %s in the middle',
    (way) => {
      const w = new World();
      const memory = new Memory(1024, ms(50));
      const server = w.host(there).process('server', function* (p) {
        const r = yield* p.receive();
        yield* p.moveBytesTo(r, 0, pattern(10, 3));
      });
      const { process, scope } = w.host(0).process('client', undefined, memory);
      const send = process.send(server.process.id, words(1), { grant: rw(0, 10) });
      const thread = scope.spawn('send', send);
      w.after(ms(20));
      expect(memory.bytes[1]).toBe(0);
      if (way === 'destroy') server.process.destroy();
      else server.scope[way]();
      expect(code(w.run(() => thread.join()))).toBe(ReplyCode.nonexistentEntity);
    },
  );

  it('waits while the granter is frozen, and ends when it dies', () => {
    const w = new World();
    const codes: unknown[] = [];
    const server = w.host(there).process('server', function* (p): Task<void> {
      const r = yield* p.receive();
      yield* sleep(ms(50));
      codes.push(yield* p.moveBytesTo(r, 0, pattern(5, 1)));
      codes.push('thawed');
      yield* sleep(ms(50));
      codes.push(yield* p.moveBytesTo(r, 0, pattern(5, 1)));
    });
    const memory = new Memory(1024);
    const { process, scope } = w.host(0).process('client', undefined, memory);
    scope.spawn('send', process.send(server.process.id, words(1), { grant: rw(0, 5) }));
    w.after(ms(20));
    process.freeze();
    w.after(seconds(1));
    expect([codes.length, memory.bytes[1]]).toEqual([0, 0]);
    process.unfreeze();
    w.after(ms(20));
    expect(codes).toEqual([0, 'thawed']);
    process.freeze();
    w.after(seconds(1));
    process.destroy();
    w.after(seconds(1));
    expect(codes).toEqual([0, 'thawed', no]);
  });

  it('a forwarded request has its grant with it, as far as the message says so', () => {
    for (const third of [0, 1, 2]) {
      const w = new World({ hosts: 3 });
      const codes: unknown[] = [];
      const last = w.host(third).process('last', function* (p): Task<void> {
        for (;;) {
          const r = yield* p.receive();
          codes.push(yield* p.moveBytesTo(r, 0, pattern(5, 1)), yield* p.moveBytesTo(r, 500, pattern(5, 1)));
          yield* p.reply(r, words(0));
        }
      });
      const first = w.host(there).process('first', function* (p): Task<void> {
        let r = yield* p.receive();
        yield* p.forward(r, last.process.id, r.message);
        codes.push(yield* p.moveBytesTo(r, 5, pattern(5, 1)));
        r = yield* p.receive();
        yield* p.forward(r, last.process.id, words(1));
        // A forwarder cannot widen what was granted.
        r = yield* p.receive();
        const wide = message({ code: 0x80_0001, words: [0, 0, 3, 0, 1024] });
        yield* p.forward(r, last.process.id, wide);
      });
      const memory = new Memory(1024);
      const { process } = w.host(0).process('client', undefined, memory);
      w.run(function* () {
        for (let i = 0; i < 3; i++) yield* process.send(first.process.id, words(1), { grant: rw(0, 10) });
      });
      expect(codes.map(Number).toSorted((a, b) => a - b)).toEqual([0, 0, no, no, no, no, no]);
      expect(memory.bytes.subarray(5).every((b) => b === 0)).toBe(true);
    }
  });
});

describe('the memory manager', () => {
  /** A client of host 0 that awaits the reply of a server of host 1; what its memory manager answers to others. */
  function* question(
    w: World,
    operation: number,
    granter: EntityId,
    mover: EntityId,
    [address, number]: readonly [number, number],
    what: Uint8Array | number = 0,
  ) {
    const asker = w.host(2).process('asker').process;
    const group = w.host(2).ipc.wellKnownGroup(wellKnown.memoryManagers);
    const request = message({
      code: operation,
      coResident: granter,
      words: [0, 0, address, number, ...entityWords(mover), typeof what === 'number' ? what : 0],
      ...(typeof what !== 'number' && { segment: what }),
    });
    return (yield* asker.send(group, request)).message;
  }

  function setUp(): { w: World; memory: Memory; client: Made; server: Made } {
    const w = new World({ hosts: 3 });
    const memory = new Memory(1024);
    memory.bytes.set(pattern(1024, 4));
    const server = w.host(1).process('server', function* (p) {
      yield* p.receive();
      yield* sleep(seconds(100));
    });
    const client = w.host(0).process('client', undefined, memory);
    const grant = rw(0, 100);
    client.scope.spawn('send', client.process.send(server.process.id, words(1), { grant }));
    w.after(ms(50));
    return { w, memory, client, server };
  }

  it('reads and writes for the process that has the request, and says of a read that it may be repeated', () => {
    const { w, memory, client, server } = setUp();
    w.run(function* () {
      const [c, s] = [client.process.id, server.process.id];
      const read = yield* question(w, SegmentCode.read, c, s, [10, 0], 20);
      expect([codeOf(read), flagsOf(read) & MessageFlag.datagram]).toEqual([0, MessageFlag.datagram]);
      expect(read.segment).toEqual(pattern(1024, 4).slice(10, 30));
      const written = yield* question(w, SegmentCode.write, c, s, [50, 0], pattern(9, 6));
      expect([codeOf(written), flagsOf(written) & MessageFlag.datagram]).toEqual([0, 0]);
      expect(memory.bytes.slice(50, 59)).toEqual(pattern(9, 6));
    });
  });

  it('makes the checks itself: the mover, the range, the number of the grant, the granter; and leaves other operations to others', () => {
    const { w, memory, client, server } = setUp();
    const before = memory.bytes.slice();
    const codes = w.run(function* () {
      const [c, s] = [client.process.id, server.process.id];
      const got: number[] = [];
      got.push(codeOf(yield* question(w, SegmentCode.read, c, c, [0, 0], 1)));
      got.push(codeOf(yield* question(w, SegmentCode.read, c, s, [99, 0], 2)));
      got.push(codeOf(yield* question(w, SegmentCode.write, c, s, [99, 0], pattern(2, 1))));
      got.push(codeOf(yield* question(w, SegmentCode.write, c, c, [0, 0], pattern(2, 1))));
      got.push(codeOf(yield* question(w, SegmentCode.read, s, c, [0, 0], 1)));
      const next = entityWords(c);
      got.push(codeOf(yield* question(w, SegmentCode.passGrant, c, c, next)));
      got.push(codeOf(yield* question(w, SegmentCode.read, c, s, [0, 2], 1)), 0);
      got.push(codeOf(yield* question(w, SegmentCode.read, c, s, [0, 1], 1)));
      got.push(codeOf(yield* question(w, 0x0399, c, s, [0, 1])));
      return got;
    });
    expect(codes).toEqual([no, no, no, no, no, no, no, 0, 0, ReplyCode.retransmissionTimeout]);
    expect(memory.bytes).toEqual(before);
  });

  it('lets the next holder in when the present one passes the request on', () => {
    const { w, client, server } = setUp();
    const next = w.host(2).process('next').process.id;
    const codes = w.run(function* () {
      const [c, s] = [client.process.id, server.process.id];
      const got: number[] = [];
      got.push(codeOf(yield* question(w, SegmentCode.read, c, next, [0, 0], 1)));
      got.push(codeOf(yield* question(w, SegmentCode.passGrant, c, s, entityWords(next))));
      got.push(codeOf(yield* question(w, SegmentCode.read, c, next, [0, 0], 1)));
      got.push(codeOf(yield* question(w, SegmentCode.read, c, s, [0, 0], 1)));
      return got;
    });
    expect(codes).toEqual([no, 0, 0, no]);
  });

  it('is asked as often as 16 KB segments are needed, by several moves of one process at once', () => {
    const w = new World();
    const server = w.host(1).process('server');
    const results: unknown[] = [];
    server.process.serve(function* (r) {
      const bytes = yield* server.process.moveBytesFrom(r, 0, 40_000);
      results.push(typeof bytes === 'number' ? bytes : bytes.length);
      return words(0);
    });
    for (let n = 0; n < 4; n++)
      w.host(0).process(
        `client ${n}`,
        function* (p) {
          yield* p.send(server.process.id, words(1), { grant: rw(0, 40_000) });
        },
        new Memory(size),
      );
    w.after(seconds(5));
    expect(results).toEqual([40_000, 40_000, 40_000, 40_000]);
    // Four requests, and three reads for each.
    expect(w.net.delivered).toBeGreaterThanOrEqual(16);
    expect(w.host(1).machine.metric('ipc.movedBytes')).toBe(160_000);
  });

  it('does not answer for a host that has crashed: silence is a time-out', () => {
    const w = new World();
    let result: unknown;
    const server = w.host(1).process('server', function* (p) {
      const r = yield* p.receive();
      yield* sleep(ms(100));
      result = yield* p.moveBytesFrom(r, 0, 5);
    });
    const { process, scope } = w.host(0).process('client', undefined, new Memory(1024));
    scope.spawn('send', process.send(server.process.id, words(1), { grant: rw(0, 5) }));
    w.after(ms(50));
    w.host(0).crash();
    w.after(seconds(10));
    expect(result).toBe(ReplyCode.retransmissionTimeout);
  });
});
