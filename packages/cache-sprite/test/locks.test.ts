import { describe, expect, it } from 'vitest';
import { failure, World } from './world.ts';

describe('locks', () => {
  it('are shared by readers, and refused across hosts while one has them alone', () => {
    const w = new World({ clients: 3 });
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const [f, g, h] = [
        yield* w[0].open('/f', { read: true }),
        yield* w[1].open('/f', { read: true }),
        yield* w[2].open('/f', { read: true }),
      ];
      const kinds = [
        yield* failure(f.lock('shared', 's1', 1)),
        yield* failure(g.lock('shared', 's2', 2)),
        yield* failure(h.lock('exclusive', 's3', 3)),
      ];
      yield* f.lock('none', 's1', 4);
      yield* g.close();
      return [kinds, w.server.woken.length, yield* failure(h.lock('exclusive', 's3', 5))];
    });
    expect(seen).toEqual([[undefined, undefined, 'wouldBlock'], 1, undefined]);
  });

  it('of two streams of one host are apart, and go with the close', () => {
    const w = new World();
    const seen = w.drive(function* () {
      yield* w.server.put('/f', 'x');
      const f = yield* w[0].open('/f', { read: true });
      const g = yield* w[0].open('/f', { read: true });
      yield* f.lock('exclusive', 's1', 1);
      const refused = yield* failure(g.lock('exclusive', 's2', 2));
      yield* f.close();
      return [refused, w.server.woken.length, yield* failure(g.lock('exclusive', 's2', 3))];
    });
    expect(seen).toEqual(['wouldBlock', 1, undefined]);
  });
});
