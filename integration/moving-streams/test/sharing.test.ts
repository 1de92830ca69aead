/** Streams that move, over whole kernels, with every file cache that lets hosts share an offset. */

import { nfsCache } from '@backplane/cache-nfs';
import { noCache } from '@backplane/cache-none';
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { caches } from './caches.ts';
import { bytes, failure, text, World } from './world.ts';

const sharing = caches.filter(([, , shares]) => shares);

describe.each(sharing)('with fileCache=%s, a stream', (_name, cache) => {
  it('is shared by parent and child on two hosts, and each byte is read once', () => {
    const w = new World(cache());
    const content = Array.from({ length: 200 }, (_, i) => `${i}`.padStart(5, '0')).join('');
    const seen = w.drive(function* () {
      const [a, b] = [w.client(0), w.client(1)];
      yield* w.put(w.client(2), '/f', bytes(content));
      const parent = yield* w.open(a, '/f', { read: true });
      const parts = [text(yield* w.read(a, parent, 50))];
      a.board('streams').share(parent);
      const child = yield* w.move(parent, a, b);
      const ended: (() => Task<string[]>)[] = [];
      for (const [m, s] of [
        [a, parent],
        [b, child],
      ] as const)
        ended.push(
          w.start(m, function* (streams) {
            const own: string[] = [];
            for (;;) {
              const part = text(yield* streams.read(s, 25));
              if (part === '') return own;
              own.push(part);
              yield* sleep(ms(3));
            }
          }),
        );
      const both: string[][] = [];
      for (const end of ended) both.push(yield* end());
      const shared = [parent.shared, child.shared];
      yield* w.close(a, parent);
      yield* w.close(b, child);
      return { parts: [...parts, ...both.flat()], each: both.map((p) => p.length > 3), shared };
    });
    expect(seen.parts.toSorted().join('')).toBe(content);
    expect(seen.each).toEqual([true, true]);
    expect(seen.shared).toEqual([true, true]);
    expect(w.metric('streams.shadows')).toBe(0);
  });

  it('that moves in the middle of a file is written on from there, and read by others to the last byte', () => {
    const w = new World(cache());
    const seen = w.drive(function* () {
      const [a, b, c] = [w.client(0), w.client(1), w.client(2)];
      const there = yield* w.open(a, '/f', { read: true, write: true, create: true, mode: 0o666 });
      yield* w.write(a, there, bytes('written here, '));
      const here = yield* w.move(there, a, b);
      yield* w.write(b, here, bytes('and there'));
      const back = text(yield* w.on(b, (s) => s.readAt(here, 0, 100)));
      yield* w.close(b, here);
      return [back, text(yield* w.get(c, '/f')), text(yield* w.get(a, '/f')), here.shared];
    });
    expect(seen).toEqual([
      'written here, and there',
      'written here, and there',
      'written here, and there',
      false,
    ]);
    expect(w.metric('streams.open')).toBe(0);
  });

  it('is written by two hosts, one after the other’s bytes', () => {
    const w = new World(cache());
    const seen = w.drive(function* () {
      const [a, b, c] = [w.client(0), w.client(1), w.client(2)];
      const parent = yield* w.open(a, '/f', { write: true, read: true, create: true, mode: 0o666 });
      a.board('streams').share(parent);
      yield* w.write(a, parent, bytes('1'));
      const child = yield* w.move(parent, a, b);
      yield* w.write(b, child, bytes('2'));
      yield* w.write(a, parent, bytes('3'));
      yield* w.write(b, child, bytes('4'));
      const sought = yield* w.on(a, (s) => s.seek(parent, -2, 'current'));
      const read = text(yield* w.read(b, child, 1));
      yield* w.close(a, parent);
      yield* sleep(ms(100));
      yield* w.write(b, child, bytes('5'));
      const own = [child.shared, child.offset];
      yield* w.close(b, child);
      return [text(yield* w.get(c, '/f')), sought, read, own];
    });
    expect(seen).toEqual(['1235', 2, '3', [false, 4]]);
  });

  it('goes on to a third host and home again', () => {
    const w = new World(cache());
    const seen = w.drive(function* () {
      const [a, b, c] = [w.client(0), w.client(1), w.client(2)];
      yield* w.put(w.server, '/f', bytes('0123456789'));
      const parent = yield* w.open(a, '/f', { read: true });
      a.board('streams').share(parent);
      const read: string[] = [];
      const child = yield* w.move(parent, a, b);
      read.push(text(yield* w.read(b, child, 2)));
      const third = yield* w.move(child, b, c);
      read.push(text(yield* w.read(c, third, 2)), text(yield* w.read(a, parent, 2)));
      const home = yield* w.move(third, c, a);
      read.push(text(yield* w.read(a, home, 2)), text(yield* w.read(a, parent, 1)));
      const same = home === parent;
      yield* w.close(a, home);
      yield* w.close(a, parent);
      const file = w.fileOf(parent);
      yield* w.unlink(a, '/f');
      yield* sleep(ms(100));
      return [read, same, parent.shared, yield* w.isStored(file)];
    });
    expect(seen).toEqual([['01', '23', '45', '67', '8'], true, false, false]);
    expect([w.metric('streams.shadows'), w.metric('streams.open')]).toEqual([0, 0]);
  });

  it('of a file without a name keeps it alive through the move, and not for longer, over a bad network', () => {
    const w = new World(cache());
    const seen = w.drive(function* () {
      w.disturb();
      const [a, b] = [w.client(0), w.client(1)];
      const there = yield* w.open(a, '/f', { read: true, write: true, create: true, mode: 0o666 });
      yield* w.write(a, there, bytes('nameless'));
      yield* w.unlink(a, '/f');
      const here = yield* w.move(there, a, b);
      const stored = [yield* w.isStored(w.fileOf(here))];
      const content = text(yield* w.on(b, (s) => s.readAt(here, 0, 100)));
      yield* w.close(b, here);
      yield* sleep(ms(100));
      stored.push(yield* w.isStored(w.fileOf(here)));
      return [content, stored];
    });
    expect(seen).toEqual(['nameless', [true, false]]);
  });

  it('takes its lock along', () => {
    const w = new World(cache());
    const seen = w.drive(function* () {
      const [a, b] = [w.client(0), w.client(1)];
      yield* w.put(a, '/f', bytes('x'));
      const there = yield* w.open(a, '/f', { read: true });
      yield* w.on(a, (s) => s.lock(there, 'exclusive', { wait: false }));
      const here = yield* w.move(there, a, b);
      const other = yield* w.open(a, '/f', { read: true });
      const kinds = [yield* failure(w.on(a, (s) => s.lock(other, 'shared', { wait: false })))];
      yield* w.close(b, here);
      kinds.push(yield* failure(w.on(a, (s) => s.lock(other, 'shared', { wait: false }))));
      return kinds;
    });
    expect(seen).toEqual(['wouldBlock', undefined]);
  });

  it('whose move is off stays, and one that has left is gone', () => {
    const w = new World(cache());
    const seen = w.drive(function* () {
      const [a, b] = [w.client(0), w.client(1)];
      yield* w.put(a, '/f', bytes('0123'));
      const s = yield* w.open(a, '/f', { read: true });
      const streams = a.board('streams');
      const off = streams.describe(s);
      const withdrawn = [streams.withdraw(off), streams.withdraw(off)];
      const refused = yield* failure(w.on(b, (t) => t.adopt(off)));
      const read = text(yield* w.read(a, s, 2));
      const on = streams.describe(s);
      const here = yield* w.on(b, (t) => t.adopt(on));
      withdrawn.push(streams.withdraw(on));
      const twice = yield* failure(w.on(b, (t) => t.adopt(on)));
      return [withdrawn, refused, read, text(yield* w.read(b, here, 2)), twice];
    });
    expect(seen).toEqual([[true, false, false], 'stale', '01', '23', 'stale']);
  });

  it('is not left open by a process that is killed while it comes', () => {
    const w = new World(cache());
    const seen = w.drive(function* () {
      const [a, b] = [w.client(0), w.client(1)];
      yield* w.put(a, '/f', bytes('0123'));
      const s = yield* w.open(a, '/f', { read: true });
      const m = a.board('streams').describe(s);
      const thread = b.scope.spawn('killed', b.board('streams').adopt(m));
      yield* sleep(1000);
      thread.cancel();
      yield* sleep(seconds(1));
      yield* w.unlink(a, '/f');
      yield* sleep(seconds(1));
      return yield* w.isStored(w.fileOf(s));
    });
    expect(seen).toBe(false);
    expect(w.metric('streams.open')).toBe(0);
  });

  it('shared by two hosts outlives its server’s crash: the newest offset counts', () => {
    const w = new World(cache());
    const seen = w.drive(function* () {
      const [a, b] = [w.client(0), w.client(1)];
      yield* w.put(w.server, '/f', bytes('0123456789'));
      const parent = yield* w.open(a, '/f', { read: true });
      a.board('streams').share(parent);
      const child = yield* w.move(parent, a, b);
      const read = [text(yield* w.read(a, parent, 2)), text(yield* w.read(b, child, 3))];
      w.server.crash();
      yield* sleep(seconds(20));
      w.server.boot();
      yield* w.server.running();
      // This one knows an older offset.
      read.push(text(yield* w.read(a, parent, 2)), text(yield* w.read(b, child, 1)));
      b.crash();
      b.boot();
      yield* b.running();
      yield* w.get(b, '/f');
      read.push(text(yield* w.read(a, parent, 9)));
      return [read, parent.shared];
    });
    expect(seen).toEqual([['01', '234', '56', '7', '89'], false]);
  });
});

