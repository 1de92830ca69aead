/** What the copies of clients are worth after a server’s reboot, and who may keep some. */
import { ms, seconds, sleep, us } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { failure, World } from './world.ts';

describe('after a server’s reboot', () => {
  it('a reader that slips in before the writer reopens is told to stop caching, and reads the writer’s bytes then', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const s = yield* w.server.open('/f', { write: true });
      yield* s.object.sync();
      yield* s.close();
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* f.write('new');
      w.net.cut(w[0].id, w.server.id);
      w.server.crash();
      w.server.boot();
      const g = yield* w[1].open('/f', { read: true });
      const first = yield* g.read();
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(20));
      const second = yield* g.read();
      yield* f.close();
      yield* g.close();
      return [first, second, yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['old', 'new', 'new']);
  });

  it('one that slips in, reads the old bytes and closes, finds the new ones at its next open', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const s = yield* w.server.open('/f', { write: true });
      yield* s.object.sync();
      yield* s.close();
      yield* w[0].put('/f', 'new');
      w.net.cut(w[0].id, w.server.id);
      w.server.crash();
      w.server.boot();
      const first = yield* w[1].get('/f');
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(60));
      return [first, yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['old', 'new']);
  });

  it('one that slips in and closes does not take its copies for good after a writer without copies has come back', () => {
    const w = new World({ clients: 3 });
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* w[2].open('/f', { read: true });
      yield* f.object.sync();
      w.net.cut(w[0].id, w.server.id);
      w[2].crash();
      w.server.crash();
      w.server.boot();
      const first = yield* w[1].get('/f');
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(20));
      yield* f.write('new');
      yield* f.close();
      return [first, yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['old', 'new']);
  });

  it('nor if the server has crashed once more since', () => {
    const w = new World({ clients: 3 });
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* w[2].open('/f', { read: true });
      yield* f.object.sync();
      w.net.cut(w[0].id, w.server.id);
      w[2].crash();
      w.server.crash();
      w.server.boot();
      const first = yield* w[1].get('/f');
      w.server.crash();
      w.server.boot();
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(20));
      yield* f.write('new');
      yield* f.close();
      return [first, yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['old', 'new']);
  });

  it('one that slipped in, and is late itself at the next reboot, drops its copies and reads on', () => {
    const w = new World({ clients: 3 });
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* w[2].open('/f', { read: true });
      yield* f.object.sync();
      w.net.cut(w[0].id, w.server.id);
      w[2].crash();
      w.server.crash();
      w.server.boot();
      const g = yield* w[1].open('/f', { read: true });
      const first = yield* g.read();
      w.net.cut(w[1].id, w.server.id);
      w.server.crash();
      w.server.boot();
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(20));
      yield* f.write('new');
      w.net.mend(w[1].id, w.server.id);
      yield* sleep(seconds(60));
      const second = yield* g.read();
      yield* g.close();
      yield* f.close();
      return [first, second];
    });
    expect(seen).toEqual(['old', 'new']);
    expect(w[1].metric('handlesLost')).toBe(0);
  });

  it('a writer that slips in makes the late one’s file stale, and only that one', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      const h = yield* w[0].open('/h', { read: true, write: true, create: true });
      yield* f.write('mine');
      yield* h.write('other');
      w.net.cut(w[0].id, w.server.id);
      w.server.crash();
      w.server.boot();
      yield* w[1].put('/f', 'theirs');
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(60));
      const kind = yield* failure(f.read());
      yield* f.close();
      const other = yield* h.read();
      yield* h.close();
      return [kind, other, yield* w[0].get('/f'), yield* w[1].get('/h')];
    });
    expect(seen).toEqual(['stale', 'other', 'theirs', 'other']);
    expect(w[0].metric('handlesLost')).toBe(1);
    expect(w[0].metric('blocksLost')).toBe(1);
  });

  it('an open for writing that the server executed and did not answer does not cost its client what it has dirty', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'dirty');
      w.net.delayNs = (e) => (e.procedure === 'open' && e.reply ? seconds(3) : ms(1));
      const opening = w[0].spawn(w[0].open('/f', { read: true, write: true }));
      yield* sleep(seconds(1));
      w.server.crash();
      w.server.boot();
      w.net.delayNs = () => ms(1);
      const f = yield* opening.join();
      yield* f.close();
      return yield* w[1].get('/f');
    });
    expect(seen).toBe('dirty');
    expect(w[0].metric('blocksLost')).toBe(0);
  });

  it('a reader whose own calls were not answered does not take old copies for good', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { read: true });
      yield* f.object.sync();
      yield* f.read();
      // An open for writing of another file is never answered; meanwhile somebody else writes.
      w.net.delayNs = (e) => (e.procedure === 'open' && e.reply && e.to === 2 ? seconds(3) : ms(1));
      w[0].spawn(w[0].open('/g', { write: true, create: true }));
      yield* sleep(ms(500));
      w.net.cut(w[0].id, w.server.id);
      w.server.crash();
      w.server.boot();
      w.net.delayNs = () => ms(1);
      const g = yield* w[1].open('/f', { write: true });
      yield* g.write('new');
      yield* g.object.sync();
      yield* g.close();
      w.server.crash();
      w.server.boot();
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(20));
      return yield* f.read();
    });
    expect(seen).toBe('new');
  });

  it('an open that it grants before it is told of the others does not bring copies back too early', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', '....');
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* w[1].open('/f', { read: true });
      yield* f.object.sync();
      w[1].crash();
      w.server.crash();
      w.server.boot();
      // The new life knows nobody, and grants copies; a write of the earlier open arrives while its reply travels.
      w.net.delayNs = (e) => (e.procedure === 'open' && e.reply ? ms(300) : ms(1));
      const opening = w[0].spawn(w[0].open('/f', { read: true, write: true }));
      yield* sleep(ms(100));
      yield* f.write('much longer');
      const g = yield* opening.join();
      return [yield* g.read(), yield* f.read()];
    });
    expect(seen).toEqual(['much longer', 'much longer']);
  });

  it('a closed file whose last dirty block leaves while it is reopened is forgotten', () => {
    const w = new World();
    const actions = w.drive(function* () {
      yield* w.server.put('/g', 'x');
      // An open that is given up: ninety seconds later the client reopens what it has.
      const opening = w[0].spawn(w[0].open('/g', { read: true }));
      yield* sleep(us(500));
      opening.cancel();
      yield* sleep(seconds(57));
      yield* w[0].put('/f', 'dirty');
      // The block leaves three seconds before the reopening; its reply comes after it.
      w.net.delayNs = (e) => (e.procedure === 'write' && e.reply ? seconds(10) : ms(1));
      yield* sleep(seconds(60));
      expect(w[0].metric('handlesReopened')).toBe(1);
      expect(w[0].metric('bytesWrittenBack')).toBe(5);
      yield* w[1].get('/f');
      return w.server.metric('consistActions');
    });
    expect(actions).toBe(0);
  });

  it('a version that the crash took with it is not mistaken for the one that is given instead', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'zero');
      yield* w[0].put('/f', 'mine');
      yield* w[0].board.sync();
      const node = [...w.server.disk.nodes.values()].find((n) => n.attributes.type === 'file');
      if (node === undefined) throw new Error('no file');
      const lost = node.attributes.version;
      w.server.crash();
      // The disk has an older descriptor.
      node.attributes = { ...node.attributes, version: lost - 1 };
      w.server.boot();
      yield* w[1].put('/f', 'THEIRS');
      const given = node.attributes.version;
      return [given === lost, yield* w[0].get('/f')];
    });
    expect(seen).toEqual([true, 'THEIRS']);
  });

  it('files that were shared stay without copies until all have closed them', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true, write: true });
      const g = yield* w[1].open('/f', { read: true });
      yield* f.object.sync();
      w.server.crash();
      w.server.boot();
      yield* sleep(seconds(20));
      yield* f.write('y');
      const read = yield* g.read();
      yield* g.close();
      yield* f.write('z');
      const remote = w[0].metric('bytesWrittenRemote');
      yield* f.close();
      yield* w[0].put('/f', 'c');
      return [read, remote, w[0].metric('bytesWrittenRemote')];
    });
    expect(seen).toEqual(['y', 2, 2]);
  });

  it('files that were shared stay so for the one that is left, until it closes', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* w[1].open('/f', { read: true });
      yield* f.object.sync();
      w[1].crash();
      w.server.crash();
      w.server.boot();
      yield* sleep(seconds(20));
      yield* f.write('y');
      const remote = w[0].metric('bytesWrittenRemote');
      yield* f.close();
      yield* w[0].put('/f', 'c');
      return [remote, w[0].metric('bytesWrittenRemote')];
    });
    expect(seen).toEqual([1, 1]);
  });

  it('a writer that had nothing dirty when it reopened is called back for what it writes since', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.write('before');
      yield* f.object.sync();
      w.server.crash();
      w.server.boot();
      yield* sleep(seconds(20));
      yield* f.write('since!');
      yield* f.close();
      return yield* w[1].get('/f');
    });
    expect(seen).toBe('since!');
  });

  it('a client that may not cache any more, but is still writing back, is called back like a caching one', () => {
    const w = new World({ clients: 3 });
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const s = yield* w.server.open('/f', { write: true });
      yield* s.object.sync();
      yield* s.close();
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* f.write('new');
      w.net.cut(w[0].id, w.server.id);
      w.server.crash();
      w.server.boot();
      yield* w[1].open('/f', { read: true });
      w.net.delayNs = (e) => (e.procedure === 'write' && !e.reply ? seconds(3) : ms(1));
      w.net.mend(w[0].id, w.server.id);
      // The reopening has told the first client to write back, which takes three seconds.
      yield* sleep(seconds(4));
      const reopened = w.net.log.includes('reopen 2>1') && !w.net.log.includes('write 2>1');
      return [reopened, yield* w[2].get('/f')];
    });
    expect(seen).toEqual([true, 'new']);
  });
});
