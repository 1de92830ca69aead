/** Dirty blocks: how they leave, and what may be thrown away. */
import { ms, seconds, sleep, type Task } from '@backplane/engine';
import type { CachedObject, WriteDelay } from '@backplane/slots';
import { kindOf } from '@backplane/slots/testing';
import { digest, filled } from '../bytes.ts';
import { type Check, holds, same, within } from '../check.ts';
import type { Bounds } from './under-test.ts';
import { Store, World } from './world.ts';

/** A world with an object whose first blocks are dirty. */
function dirty(
  bounds: Bounds,
  blocks: number,
  delay: WriteDelay = 'never',
): { w: World; store: Store; o: CachedObject } {
  const w = new World(bounds);
  const store = new Store(w);
  const o = w.object('o', store, delay);
  w.run(function* () {
    for (let n = 0; n < blocks; n++) yield* o.write(n, 0, w.block(n + 1), { fetchFirst: false });
  });
  return { w, store, o };
}

export const flushClauses = (bounds: Bounds): readonly Check[] => [
  {
    name: 'flush returns when everything that was dirty at the call is stored, and keeps the blocks',
    run: () => {
      const { w, store, o } = dirty(bounds, 5);
      w.run(() => o.flush());
      same('dirty and cached', [o.dirtyBlocks, o.cachedBlocks], [0, 5]);
      for (let n = 0; n < 5; n++)
        same(`block ${n}`, digest(store.blocks.get(n) ?? filled(0, 0)), digest(w.block(n + 1)));
      // The last one may be stored twice, to be told that it is.
      const writes = store.log.length;
      within('writes', writes, 5, 6);
      w.run(() => o.flush());
      same('writes when nothing is dirty', store.log.length, writes);
    },
  },
  {
    name: 'lastDirty is told when no other block of the object was dirty, and an object never becomes clean without it',
    run: () => {
      for (const threads of [1, 3]) {
        const { w, store, o } = dirty(bounds, 5);
        const other = w.object('other', new Store(w));
        w.run(function* () {
          yield* other.write(0, 0, w.block(1), { fetchFirst: false });
          const flushing = Array.from({ length: threads }, () => w.start(o.flush()));
          for (const t of flushing) yield* t.join();
        });
        same('dirty', o.dirtyBlocks, 0);
        same(
          'told while others were dirty',
          store.log.slice(0, 4).filter((l) => l.endsWith(' last')),
          [],
        );
        holds('the last write is told that it is', store.log.at(-1)?.endsWith(' last') === true);
      }
    },
  },
  {
    name: 'an error leaves its block dirty and comes out of flush; the others are stored; a later flush stores it',
    run: () => {
      const { w, store, o } = dirty(bounds, 4);
      store.failing = (n) => n === 1;
      same(
        'flush',
        w.run(() => kindOf(o.flush())),
        'ioError',
      );
      same('dirty', o.dirtyBlocks, 1);
      same('stored', [...store.blocks.keys()].sort(), [0, 2, 3]);
      store.failing = () => false;
      same('its bytes', digest(w.run(() => o.read(1))), digest(w.block(2)));
      w.run(() => o.flush());
      same('stored', [...store.blocks.keys()].sort(), [0, 1, 2, 3]);
    },
  },
  {
    name: 'what is written while its block is written back stays dirty and is not lost',
    run: () => {
      const { w, store, o } = dirty(bounds, 1);
      store.delayNs = ms(50);
      w.run(function* () {
        const flushing = w.start(o.flush());
        yield* sleep(ms(10));
        yield* o.write(0, 0, filled(10, 9), { fetchFirst: true });
        yield* flushing.join();
        yield* o.flush();
      });
      const expected = w.block(1);
      expected.fill(9, 0, 10);
      same('stored', digest(store.blocks.get(0) ?? filled(0, 0)), digest(expected));
      same('dirty', o.dirtyBlocks, 0);
    },
  },
  {
    name: 'flush of many threads at once returns for each when the blocks are stored',
    run: () => {
      const { w, store, o } = dirty(bounds, 6);
      store.delayNs = ms(20);
      w.run(function* () {
        const threads = Array.from({ length: 3 }, () =>
          w.start(
            (function* (): Task<number> {
              yield* o.flush();
              return store.blocks.size;
            })(),
          ),
        );
        for (const t of threads) same('stored when flush returns', yield* t.join(), 6);
      });
    },
  },
  {
    name: 'flushAll writes every object back; errors leave blocks dirty and are reported at the end',
    run: () => {
      const { w, store, o } = dirty(bounds, 2);
      const others = [new Store(w), new Store(w)];
      const objects = others.map((s, i) => w.object(`other ${i}`, s));
      w.run(function* () {
        for (const other of objects) yield* other.write(0, 0, w.block(1), { fetchFirst: false });
        store.failing = () => true;
        same('flushAll', yield* kindOf(w.cache.flushAll()), 'ioError');
      });
      same('dirty', [o.dirtyBlocks, ...objects.map((x) => x.dirtyBlocks)], [2, 0, 0]);
      same(
        'stored of the others',
        others.map((s) => s.blocks.size),
        [1, 1],
      );
    },
  },
  {
    name: 'dirty blocks leave by themselves at their age, all of the object with the oldest, and not before',
    run: () => {
      const { w, store, o } = dirty(bounds, 2, seconds(30));
      w.rig.after(seconds(20));
      w.run(() => o.write(5, 0, w.block(1), { fetchFirst: false }));
      w.rig.after(seconds(9));
      same('stored before', store.blocks.size, 0);
      w.rig.after(seconds(1 + bounds.lateSeconds));
      same('stored in time', store.blocks.size, 3);
      same('dirty', o.dirtyBlocks, 0);
    },
  },
  {
    name: 'what failed to leave by itself is tried again',
    run: () => {
      const { w, store } = dirty(bounds, 2, seconds(5));
      store.failing = () => true;
      w.rig.after(seconds(60));
      same('stored while it fails', store.blocks.size, 0);
      store.failing = () => false;
      w.rig.after(seconds(30 + 2 * bounds.lateSeconds));
      same('stored when it does not', store.blocks.size, 2);
    },
  },
  {
    name: '"asap": dirty blocks leave at once; "never": only when asked',
    run: () => {
      const soon = dirty(bounds, 3, 'asap');
      soon.w.rig.after(seconds(bounds.lateSeconds));
      same('stored', soon.store.blocks.size, 3);
      const never = dirty(bounds, 3, 'never');
      never.w.rig.after(seconds(10_000));
      same('stored', never.store.blocks.size, 0);
      same('dirty', never.o.dirtyBlocks, 3);
    },
  },
  {
    name: 'drop: "clean" spares dirty blocks, "all" discards them, and nothing before `from` goes',
    run: () => {
      const { w, store, o } = dirty(bounds, 3);
      w.run(function* () {
        yield* o.read(10);
        yield* o.read(11);
      });
      o.drop('clean', 11);
      same('cached and dirty', [o.cachedBlocks, o.dirtyBlocks], [4, 3]);
      o.drop('clean');
      same('cached and dirty', [o.cachedBlocks, o.dirtyBlocks], [3, 3]);
      o.drop('all', 1);
      same('cached and dirty', [o.cachedBlocks, o.dirtyBlocks], [1, 1]);
      o.drop('all');
      same('cached and dirty', [o.cachedBlocks, o.dirtyBlocks], [0, 0]);
      w.run(() => o.flush());
      same('stored', store.blocks.size, 0);
      same('read anew', digest(w.run(() => o.read(0))), digest(w.block(0)));
    },
  },
  {
    name: 'bytes that were being fetched when their object was dropped serve once and are not kept',
    run: () => {
      const w = new World(bounds);
      const store = new Store(w);
      store.blocks.set(0, w.block(1));
      store.delayNs = ms(50);
      const o = w.object('o', store);
      w.run(function* () {
        const reading = w.start(o.read(0));
        yield* sleep(ms(10));
        o.drop('all');
        store.blocks.set(0, w.block(2));
        yield* reading.join();
        same('kept', o.cachedBlocks, 0);
        same('read afterwards', digest(yield* o.read(0)), digest(w.block(2)));
      });
    },
  },
  {
    name: 'a halt writes back what is dirty',
    run: () => {
      const { w, store } = dirty(bounds, 3);
      w.rig.drive(() => w.rig.machine('server').halt());
      same('stored', store.blocks.size, 3);
    },
  },
];