describe('with fileCache=nfs, a stream', () => {
  it('moves while it is not shared, and what was written at the source is there', () => {
    const w = new World(nfsCache());
    const seen = w.drive(function* () {
      const [a, b, c] = [w.client(0), w.client(1), w.client(2)];
      const there = yield* w.open(a, '/f', { read: true, write: true, create: true, mode: 0o666 });
      yield* w.write(a, there, bytes('written here, '));
      const twin = a.board('streams').share(there);
      const shared = yield* failure(w.move(there, a, b));
      yield* w.close(a, twin);
      const here = yield* w.move(there, a, b);
      yield* w.write(b, here, bytes('and there'));
      yield* w.close(b, here);
      return [shared, text(yield* w.get(c, '/f'))];
    });
    expect(seen).toEqual(['unsupported', 'written here, and there']);
  });

  it('of a file that was unlinked at the source takes the other name away with its last close', () => {
    const w = new World(nfsCache());
    const seen = w.drive(function* () {
      const [a, b] = [w.client(0), w.client(1)];
      const there = yield* w.open(a, '/f', { read: true, write: true, create: true, mode: 0o666 });
      yield* w.write(a, there, bytes('nameless'));
      yield* w.unlink(a, '/f');
      const here = yield* w.move(there, a, b);
      const stored = [yield* w.isStored(w.fileOf(here))];
      const content = text(yield* w.on(b, (s) => s.readAt(here, 0, 100)));
      yield* w.close(b, here);
      stored.push(yield* w.isStored(w.fileOf(here)));
      return [content, stored];
    });
    expect(seen).toEqual(['nameless', [true, false]]);
  });
});

