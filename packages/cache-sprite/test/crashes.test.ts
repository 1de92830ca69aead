/** Clients and servers that crash, and networks that part. There is no recovery board here: the protocol helps itself. */
import { ms, seconds, sleep } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { failure, World } from './world.ts';

describe('a client crash', () => {
  it('drops its opens: others may cache again, and an unlinked file is freed', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      yield* w[0].open('/f', { write: true });
      yield* w.server.put('/g', 'x');
      yield* w[0].open('/g', { read: true });
      yield* w.server.unlink('/g');
      const before = w.server.disk.nodes.size;
      w[0].crash();
      w[0].boot();
      // Its first call in its new life tells the server.
      yield* w[0].stat('/f');
      yield* w[1].put('/f', 'cached');
      return [before, w.server.disk.nodes.size, w[1].metric('bytesWrittenRemote')];
    });
    expect(seen).toEqual([3, 2, 0]);
  });

  it('loses what it had dirty, and no more', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.write('synced');
      yield* f.object.sync();
      yield* f.write('dirty!');
      w[0].crash();
      return yield* w[1].get('/f');
    });
    expect(seen).toBe('synced');
  });

  it('in the middle of an open leaves nothing of that open behind', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[1].put('/f', 'dirty');
      w.net.delayNs = (e) => (e.procedure === 'write' && !e.reply ? seconds(3) : ms(1));
      // The server calls the last writer back, which takes three seconds; meanwhile the opener dies.
      w[0].spawn(w[0].open('/f', { read: true }));
      yield* sleep(seconds(1));
      w[0].crash();
      w[0].boot();
      yield* w[0].stat('/f');
      yield* sleep(seconds(10));
      w.net.delayNs = () => ms(1);
      yield* w[1].put('/f', 'cached');
      return w[1].metric('bytesWrittenRemote');
    });
    expect(seen).toBe(0);
  });

  it('breaks its locks, and wakes who waits for them', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true });
      const g = yield* w[1].open('/f', { read: true });
      yield* f.lock('exclusive', 's1', 1);
      const refused = yield* failure(g.lock('shared', 's2', 7));
      w[0].crash();
      w[0].boot();
      yield* w[0].stat('/f');
      return [
        refused,
        w.server.woken.map((x) => `${x.host}/${x.ticket}`),
        yield* failure(g.lock('shared', 's2', 8)),
      ];
    });
    expect(seen).toEqual(['wouldBlock', ['3/7'], undefined]);
  });
});

