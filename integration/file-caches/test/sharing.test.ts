/** Sprite's caches as programs see them, over real kernels. */
import { seconds, sleep } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { bytes, failure, get, put, text, World } from './world.ts';

describe('files that are shared', () => {
  it('one after the other: each open sees the last close, wherever it was', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'first'));
      const one = yield* w.on(w.client(1), (sys) => get(sys, '/f'));
      yield* w.on(w.client(1), (sys) => put(sys, '/f', 'second'));
      const two = yield* w.on(w.server, (sys) => get(sys, '/f'));
      yield* w.on(w.server, (sys) => put(sys, '/f', 'third'));
      return [one, two, yield* w.on(w.client(0), (sys) => get(sys, '/f'))];
    });
    expect(seen).toEqual(['first', 'second', 'third']);
    expect(w.metric('recalls')).toBe(2);
    expect(w.metric('disables')).toBe(0);
  });

  it('at the same time: caching is off from then on, and every read sees the last write', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', '0'));
      const read: string[] = [];
      const reader = w.start(w.client(1), function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        for (let i = 0; i < 5; i++) {
          yield* sys.sleep(seconds(1));
          read.push(text(yield* sys.readAt(fd, 0, 10)));
        }
        yield* sys.close(fd);
      });
      yield* w.on(w.client(0), function* (sys) {
        const fd = yield* sys.open('/f', { write: true });
        yield* sys.sleep(seconds(0.5));
        for (let i = 1; i <= 5; i++) {
          yield* sys.writeAt(fd, 0, bytes(String(i)));
          yield* sys.sleep(seconds(1));
        }
        yield* sys.close(fd);
      });
      yield* reader.join();
      return read;
    });
    expect(seen).toEqual(['1', '2', '3', '4', '5']);
    expect(w.metric('disables')).toBe(1);
  });

  it('dirty blocks reach the server’s storage 30 to 35 seconds after they were written', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'x'));
      const stored = (): number => w.metric('bytesWrittenBack');
      yield* sleep(seconds(29));
      const before = stored();
      yield* sleep(seconds(7));
      return [before, stored()];
    });
    expect(seen).toEqual([0, 1]);
  });

  it('a temporary file that is removed in time costs the server no write', () => {
    const w = new World();
    w.drive(function* () {
      yield* w.on(w.client(0), function* (sys) {
        yield* put(sys, '/tmp1', 'x'.repeat(100_000));
        yield* get(sys, '/tmp1');
        yield* sys.unlink('/tmp1');
      });
      yield* sleep(seconds(60));
    });
    expect(w.metric('bytesWrittenBack')).toBe(0);
    expect(w.metric('blocksDiscarded')).toBe(25);
  });

  it('a second read asks nobody for bytes', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.on(w.server, (sys) => put(sys, '/f', 'y'.repeat(50_000)));
      yield* w.on(w.client(0), (sys) => get(sys, '/f'));
      const once = w.metric('bytesFetched');
      yield* w.on(w.client(0), (sys) => get(sys, '/f'));
      return [once, w.metric('bytesFetched')];
    });
    expect(seen).toEqual([50_000, 50_000]);
  });

  it('an unlinked file lives until its last close on any host', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'alive'));
      const read: string[] = [];
      const reader = w.start(w.client(1), function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        yield* sys.sleep(seconds(5));
        read.push(text(yield* sys.read(fd, 100)));
        yield* sys.close(fd);
      });
      yield* sleep(seconds(1));
      yield* w.on(w.client(0), (sys) => sys.unlink('/f'));
      const gone = yield* w.on(w.client(0), (sys) => failure(sys.open('/f', { read: true })));
      yield* reader.join();
      return [read, gone];
    });
    expect(seen).toEqual([['alive'], 'notFound']);
  });

  it('locks are waited for across hosts, and broken when their host dies', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.on(w.server, (sys) => put(sys, '/f', ''));
      w.start(w.client(0), function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        yield* sys.lock(fd, 'exclusive', { wait: true });
        yield* sys.sleep(seconds(1000));
      });
      yield* sleep(seconds(1));
      const locked: number[] = [];
      const waiting = w.start(w.client(1), function* (sys) {
        const fd = yield* sys.open('/f', { read: true });
        yield* sys.lock(fd, 'exclusive', { wait: true });
        locked.push(yield* sys.time());
      });
      yield* sleep(seconds(10));
      const before = locked.length;
      yield* w.reboot(w.client(0));
      // The first thing that the rebooted client says tells the server.
      yield* w.on(w.client(0), (sys) => sys.stat('/f'));
      yield* waiting.join();
      return [before, locked.length];
    });
    expect(seen).toEqual([0, 1]);
  });

  it('a halt writes back what is dirty', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.on(w.client(0), (sys) => put(sys, '/f', 'kept'));
      yield* w.client(0).halt();
      return yield* w.on(w.client(1), (sys) => get(sys, '/f'));
    });
    expect(seen).toBe('kept');
  });
});
