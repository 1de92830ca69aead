/** Clients and servers that crash. There is no recovery board here: the protocol helps itself. */
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

  it('that is only found out by an open does not keep that open from caching', () => {
    const w = new World();
    const remote = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      yield* w[0].open('/f', { write: true });
      w[0].crash();
      yield* w[1].put('/f', 'y');
      return w[1].metric('bytesWrittenRemote');
    });
    expect(remote).toBe(0);
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
