import { ms, seconds, sleep } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { failure, World } from './world.ts';

describe('sequential write sharing', () => {
  it('shows an open the bytes of the last close, though they are still in the writer’s cache', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'from the first');
      const one = yield* w[1].get('/f');
      yield* w[1].put('/f', 'and the second');
      return [one, yield* w[0].get('/f')];
    });
    expect(seen).toEqual(['from the first', 'and the second']);
    expect(w.server.metric('recalls')).toBe(2);
    expect(w.server.metric('invalidations')).toBe(0);
    expect(w[0].metric('versionMisses')).toBe(1);
  });

  it('recalls no more than once: a closed file that was written back has no last writer', () => {
    const w = new World();
    w.drive(function* () {
      yield* w[0].put('/f', 'x');
      for (let i = 0; i < 3; i++) yield* w[1].get('/f');
    });
    expect(w.server.metric('recalls')).toBe(1);
  });

  it('recalls a writer that still has the file open for reading, though its blocks were written back long ago', () => {
    const w = new World();
    const recalls = w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      yield* f.write('x');
      yield* f.object.sync();
      const g = yield* w[0].open('/f', { read: true });
      yield* f.close();
      yield* w[1].get('/f');
      yield* g.close();
      return w.server.metric('recalls');
    });
    expect(recalls).toBe(1); // and so recalls are counted that find nothing to do
  });

  it('lets two clients keep what they only read, and neither is called back', () => {
    const w = new World({ clients: 3 });
    const calls = w.drive(function* () {
      yield* w[0].put('/f', 'read me');
      const f = yield* w[1].open('/f', { read: true });
      const g = yield* w[2].open('/f', { read: true });
      yield* f.read();
      yield* g.read();
      w.net.log.length = 0;
      const both = [yield* f.read(), yield* g.read()];
      return [both, w.net.log.length];
    });
    expect(calls).toEqual([['read me', 'read me'], 0]);
    expect(w.server.metric('invalidations')).toBe(0);
  });
});

describe('concurrent write sharing', () => {
  it('disables caching when a writer and another host have a file open, and each sees the other’s last write', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'aaaa');
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* f.write('bb');
      const g = yield* w[1].open('/f', { read: true });
      const s = [yield* g.read()];
      yield* f.write('c');
      s.push(yield* g.read());
      return s;
    });
    expect(seen).toEqual(['bbaa', 'cbaa']);
    expect(w.server.metric('disables')).toBe(1);
    expect(w[0].metric('bytesWrittenRemote')).toBe(1);
  });

  it('invalidates the copies of readers when a writer comes', () => {
    const w = new World({ clients: 3 });
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'old');
      const f = yield* w[1].open('/f', { read: true });
      yield* f.read();
      const g = yield* w[2].open('/f', { write: true });
      yield* g.write('new');
      return yield* f.read();
    });
    expect(seen).toBe('new');
    expect(w.server.metric('invalidations')).toBe(1);
  });

  it('leaves caching off until everybody has closed the file, and then allows it again', () => {
    const w = new World({ clients: 3 });
    const cached = w.drive(function* () {
      yield* w[0].put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true, write: true });
      const g = yield* w[1].open('/f', { read: true });
      yield* f.close();
      // The sharing is over, but one that has seen it is still there.
      const h = yield* w[2].open('/f', { read: true });
      yield* h.read();
      const during = w[2].metric('bytesReadCached');
      yield* h.close();
      yield* g.close();
      yield* w[2].get('/f');
      return [during, w[2].metric('bytesReadCached')];
    });
    expect(cached).toEqual([0, 1]);
  });

  it('leaves a file cacheable that processes of one host share', () => {
    const w = new World();
    const remote = w.drive(function* () {
      yield* w[0].put('/f', 'x');
      const f = yield* w[0].open('/f', { write: true });
      const g = yield* w[0].open('/f', { read: true });
      yield* f.write('y');
      const seen = yield* g.read();
      return [seen, w[0].metric('bytesReadRemote') + w[0].metric('bytesWrittenRemote')];
    });
    expect(remote).toEqual(['y', 0]);
  });

  it('appends of several hosts follow one another', () => {
    const w = new World({ clients: 3 });
    const content = w.drive(function* () {
      yield* w[0].put('/log', '');
      const threads = w.clients.map((c, i) =>
        c.spawn(
          (function* () {
            const f = yield* c.open('/log', { write: true, append: true });
            yield* sleep(ms(50));
            for (let n = 0; n < 10; n++) yield* f.write(String(i), 'end');
            yield* f.close();
          })(),
        ),
      );
      for (const t of threads) yield* t.join();
      return yield* w[0].get('/log');
    });
    expect([...content].sort().join('')).toBe('0'.repeat(10) + '1'.repeat(10) + '2'.repeat(10));
  });

  it('that ends while the writer is called back does not keep the reader from caching', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.write('new');
      w.net.delayNs = (e) => (e.procedure === 'consistReply' ? ms(500) : ms(1));
      const opening = w[1].spawn(w[1].open('/f', { read: true }));
      yield* sleep(ms(100));
      yield* f.close();
      const g = yield* opening.join();
      return [yield* g.read(), w[1].metric('bytesReadRemote'), w.server.metric('disables')];
    });
    expect(seen).toEqual(['new', 0, 0]);
  });

  it('does not end before the writer, forbidden to keep copies, has closed all its opens', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.write('new');
      yield* w[0].open('/f', { read: true });
      w.net.delayNs = (e) => (e.procedure === 'consistReply' ? ms(500) : ms(1));
      const opening = w[1].spawn(w[1].open('/f', { read: true }));
      yield* sleep(ms(100));
      yield* f.close();
      const g = yield* opening.join();
      yield* w[0].get('/f');
      yield* sleep(seconds(20));
      return [yield* g.read(), w[1].metric('bytesReadRemote'), w[0].metric('handlesReopened')];
    });
    expect(seen).toEqual(['new', 3, 0]);
  });
});

