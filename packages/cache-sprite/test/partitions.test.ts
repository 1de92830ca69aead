/** Networks that part: to either side it looks as if the other one had crashed. */
import { ms, seconds, sleep } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { failure, World } from './world.ts';

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
      return [during, yield* f.read()];
    });
    expect(seen).toEqual(['old', 'new']);
  });

  it('in the middle of an open leaves one open, not the one that was given up as well', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[1].put('/f', 'dirty');
      // The last writer takes twenty seconds to write back; the opener is cut off and tries again meanwhile.
      w.net.delayNs = (e) => (e.procedure === 'write' && !e.reply ? seconds(20) : ms(1));
      const opening = w[0].spawn(w[0].open('/f', { read: true }));
      yield* sleep(seconds(1));
      w.net.cut(w[0].id, w.server.id);
      yield* sleep(seconds(8));
      w.net.mend(w[0].id, w.server.id);
      const f = yield* opening.join();
      yield* f.close();
      w.net.delayNs = () => ms(1);
      yield* w[1].put('/f', 'cached');
      return w[1].metric('bytesWrittenRemote');
    });
    expect(seen).toBe(0);
  });

  it('in the middle of a close: a close that was given up does not count once more after the reopening', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { read: true });
      const g = yield* w[0].open('/f', { read: true });
      yield* f.read();
      if (w.server.storage !== null) w.server.storage.delayOnceNs = seconds(12);
      const closing = w[0].spawn(g.close());
      yield* sleep(seconds(1));
      w.net.cut(w[0].id, w.server.id);
      yield* closing.join();
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(20));
      yield* w[1].put('/f', 'new');
      return yield* f.read();
    });
    expect(seen).toBe('new');
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

  it('in which a file was closed does not leave its lock, though another stream of the host has the file open', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true });
      const g = yield* w[0].open('/f', { read: true });
      yield* f.lock('shared', 's1', 1);
      yield* g.lock('shared', 's2', 2);
      w.net.cut(w[0].id, w.server.id);
      yield* f.close();
      w.net.mend(w[0].id, w.server.id);
      yield* sleep(seconds(20));
      const h = yield* w[1].open('/f', { read: true });
      const before = yield* failure(h.lock('exclusive', 's3', 3));
      yield* g.lock('none', 's2', 4);
      return [before, yield* failure(h.lock('exclusive', 's3', 5))];
    });
    expect(seen).toEqual(['wouldBlock', undefined]);
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