describe('a server’s crash and reboot', () => {
  it('lets open files go on: reads, writes, attributes and dirty blocks', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old content');
      const s = yield* w.server.open('/f', { read: true });
      yield* s.object.sync();
      yield* s.close();
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* f.write('new');
      w.server.crash();
      yield* sleep(seconds(20));
      w.server.boot();
      yield* f.write('!', 11);
      const here = yield* f.read();
      yield* f.object.sync();
      yield* f.close();
      return [here, yield* w[1].get('/f'), w[0].metric('handlesReopened') > 0];
    });
    expect(seen).toEqual(['new content!', 'new content!', true]);
  });

  it('an operation under way waits for it, however long it takes', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const s = yield* w.server.open('/f', { write: true });
      yield* s.object.sync();
      const f = yield* w[0].open('/f', { read: true });
      w.server.crash();
      const reading = w[0].spawn(f.read());
      const looking = w[0].spawn(w[0].stat('/f'));
      const opening = w[0].spawn(w[0].open('/f', { read: true }));
      yield* sleep(seconds(600));
      const before = [reading.ended, looking.ended, opening.ended];
      w.server.boot();
      const g = yield* opening.join();
      return [before, yield* reading.join(), (yield* looking.join()).sizeBytes, yield* g.read()];
    });
    expect(seen).toEqual([[false, false, false], 'x', 1, 'x']);
  });

  it('a close does not wait for it, and is made good at the reopening', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { write: true });
      w.server.crash();
      const startNs = w.engine.nowNs;
      yield* f.close();
      const tookNs = w.engine.nowNs - startNs;
      w.server.boot();
      yield* sleep(seconds(10));
      yield* w[1].put('/f', 'y');
      return [tookNs < seconds(10), w[1].metric('bytesWrittenRemote')];
    });
    expect(seen).toEqual([true, 0]);
  });

  it('what a closed file has dirty reappears', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'dirty when the server crashed');
      w.server.crash();
      yield* sleep(seconds(100));
      w.server.boot();
      yield* sleep(seconds(100));
      return [yield* w[1].get('/f'), w.server.storage?.writes.length];
    });
    expect(seen).toEqual(['dirty when the server crashed', 1]);
  });

  it('what was synced is there, whether or not its client lives', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.write('synced');
      yield* f.object.sync();
      w[0].crash();
      w.server.crash();
      w.server.boot();
      return yield* w[1].get('/f');
    });
    expect(seen).toBe('synced');
  });

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

  it('an open that was under way when the reopening began counts', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { read: true });
      yield* f.object.sync();
      w.server.crash();
      w.server.boot();
      w.net.delayNs = (e) => (e.procedure === 'open' && e.reply && e.to === 2 ? seconds(4) : ms(1));
      // The first thing that the rebooted server hears is this open; a ping starts the reopening meanwhile.
      const opening = w[0].spawn(w[0].open('/f', { read: true }));
      const g = yield* opening.join();
      yield* sleep(seconds(10));
      yield* g.close();
      yield* w[1].put('/f', 'new');
      const kind = yield* failure(f.read());
      return [kind, kind === undefined ? yield* f.read() : ''];
    });
    expect(seen).toEqual([undefined, 'new']);
  });

  it('an open during the reopening waits until it is over', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { read: true });
      yield* f.object.sync();
      w.net.delayNs = (e) => (e.procedure === 'reopen' && !e.reply ? seconds(2) : ms(1));
      w.server.crash();
      w.server.boot();
      yield* sleep(seconds(3));
      const g = yield* w[0].open('/f', { read: true });
      yield* sleep(seconds(10));
      yield* g.close();
      yield* w[1].put('/f', 'new');
      return yield* f.read();
    });
    expect(seen).toBe('new');
  });

  it('a server that crashes again while it is being reopened is reopened again', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const files = [];
      for (let i = 0; i < 10; i++) {
        const f = yield* w[0].open(`/f${i}`, { read: true, write: true, create: true });
        yield* f.write(`content ${i}`);
        files.push(f);
      }
      w.net.delayNs = (e) => (e.procedure === 'reopen' ? ms(400) : ms(1));
      w.server.crash();
      w.server.boot();
      yield* sleep(seconds(4));
      w.server.crash();
      w.server.boot();
      w.net.delayNs = () => ms(1);
      yield* sleep(seconds(30));
      const contents: string[] = [];
      for (const f of files) {
        yield* f.object.sync();
        yield* f.close();
      }
      for (let i = 0; i < 10; i++) contents.push(yield* w[1].get(`/f${i}`));
      return contents;
    });
    expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => `content ${i}`));
    expect(w[0].metric('handlesLost')).toBe(0);
  });

  it('locks are held again, and those who wait are woken to ask again', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true });
      const g = yield* w[1].open('/f', { read: true });
      yield* f.object.sync();
      yield* f.lock('exclusive', 's1', 1);
      w.server.crash();
      w.server.boot();
      yield* sleep(seconds(20));
      const refused = yield* failure(g.lock('shared', 's2', 7));
      yield* f.close();
      return [
        refused,
        w.server.woken.map((x) => `${x.host}/${x.ticket}`),
        yield* failure(g.lock('shared', 's2', 8)),
      ];
    });
    expect(seen).toEqual(['wouldBlock', ['3/7'], undefined]);
  });
});

describe('a partition', () => {
  it('looks like a crash: a version written meanwhile makes the cut-off client’s file stale', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'start');
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* f.write('mine!');
      w.net.cut(w[0].id, w.server.id);
      yield* w[1].put('/f', 'their');
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(60));
      const kind = yield* failure(f.read());
      yield* f.close();
      return [kind, yield* w[0].get('/f'), yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['stale', 'their', 'their']);
  });

  it('in which nobody wrote costs nothing', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'start');
      const f = yield* w[0].open('/f', { read: true, write: true });
      yield* f.write('mine!');
      w.net.cut(w[0].id, w.server.id);
      const old = yield* w[1].get('/f');
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(60));
      const here = yield* f.read();
      yield* f.close();
      return [old, here, yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['start', 'mine!', 'mine!']);
    expect(w[0].metric('handlesLost')).toBe(0);
  });

  it('an idle reader does not go on reading its old copies when it is over', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { read: true });
      yield* f.read();
      w.net.cut(w[0].id, w.server.id);
      yield* w[1].put('/f', 'new');
      const during = yield* f.read();
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(20));
      return [during, yield* failure(f.read())];
    });
    expect(seen).toEqual(['old', 'stale']);
  });

  it('in which a file was closed does not leave it open at the server', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true });
      w.net.cut(w[0].id, w.server.id);
      yield* f.close();
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(20));
      yield* w[1].put('/f', 'y');
      return w[1].metric('bytesWrittenRemote');
    });
    expect(seen).toBe(0);
  });

  it('dirty blocks of one server that is away do not fail the writes to another file’s place for ever', () => {
    const w = new World({ blocksMax: 4, options: { delaySeconds: 1 } });
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.write('x'.repeat(4 * 4096));
      w.net.cut(w[0].id, w.server.id);
      const writing = w[0].spawn(f.write('y'.repeat(4096), 4 * 4096));
      yield* sleep(seconds(100));
      const waited = !writing.ended;
      w.net.mend(w[0].id, w.server.id);
      yield* writing.join();
      yield* f.close();
      return [waited, (yield* w[1].get('/f')).length];
    });
    expect(seen).toEqual([true, 5 * 4096]);
  });
});
