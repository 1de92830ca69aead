/** Programs that are killed in the middle of an operation: their server may have executed it, or not. */
import { ms, seconds, sleep } from '@backplane/engine';
import { describe, expect, it } from 'vitest';
import { failure, World } from './world.ts';

describe('a program that is killed', () => {
  it('while its close waits for a write-back leaves nothing open', () => {
    const w = new World();
    const remote = w.drive(function* () {
      const f = yield* w[0].open('/f', { write: true, create: true });
      yield* f.write('dirty');
      w.net.delayNs = (e) => (e.procedure === 'write' ? seconds(1) : ms(1));
      w[0].spawn(f.object.sync());
      yield* sleep(ms(100));
      const closing = w[0].spawn(f.close());
      yield* sleep(ms(100));
      closing.cancel();
      yield* sleep(seconds(10));
      yield* w[1].put('/f', 'cached');
      return w[1].metric('bytesWrittenRemote');
    });
    expect(remote).toBe(0);
  });

  it('while the server closes its file has closed it once: another open of its host stays', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'old');
      const f = yield* w[0].open('/f', { read: true });
      const g = yield* w[0].open('/f', { read: true });
      yield* f.read();
      w.net.delayNs = (e) => (e.procedure === 'close' ? ms(500) : ms(1));
      const closing = w[0].spawn(g.close());
      yield* sleep(ms(100));
      closing.cancel();
      yield* sleep(seconds(10));
      yield* w[1].put('/f', 'new');
      return yield* f.read();
    });
    expect(seen).toBe('new');
  });

  it('while it truncates leaves a file of which its own host and the server have the same', () => {
    const w = new World();
    const seen = w.drive(function* () {
      const f = yield* w[0].open('/f', { read: true, write: true, create: true });
      yield* f.write('longer');
      w.net.delayNs = (e) => (e.procedure === 'truncate' && e.reply ? ms(500) : ms(1));
      const truncating = w[0].spawn(f.object.truncate(4));
      yield* sleep(ms(100));
      truncating.cancel();
      yield* sleep(seconds(2));
      const here = yield* f.read();
      yield* f.close();
      return [here, yield* w[1].get('/f')];
    });
    expect(seen).toEqual(['long', 'long']);
  });

  it('while it asks for a lock does not keep it for ever, if the request arrives after the close', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true });
      yield* w[0].open('/f', { read: true });
      w.net.delayNs = (e) => (e.procedure === 'lock' ? seconds(1) : ms(1));
      const locking = w[0].spawn(f.lock('exclusive', 's1', 1));
      yield* sleep(ms(100));
      locking.cancel();
      yield* f.close();
      yield* sleep(seconds(100));
      const g = yield* w[1].open('/f', { read: true });
      return yield* failure(g.lock('exclusive', 's2', 2));
    });
    expect(seen).toBeUndefined();
  });
});
