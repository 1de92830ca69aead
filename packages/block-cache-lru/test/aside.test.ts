/** Dirty blocks with copies in non-volatile memory. A life of the machine is a cache over the same memory. */
import { seconds, sleep, type Task } from '@backplane/engine';
import { isBackplaneError, isKernelError, KernelError } from '@backplane/slots';
import { KeptBlocks, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { lruBlockCache } from '../src/index.ts';
import { bytesOf, Store, sameBytes, world } from './world.ts';

const delayed = { writeDelayNs: seconds(30) };
const labelled = (label = 'f') => ({ ...delayed, label });
const whole = { fetchFirst: false };

describe('blocks with copies aside', () => {
  it('have the content of the cache, whatever of them is written', () => {
    const nvram = new KeptBlocks(10);
    const w = world({ nvram });
    const store = new Store();
    store.blocks.set(0, bytesOf(1));
    const file = w.cache.object('f', store, labelled());
    w.run(function* () {
      yield* file.write(0, 10, bytesOf(2, 5), { fetchFirst: true });
      const fetched = yield* file.read(0);
      expect(sameBytes(nvram.read('f', 0), fetched)).toBe(true);
      yield* file.write(0, 100, bytesOf(3, 7), whole);
      yield* file.write(1, 0, bytesOf(4, 20), whole);
      yield* file.write(1, 20, bytesOf(5, 20), whole);
      for (const n of [0, 1]) expect(sameBytes(nvram.read('f', n), yield* file.read(n))).toBe(true);
      expect(w.cache.aside?.covers(file)).toBe(true);
      yield* file.flush();
    });
    expect(nvram.labels()).toEqual([]);
  });

  it('are not made at once where room has to be made for them first', () => {
    const w = world({ nvram: new KeptBlocks(1) });
    const [a, b] = [
      w.cache.object('a', new Store(), labelled('a')),
      w.cache.object('b', new Store(), labelled('b')),
    ];
    w.run(function* () {
      expect(a.tryWrite?.(0, 0, bytesOf(1), whole)).toBe(true);
      expect(b.tryWrite?.(0, 0, bytesOf(2), whole)).toBe(false);
      expect([a.dirtyBlocks, b.dirtyBlocks, b.cachedBlocks]).toEqual([1, 0, 0]);
      expect(a.tryWrite?.(0, 5, bytesOf(3, 5), { fetchFirst: true })).toBe(true);
      expect(w.cache.aside?.covers(a)).toBe(true);
      yield* a.flush();
    });
  });

  it('leave the memory when they are dropped, and stay for a write-back that fails', () => {
    const nvram = new KeptBlocks(10);
    const w = world({ nvram });
    const store = new Store();
    const file = w.cache.object('f', store, labelled());
    w.run(function* () {
      for (const n of [0, 1, 2]) yield* file.write(n, 0, bytesOf(n), whole);
      file.drop('all', 1);
      expect(nvram.labels()).toEqual([{ label: 'f', words: [], blocks: [0] }]);
      store.failing = true;
      try {
        yield* file.flush();
      } catch (e) {
        if (!isKernelError(e)) throw e;
      }
      expect(nvram.blocks).toBe(1);
      file.drop('all');
    });
    expect(nvram.blocks).toBe(0);
  });

  it('are kept with the newer content when they are written again on their way down', () => {
    const nvram = new KeptBlocks(10);
    const w = world({ nvram });
    const store = new Store();
    store.delayNs = seconds(1);
    const file = w.cache.object('f', store, labelled());
    w.run(function* () {
      yield* file.write(0, 0, bytesOf(1), whole);
      w.spawn(() => file.flush());
      yield* sleep(seconds(0.5));
      yield* file.write(0, 0, bytesOf(2), whole);
      yield* sleep(seconds(1));
      expect(sameBytes(nvram.read('f', 0), bytesOf(2))).toBe(true);
    });
  });

  it('are not written back for their age, unless there is one for them; others are', () => {
    const after = (asideSeconds: number): readonly (readonly string[])[] => {
      const w = world({ nvram: new KeptBlocks(10), asideSeconds });
      const [one, other] = [new Store(), new Store()];
      const [file, plain] = [w.cache.object('f', one, labelled()), w.cache.object('g', other, delayed)];
      return w.run(function* () {
        yield* file.write(0, 0, bytesOf(1), whole);
        yield* plain.write(0, 0, bytesOf(1), whole);
        yield* sleep(seconds(36));
        const early = [...one.log];
        yield* sleep(seconds(100));
        return [early, one.log, other.log];
      });
    };
    expect(after(0)).toEqual([[], [], ['write 0 last']]);
    expect(after(60)).toEqual([[], ['write 0 last'], ['write 0 last']]);
  });

  it('let nothing be scanned while no other block is dirty', () => {
    const w = world({ nvram: new KeptBlocks(10) });
    const file = w.cache.object('f', new Store(), labelled());
    const beganNs = w.nowNs();
    w.run(() => file.write(0, 0, bytesOf(1), whole));
    expect(w.nowNs() - beganNs).toBeLessThan(seconds(1));
  });

  it('of full memory make room, the oldest first, whichever object they are of', () => {
    const nvram = new KeptBlocks(3);
    const w = world({ nvram });
    const [one, other] = [new Store(), new Store()];
    const [f, g] = [w.cache.object('f', one, labelled('f')), w.cache.object('g', other, labelled('g'))];
    w.run(function* () {
      yield* f.write(0, 0, bytesOf(1), whole);
      yield* g.write(0, 0, bytesOf(1), whole);
      yield* f.write(1, 0, bytesOf(1), whole);
      // Written again it is as old as before.
      yield* f.write(0, 0, bytesOf(2), whole);
      yield* g.write(1, 0, bytesOf(1), whole);
      yield* g.write(2, 0, bytesOf(1), whole);
    });
    expect([one.log, other.log]).toEqual([['write 0'], ['write 0']]);
    expect([f.dirtyBlocks, g.dirtyBlocks, nvram.blocks]).toEqual([1, 2, 3]);
    expect(w.metric('asideWriteBacks')).toBe(2);
  });

  it('for which no room can be made are dirty without a copy, and of the usual age', () => {
    const nvram = new KeptBlocks(1);
    const w = world({ nvram });
    const store = new Store();
    const file = w.cache.object('f', store, labelled());
    w.run(function* () {
      yield* file.write(0, 0, bytesOf(1), whole);
      store.failing = true;
      yield* file.write(1, 0, bytesOf(1), whole);
      expect([w.cache.aside?.covers(file), file.dirtyBlocks, w.metric('asideMisses')]).toEqual([false, 2, 1]);
      store.failing = false;
      yield* sleep(seconds(40));
    });
    expect([file.dirtyBlocks, nvram.blocks]).toEqual([0, 0]);
  });

  it('come back in the next life, dirty, and are written back after the usual delay', () => {
    const nvram = new KeptBlocks(10);
    const before = world({ nvram });
    const old = before.cache.object('f', new Store(), labelled());
    before.run(function* () {
      for (const n of [3, 1]) yield* old.write(n, 0, bytesOf(n, 50), whole);
      before.cache.aside?.tell('f', [7]);
    });
    const w = world({ nvram });
    const store = new Store();
    expect(w.cache.aside?.kept('f')).toEqual([{ label: 'f', words: [7], blocks: [1, 3] }]);
    expect(w.cache.aside?.kept('g')).toEqual([]);
    const file = w.cache.object('f', store, labelled());
    w.run(function* () {
      expect(w.cache.aside?.recover(file)).toBe(true);
      expect([file.dirtyBlocks, w.cache.aside?.covers(file), nvram.blocks]).toEqual([2, true, 2]);
      expect(sameBytes(yield* file.read(3), bytesOf(3, 50))).toBe(true);
      yield* sleep(seconds(36));
    });
    expect(store.log).toEqual(['write 1', 'write 3 last']);
    expect(nvram.blocks).toBe(0);
  });

  it('stay in the memory when there are not enough page frames for all of them, or are forgotten', () => {
    const nvram = new KeptBlocks(10);
    for (const n of [0, 1, 2]) nvram.tryPut('f', n, 0, bytesOf(n));
    const w = world({ nvram, frames: 2 });
    const file = w.cache.object('f', new Store(), labelled());
    w.run(function* (): Task<void> {
      expect(w.cache.aside?.recover(file)).toBe(false);
    });
    expect([file.cachedBlocks, w.memory.freeCount, nvram.blocks]).toEqual([0, 0, 3]);
    w.cache.aside?.forget('f');
    expect(nvram.blocks).toBe(0);
  });

  it('are there only for objects with a label, and only in a machine with the memory', () => {
    const nvram = new KeptBlocks(10);
    const w = world({ nvram });
    const plain = w.cache.object('f', new Store(), delayed);
    w.run(() => plain.write(0, 0, bytesOf(1), whole));
    expect([nvram.blocks, w.cache.aside?.covers(plain)]).toEqual([0, true]);
    const without = world();
    const file = without.cache.object('f', new Store(), labelled());
    without.run(function* () {
      yield* file.write(0, 0, bytesOf(1), whole);
      expect([without.cache.aside?.blocksMax, without.cache.aside?.covers(file)]).toEqual([0, false]);
      yield* sleep(seconds(36));
    });
    expect(file.dirtyBlocks).toBe(0);
  });

  it('need a memory whose blocks are as large as those of the cache', () => {
    const board = lruBlockCache();
    let code = '';
    try {
      board.create({ nvram: new KeptBlocks(10, 1024), wrapped: new Map() } as never, testMachine());
    } catch (e) {
      if (!isBackplaneError(e)) throw e;
      code = e.code;
    }
    expect(code).toBe('WRONG_OPTION');
  });

  it('are those that are dirty, with their content, after whatever has happened', () => {
    for (let seed = 1; seed <= 15; seed++) {
      const nvram = new KeptBlocks(6);
      const w = world({ nvram, frames: 12, seed });
      const stores = [new Store(), new Store()];
      for (const s of stores) s.delayNs = 200_000;
      const files = stores.map((s, i) => w.cache.object(`f${i}`, s, labelled(`f${i}`)));
      const random = w.random('work');
      function* work(): Task<void> {
        for (let n = 0; n < 150; n++) {
          const i = random.below(2);
          const [file, store] = [files[i], stores[i]];
          if (file === undefined || store === undefined) return;
          const what = random.below(12);
          const block = random.below(10);
          try {
            if (what < 8)
              yield* file.write(block, random.below(100), bytesOf(n & 0xff, 50), { fetchFirst: true });
            else if (what < 9) yield* file.flush();
            else if (what < 10) file.drop('all', block);
            else store.failing = random.chance(0.3);
          } catch (e) {
            if (!(e instanceof KernelError)) throw e;
          }
          yield* sleep(random.below(300_000));
        }
      }
      w.run(function* () {
        const threads = [w.spawn(work), w.spawn(work), w.spawn(work)];
        for (const t of threads) yield* t.join();
        for (const s of stores) s.failing = false;
        for (const file of files) {
          const kept = nvram.labels().find((l) => l.label === file.key)?.blocks ?? [];
          for (const n of kept)
            expect(sameBytes(nvram.read(file.key, n), yield* file.read(n)), `seed ${seed}`).toBe(true);
          expect(kept.length <= file.dirtyBlocks, `seed ${seed}`).toBe(true);
          expect(w.cache.aside?.covers(file), `seed ${seed}`).toBe(kept.length === file.dirtyBlocks);
        }
        yield* w.cache.flushAll();
      });
      expect(nvram.blocks, `seed ${seed}`).toBe(0);
    }
  });
});
