/** Callbacks: what they ask for, what may come between, and what becomes of a client that does not answer. */
import { ms, seconds, sleep } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { failure, World } from './world.ts';

describe('attributes that a client has', () => {
  it('are asked for when others look', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* sleep(seconds(1));
      yield* f.write('12345');
      yield* sleep(seconds(1));
      const a = yield* w[1].stat('/f');
      const own = yield* w[0].stat('/f');
      const open = yield* f.object.attributes();
      return [a.sizeBytes, Math.round(a.modifyNs / 1e9), own.sizeBytes, open.sizeBytes, own.identity];
    });
    expect(seen.slice(0, 4)).toEqual([5, 1, 5, 5]);
    expect(w.server.metric('attributeRecalls')).toBe(1);
  });

  it('are known from its close while its blocks are still dirty', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* sleep(seconds(1));
      yield* w[0].put('/f', '12345');
      yield* sleep(seconds(5));
      const a = yield* w[1].stat('/f');
      return [a.sizeBytes, Math.round(a.modifyNs / 1e9), w.server.metric('attributeRecalls')];
    });
    expect(seen).toEqual([5, 1, 0]);
  });

  it('keep the time at which the program wrote, however late the blocks come', () => {
    const w = new World();
    const modified = w.drive(function* () {
      yield* sleep(seconds(2));
      yield* w[0].put('/f', '12345');
      yield* sleep(seconds(60));
      return Math.round((yield* w[1].stat('/f')).modifyNs / 1e9);
    });
    expect(modified).toBe(2);
    expect(w.server.storage?.writes.length).toBe(1);
  });

  it('do not undo a time that was set by hand since', () => {
    const w = new World();
    const modified = w.drive(function* () {
      yield* sleep(seconds(50));
      yield* w[0].put('/f', '12345');
      yield* w[1].name('/f', 'setAttributes', { change: { modifyNs: seconds(7) }, follow: true });
      const before = (yield* w[0].stat('/f')).modifyNs;
      yield* sleep(seconds(60));
      return [before, (yield* w[0].stat('/f')).modifyNs].map((ns) => ns / 1e9);
    });
    expect(modified).toEqual([7, 7]);
  });

  it('of a file that is executed are accessed now, and nobody is asked', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true, mode: 0o755 });
      yield* f.close();
      const g = yield* w[0].open('/f', { execute: true });
      yield* sleep(seconds(9));
      const a = yield* w[1].stat('/f');
      yield* g.close();
      return Math.round(a.accessNs / 1e9);
    });
    expect(seen).toBe(9);
    expect(w.server.metric('attributeRecalls')).toBe(0);
  });

  it('tell when a reader has read, at its close', () => {
    const w = new World();
    const accessed = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true });
      yield* f.read();
      yield* sleep(seconds(3));
      yield* f.read();
      yield* f.close();
      yield* sleep(seconds(3));
      return Math.round((yield* w[1].stat('/f')).accessNs / 1e9);
    });
    expect(accessed).toBe(3);
  });
});

describe('a callback that overtakes the reply to an open', () => {
  /** The reply to the reader's open takes 250 ms; a writer comes in between. */
  const race = (delayReplyOf: number) => {
    const w = new World();
    w.net.delayNs = (e) => (e.procedure === 'open' && e.reply && e.to === delayReplyOf ? ms(250) : ms(1));
    return w;
  };

  it('is refused and sent again, so that the reader’s new permission does not outlive its withdrawal', () => {
    const w = race(2);
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const reader = w[0].spawn(w[0].open('/f', { read: true }));
      yield* sleep(ms(20));
      const g = yield* w[1].open('/f', { write: true });
      const f = yield* reader.join();
      yield* g.write('new');
      return yield* f.read();
    });
    expect(seen).toBe('new');
    expect(w.server.metric('refusals')).toBeGreaterThan(0);
    expect(w[0].metric('bytesReadCached')).toBe(0);
  });

  it('is not refused for an open that nobody waits for', () => {
    const w = race(2);
    const waited = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const reader = w[0].spawn(w[0].open('/f', { read: true }));
      yield* sleep(ms(20));
      reader.cancel();
      const startNs = w.engine.nowNs;
      yield* w[1].put('/f', 'new');
      return w.engine.nowNs - startNs;
    });
    expect(waited).toBeLessThan(ms(100));
  });
});

describe('an open that was cancelled while the server opened the file', () => {
  it('is closed there in the end, and the file can be cached again', () => {
    const w = new World();
    w.net.delayNs = (e) => (e.procedure === 'open' && e.reply && e.to === 2 ? ms(250) : ms(1));
    const shared = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const reader = w[0].spawn(w[0].open('/f', { read: true }));
      yield* sleep(ms(20));
      reader.cancel();
      yield* w[1].put('/f', 'new');
      const during = w[1].metric('bytesWrittenRemote');
      yield* sleep(seconds(100));
      yield* w[1].put('/f', 'newer');
      return [during, w[1].metric('bytesWrittenRemote')];
    });
    expect(shared).toEqual([3, 3]);
  });
});