describe('the server’s own programs', () => {
  it('see a client’s last close and are never called back', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'client');
      const s = [yield* w.server.get('/f')];
      yield* w.server.put('/f', 'SERV');
      s.push(yield* w[0].get('/f'));
      const f = yield* w.server.open('/f', { read: true });
      yield* w[0].put('/f', 'shared');
      s.push(yield* f.read());
      yield* f.close();
      return s;
    });
    expect(seen).toEqual(['client', 'SERVnt', 'shared']);
    expect(w.net.log.filter((l) => l.endsWith('>1') && l.startsWith('consist '))).toEqual([]);
    // Their bytes go to the storage and are not cached twice.
    expect(w.server.blocks.objects.size).toBe(0);
  });

  it('take no transport', () => {
    const w = new World();
    w.drive(function* () {
      yield* w.server.put('/f', 'x');
      yield* w.server.get('/f');
      yield* w.server.stat('/f');
    });
    expect(w.net.log).toEqual([]);
  });
});

describe('execution', () => {
  it('of a file that is open for writing is busy, and so is writing one that is executed', () => {
    const w = new World();
    const kinds = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true, mode: 0o755 });
      const first = yield* failure(w[1].open('/f', { execute: true }));
      yield* f.close();
      const g = yield* w[1].open('/f', { execute: true });
      const second = yield* failure(w[0].open('/f', { write: true }));
      const reading = yield* failure(w[0].get('/f'));
      yield* g.close();
      const third = yield* failure(w[0].put('/f', 'x'));
      return [first, second, reading, third];
    });
    expect(kinds).toEqual(['busy', 'busy', undefined, undefined]);
  });

  it('that failed leaves no open behind', () => {
    const w = new World();
    const kinds = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true, mode: 0o755 });
      yield* failure(w[1].open('/f', { execute: true }));
      yield* f.close();
      yield* w[0].unlink('/f');
      return w.server.disk.nodes.size;
    });
    expect(kinds).toBe(1);
  });
});

describe('a device', () => {
  it('is opened elsewhere: the server says where, and counts no open', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const { storage } = w.server;
      if (storage === null) throw new Error('no storage');
      const device = { host: 3, type: 1, unit: 2 };
      yield* storage.create(storage.root, 'tty', { type: 'device', mode: 0o666, uid: 0, gid: 0, device });
      const found = yield* w[0].board.open(
        w[0].target('/tty'),
        { read: true },
        { uid: 0, gid: 0, groups: [] },
      );
      yield* w[0].unlink('/tty');
      return [found, w.server.disk.nodes.size];
    });
    const elsewhere = { kind: 'device', protocol: 'sprite', authority: '3', id: { type: 1, unit: 2 } };
    expect(seen).toEqual([{ is: 'done', value: { elsewhere } }, 1]);
  });
});
