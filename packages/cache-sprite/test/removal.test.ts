/** Files that go, and sizes that shrink, while blocks are in caches and on the way. */
import { ms, seconds, sleep } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { failure, World } from './world.ts';

describe('unlink', () => {
  it('of a file that a client has dirty throws its blocks away: nothing is ever written', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'never');
      yield* w[1].unlink('/f');
      yield* sleep(seconds(60));
      return [w.server.storage?.writes.length, w[0].metric('blocksDiscarded'), w.server.disk.nodes.size];
    });
    expect(seen).toEqual([0, 1, 1]);
    expect(w.server.metric('discards')).toBe(1);
  });

  it('by the client that has it dirty does so too', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/tmp1', 'never');
      yield* w[0].unlink('/tmp1');
      yield* sleep(seconds(60));
      return [w.server.storage?.writes.length, w[0].metric('blocksDiscarded')];
    });
    expect(seen).toEqual([0, 1]);
  });

  it('of an open file leaves it to those who have it open, and its last close frees it', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'still');
      const f = yield* w[0].open('/f', { read: true, write: true });
      const g = yield* w[1].open('/f', { read: true });
      yield* w[1].unlink('/f');
      yield* f.write('here', 5);
      const content = yield* g.read();
      const gone = yield* failure(w[1].get('/f'));
      yield* f.close();
      const nodes = w.server.disk.nodes.size;
      yield* g.close();
      return [content, gone, nodes, w.server.disk.nodes.size];
    });
    expect(seen).toEqual(['stillhere', 'notFound', 2, 1]);
  });

  it('of an open, dirty file: the close hears that the file is gone, and nothing is written', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      yield* f.write('scratch');
      yield* w[0].unlink('/f');
      const content = yield* f.read();
      yield* f.close();
      yield* sleep(seconds(60));
      return [content, w.server.storage?.writes.length, w[0].metric('blocksDiscarded')];
    });
    expect(seen).toEqual(['scratch', 0, 1]);
    expect(w.server.metric('discards')).toBe(0);
  });

  it('told to a client by its own late write-back, if no callback reached it', () => {
    const w = new World();
    w.net.delayNs = (e) => (e.procedure === 'consist' ? seconds(100) : ms(1));
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'late');
      yield* w[1].unlink('/f');
      yield* sleep(seconds(60));
      return [w.server.storage?.writes.length, w[0].metric('blocksDiscarded'), w[0].metric('handlesLost')];
    });
    expect(seen).toEqual([0, 1, 0]);
  });

  it('lets a new file of the same name start afresh', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w[0].put('/f', 'the first one');
      yield* w[0].get('/f');
      yield* w[1].unlink('/f');
      yield* w[1].put('/f', 'second');
      return yield* w[0].get('/f');
    });
    expect(seen).toBe('second');
  });
});

describe('truncation', () => {
  it('is not undone by a block that was on its way', () => {
    const w = new World();
    let slow = false;
    w.net.delayNs = (e) => (e.procedure === 'write' && !e.reply && slow ? ms(300) : ms(1));
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      yield* f.write('x'.repeat(20_000));
      slow = true;
      const flushing = w[0].spawn(f.object.sync());
      yield* sleep(ms(350));
      yield* f.object.truncate(10);
      yield* flushing.join();
      yield* f.close();
      return [(yield* w[1].get('/f')).length, (yield* w[1].stat('/f')).sizeBytes];
    });
    expect(seen).toEqual([10, 10]);
  });

  it('by an open is not undone by a block that was on its way', () => {
    const w = new World();
    let slow = false;
    w.net.delayNs = (e) => (e.procedure === 'write' && !e.reply && slow ? ms(300) : ms(1));
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      yield* f.write('x'.repeat(20_000));
      slow = true;
      const flushing = w[0].spawn(f.object.sync());
      yield* sleep(ms(20));
      const g = yield* w[0].open('/f', { write: true, truncate: true });
      yield* flushing.join();
      yield* f.close();
      yield* g.close();
      return [(yield* w[1].get('/f')).length, (yield* w[1].stat('/f')).sizeBytes];
    });
    expect(seen).toEqual([0, 0]);
  });

  it('leaves zeros beyond the end, in a block that was dirty and in one that was clean', () => {
    for (const synced of [false, true]) {
      const w = new World();
      const seen = w.drive(function* () {
        const f = yield* w[0].open('/f', { read: true, write: true, create: true });
        yield* f.write('x'.repeat(6000));
        if (synced) yield* f.object.sync();
        yield* f.object.truncate(5000);
        yield* f.object.truncate(5500);
        yield* f.write('y', 5800);
        const here = yield* f.read();
        yield* f.close();
        const there = yield* w[1].get('/f');
        return [here === there, here.replace(/\0+/g, '0').replace(/x+/, 'x'), here.length];
      });
      expect(seen).toEqual([true, 'x0y', 5801]);
    }
  });

  it('that extends reads as zeros, also where nothing was ever written', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      yield* f.write('x');
      yield* f.object.truncate(9000);
      const here = yield* f.read();
      yield* f.close();
      return [here.length, here.replaceAll('\0', ''), (yield* w[1].get('/f')) === here];
    });
    expect(seen).toEqual([9000, 'x', true]);
  });

  it('of a shared file is seen by all at once', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'long content');
      const f = yield* w[0].open('/f', { read: true, write: true });
      const g = yield* w[1].open('/f', { read: true });
      yield* f.object.truncate(4);
      return yield* g.read();
    });
    expect(seen).toBe('long');
  });

  it('throws dirty blocks away that lie beyond', () => {
    const w = new World();
    w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.write('x'.repeat(20_000));
      yield* f.object.truncate(0);
      yield* f.close();
      yield* sleep(seconds(60));
    });
    expect(w.server.storage?.writes).toEqual([]);
    expect(w[0].metric('blocksDiscarded')).toBe(5);
  });
});