describe('replies to opens of one client', () => {
  it('that overtake one another do not cost it dirty blocks', () => {
    const w = new World();
    let slow = false;
    w.net.delayNs = (e) => (e.procedure === 'open' && e.reply && slow ? ms(100) : ms(1));
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      yield* f.write('dirty');
      slow = true;
      const late = w[0].spawn(w[0].open('/f', { write: true }));
      yield* sleep(ms(10));
      slow = false;
      const early = yield* w[0].open('/f', { write: true });
      const one = yield* f.read();
      const g = yield* late.join();
      const two = yield* f.read();
      for (const o of [f, g, early]) yield* o.close();
      return [one, two, yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['dirty', 'dirty', 'dirty']);
  });

  it('that overtake one another do not bring back what an open has emptied, nor empty what was written since', () => {
    const w = new World();
    let slow = false;
    w.net.delayNs = (e) => (e.procedure === 'open' && e.reply && slow ? ms(100) : ms(1));
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      yield* f.write('gone');
      slow = true;
      const emptying = w[0].spawn(w[0].open('/f', { write: true, truncate: true }));
      yield* sleep(ms(10));
      slow = false;
      const g = yield* w[0].open('/f', { write: true });
      const one = yield* f.read();
      yield* g.write('since');
      const e = yield* emptying.join();
      const two = yield* f.read();
      for (const o of [f, g, e]) yield* o.close();
      return [one, two, yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['', 'since', 'since']);
  });
});

describe('a client whose own open takes its copies from it', () => {
  it('is asked to drop them when the next one writes, though the server has told it already', () => {
    const w = new World({ clients: 3 });
    let slow = false;
    w.net.delayNs = (e) => (e.procedure === 'open' && e.reply && e.to === 2 && slow ? ms(250) : ms(1));
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { read: true });
      yield* f.read();
      const other = yield* w[1].open('/f', { read: true });
      slow = true;
      // This open forbids copies; its reply is on the way for a quarter of a second.
      const writer = w[0].spawn(w[0].open('/f', { write: true }));
      yield* sleep(ms(20));
      const g = yield* w[2].open('/f', { write: true });
      yield* g.write('new');
      const read = yield* f.read();
      yield* (yield* writer.join()).close();
      yield* other.close();
      return read;
    });
    expect(seen).toBe('new');
  });
});

describe('a client that does not do as it is told', () => {
  it('within a minute is dropped from the file, the open goes on, and what it had dirty is refused', () => {
    const w = new World();
    // The report of the first client never comes in time.
    w.net.delayNs = (e) => (e.procedure === 'write' && !e.reply && e.from === 2 ? seconds(100) : ms(1));
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'lost');
      const startNs = w.engine.nowNs;
      const f = yield* w[1].open('/f', { read: true, write: true });
      const tookNs = w.engine.nowNs - startNs;
      yield* f.write('kept');
      yield* f.close();
      w.net.delayNs = () => ms(1);
      yield* sleep(seconds(200));
      return [Math.round(tookNs / 1e9), yield* w[0].get('/f'), w[0].metric('blocksLost')];
    });
    expect(seen).toEqual([60, 'kept', 1]);
    expect(w.server.metric('timeouts')).toBe(1);
  });

  it('loses its locks on that file when it cannot reopen it', () => {
    const w = new World();
    w.net.delayNs = (e) => (e.procedure === 'write' && !e.reply && e.from === 2 ? seconds(100) : ms(1));
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.lock('exclusive', 's1', 1);
      yield* f.write('lost');
      const g = yield* w[1].open('/f', { read: true, write: true });
      const refused = yield* failure(g.lock('exclusive', 's2', 2));
      yield* sleep(seconds(200));
      return [refused, w.server.woken.length, yield* failure(g.lock('exclusive', 's2', 3))];
    });
    expect(seen).toEqual(['wouldBlock', 1, undefined]);
    expect(w[0].metric('handlesLost')).toBe(1);
  });

  it('because it is dead is forgotten: others see the old bytes', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      yield* w[0].put('/f', 'new');
      const f = yield* w[0].open('/f', { read: true });
      void f;
      w[0].crash();
      const content = yield* w[1].get('/f');
      yield* w[1].put('/f', 'own');
      return [content, w[1].metric('bytesWrittenRemote')];
    });
    expect(seen).toEqual(['old', 0]);
    expect(w.server.metric('clientsDropped')).toBe(1);
  });
});

describe('a full disk', () => {
  it('leaves blocks dirty, fails the open that asks for them, and they are written when there is room', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'x'.repeat(8000));
      w.server.disk.room = 4096;
      const kind = yield* failure(w[1].open('/f', { read: true }));
      yield* sleep(seconds(60));
      w.server.disk.room = 1e9;
      const content = yield* w[1].get('/f');
      return [kind, content.length];
    });
    expect(seen).toEqual(['noSpace', 8000]);
  });

  it('keeps no other file from being written back', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/large', 'x'.repeat(8000));
      yield* w[0].put('/small', 'y');
      w.server.disk.room = 5000;
      const kind = yield* failure(w[0].board.sync());
      return [kind, w.server.storage?.writes.map((l) => l.split('+')[1])];
    });
    expect(seen).toEqual(['noSpace', ['4096', '1']]);
  });

  it('is the program’s error when it asks for a sync', () => {
    const w = new World();
    const kind = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      w.server.disk.room = 0;
      yield* f.write('x');
      return yield* failure(f.object.sync());
    });
    expect(kind).toBe('noSpace');
  });
});

describe('a write-back during a callback', () => {
  it('and a close during a callback never wait for the file’s turn', () => {
    const w = new World({ clients: 3 });
    const took = w.drive(function* () {
      // While the writer is being called back for one open, another waits its turn; the writer closes meanwhile.
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.write('x'.repeat(50_000));
      w.net.delayNs = (e) => (e.procedure === 'consist' && !e.reply ? ms(500) : ms(1));
      const startNs = w.engine.nowNs;
      const one = w[1].spawn(w[1].get('/f'));
      const two = w[2].spawn(w[2].get('/f'));
      yield* sleep(ms(100));
      yield* f.object.sync();
      yield* f.close();
      const closedNs = w.engine.nowNs - startNs;
      const both = [(yield* one.join()).length, (yield* two.join()).length];
      return [closedNs < ms(200), both];
    });
    expect(took).toEqual([true, [50_000, 50_000]]);
  });
});
