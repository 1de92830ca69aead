/** Blocks that are read and written. */
import type { Task } from '@backplane/engine';
import { kindOf, pattern } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same } from '../check.ts';
import { eachCourse } from '../course.ts';
import type { Bounds } from './under-test.ts';
import { Store, World } from './world.ts';

export const readClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'a read fetches a block that is not cached, once, and brings its bytes, also fewer than a block',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      store.blocks.set(0, pattern(w.cache.blockBytes, 1));
      store.blocks.set(1, pattern(77, 2));
      const o = w.object('o', store);
      w.run(function* () {
        for (let turn = 0; turn < 2; turn++) {
          same('a whole block', digest(yield* o.read(0)), digest(pattern(w.cache.blockBytes, 1)));
          same('the last one', digest(yield* o.read(1)), digest(pattern(77, 2)));
        }
      });
      same('asked of the store', store.log, ['fetch 0', 'fetch 1']);
      same('cached', [o.cachedBlocks, o.dirtyBlocks], [2, 0]);
    },
  },
  {
    name: 'tryRead brings a block that is cached, and undefined without asking for one that is not',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      const o = w.object('o', store);
      w.run(function* () {
        holds('not cached', o.tryRead(0) === undefined);
        same('asked of the store', store.log, []);
        yield* o.read(0);
        same('cached', digest(o.tryRead(0) ?? filled(0, 0)), digest(w.block(0)));
      });
    },
  },
  {
    name: 'threads that read one block at once share one fetch',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      store.blocks.set(3, w.block(9));
      const o = w.object('o', store);
      w.run(function* () {
        const threads = Array.from({ length: 5 }, () => w.start(o.read(3)));
        for (const t of threads) same('read', digest(yield* t.join()), digest(w.block(9)));
      });
      same('asked of the store', store.log, ['fetch 3']);
    },
  },
  {
    name: 'what fetch throws comes out of read and of write, and nothing is cached or dirty',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      const o = w.object('o', store);
      store.failing = () => true;
      w.run(function* () {
        same('read', yield* kindOf(o.read(0)), 'ioError');
        same('write', yield* kindOf(o.write(0, 10, filled(5, 1), { fetchFirst: true })), 'ioError');
        same('cached', [o.cachedBlocks, o.dirtyBlocks], [0, 0]);
        store.failing = () => false;
        same('read when it works', digest(yield* o.read(0)), digest(w.block(0)));
      });
    },
  },
  {
    name: 'a write puts bytes into the block and makes it dirty; with fetchFirst the rest is fetched unless it is cached',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      for (const n of [0, 1]) store.blocks.set(n, w.block(5));
      const o = w.object('o', store);
      const expected = w.block(5);
      expected.fill(7, 100, 200);
      w.run(function* () {
        yield* o.write(0, 100, filled(100, 7), { fetchFirst: true });
        same('not cached before', digest(yield* o.read(0)), digest(expected));
        yield* o.read(1);
        yield* o.write(1, 100, filled(100, 7), { fetchFirst: true });
        same('cached before', digest(yield* o.read(1)), digest(expected));
        yield* o.write(2, 0, w.block(8), { fetchFirst: false });
        same('a whole one', digest(yield* o.read(2)), digest(w.block(8)));
      });
      same('asked of the store', store.log, ['fetch 0', 'fetch 1']);
      same('cached and dirty', [o.cachedBlocks, o.dirtyBlocks], [3, 3]);
    },
  },
  {
    name: 'blocks that were handed out are frozen: a write replaces the block, and the writer’s bytes stay his',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      const o = w.object('o', store);
      w.run(function* () {
        const first = yield* o.read(0);
        const bytes = filled(100, 3);
        yield* o.write(0, 0, bytes, { fetchFirst: true });
        same('what was read', digest(first), digest(w.block(0)));
        const second = o.tryRead(0) ?? filled(0, 0);
        const before = digest(second);
        yield* o.flush();
        yield* o.write(0, 50, filled(100, 4), { fetchFirst: true });
        same('what was read', digest(second), before);
        same('what was written back', digest(store.blocks.get(0) ?? filled(0, 0)), before);
        same('what was given', digest(bytes), digest(filled(100, 3)));
      });
    },
  },
  {
    name: 'a write that comes while the block is fetched is not covered by what was fetched',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      const o = w.object('o', store);
      w.run(function* () {
        const reading = w.start(o.read(0));
        const writing = w.start(o.write(0, 0, w.block(6), { fetchFirst: false }));
        yield* reading.join();
        yield* writing.join();
        same('afterwards', digest(yield* o.read(0)), digest(w.block(6)));
        same('dirty', o.dirtyBlocks, 1);
      });
    },
  },
  {
    name: 'an object has the blocks that are cached from an earlier use of its key, also after a release, and others have not',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      const o = w.object('o', store);
      w.run(function* () {
        yield* o.read(0);
        yield* o.write(1, 0, w.block(4), { fetchFirst: false });
        o.release();
        const again = w.object('o', store);
        same('cached and dirty', [again.cachedBlocks, again.dirtyBlocks], [2, 1]);
        same('its bytes', digest(again.tryRead(1) ?? filled(0, 0)), digest(w.block(4)));
        same('of another key', w.object('p', store).cachedBlocks, 0);
        const other = new Store(w);
        yield* w.object('o', other).flush();
        same(
          'written back by the backing of the last use',
          [store.log, other.log],
          [['fetch 0'], ['write 1 last']],
        );
      });
    },
  },
  {
    name: 'random operations on objects that do not all fit leave the bytes that were written, whatever fails meanwhile',
    run: () =>
      eachCourse(bounds.courses, (seed) => {
        const w = new World(bounds, seed);
        const random = w.rig.cluster.engine.random('operations of a check');
        const stores = [new Store(w), new Store(w)];
        const objects = stores.map((s, i) => w.object(`${i}`, s, i === 0 ? 5e8 : 'never'));
        const model = stores.map(() => new Map<number, Uint8Array>());
        let trouble = false;
        for (const s of stores) s.failing = () => trouble && random.chance(0.5);
        w.run(function* (): Task<void> {
          for (let i = 0; i < 300; i++) {
            const which = random.below(2);
            const [o, m] = [objects[which], model[which]];
            if (o === undefined || m === undefined) continue;
            const n = random.below(w.places);
            trouble = random.chance(0.1);
            const known = m.get(n) ?? w.block(0);
            if (random.chance(0.5)) {
              const at = random.below(w.cache.blockBytes - 200);
              const bytes = pattern(1 + random.below(200), i);
              if ((yield* kindOf(o.write(n, at, bytes, { fetchFirst: true }))) !== 'ok') continue;
              const changed = known.slice();
              changed.set(bytes, at);
              m.set(n, changed);
            } else if (random.chance(0.9)) {
              trouble = false;
              same(`block ${n}`, digest(yield* o.read(n)), digest(known));
            } else yield* kindOf(o.flush());
          }
          trouble = false;
          yield* w.cache.flushAll();
          for (const [i, s] of stores.entries())
            for (const [n, bytes] of model[i] ?? [])
              same(`block ${n} below`, digest(s.blocks.get(n) ?? w.block(0)), digest(bytes));
          holds(
            'nothing is dirty',
            objects.every((o) => o.dirtyBlocks === 0),
          );
        });
      }),
  },
];