describe('a pipe', () => {
  const content = Array.from({ length: 4000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');

  it.each([
    ['a good', false],
    ['a bad', true],
  ])('between two hosts passes every byte in order over %s network, with waits on both sides', (_, bad) => {
    const w = new World(noCache());
    const seen = w.drive(function* () {
      if (bad) w.disturb();
      const [a, b, c] = [w.client(0), w.client(1), w.client(2)];
      const ends = a.board('streams').pair('pipe');
      const reader = yield* w.move(ends.read, a, b);
      const writer = yield* w.move(ends.write, a, c);
      const reading = w.start(b, function* (s) {
        let all = '';
        for (;;) {
          const part = yield* s.read(reader, 1000);
          if (part.length === 0) return all;
          all += text(part);
        }
      });
      for (let i = 0; i < 4; i++) yield* w.write(c, writer, bytes(content));
      yield* w.close(c, writer);
      const all = yield* reading();
      yield* w.close(b, reader);
      return all;
    });
    expect(seen).toBe(content.repeat(4));
    expect(w.metric('streams.open')).toBe(0);
  });

  it('ends for its reader when the host of its only writer dies, and breaks for a writer without readers', () => {
    const w = new World(noCache());
    const seen = w.drive(function* () {
      const [a, b, c] = [w.client(0), w.client(1), w.client(2)];
      const ends = a.board('streams').pair('pipe');
      const writer = yield* w.move(ends.write, a, b);
      yield* w.write(b, writer, bytes('last words'));
      const reading = w.start(a, function* (s) {
        return [text(yield* s.read(ends.read, 100)), text(yield* s.read(ends.read, 100))];
      });
      yield* sleep(seconds(1));
      b.crash();
      const read = yield* reading();
      const other = c.board('streams').pair('pipe');
      const far = yield* w.move(other.write, c, a);
      yield* w.close(c, other.read);
      return [read, yield* failure(w.write(a, far, bytes('x')))];
    });
    expect(seen).toEqual([['last words', ''], 'brokenPipe']);
  });

  it('is lost with its host, and who waits for it hears so', () => {
    const w = new World(noCache());
    const seen = w.drive(function* () {
      const [a, b] = [w.client(0), w.client(1)];
      const ends = a.board('streams').pair('pipe');
      const reader = yield* w.move(ends.read, a, b);
      const reading = w.start(b, (s) => s.read(reader, 10));
      yield* sleep(seconds(1));
      a.crash();
      const kind = yield* failure(reading());
      a.boot();
      yield* a.running();
      return [kind, yield* failure(w.read(b, reader, 10)), yield* failure(w.close(b, reader))];
    });
    expect(seen).toEqual(['objectLost', 'objectLost', undefined]);
  });
});
