import { Engine, seconds, sleep, type Task } from '@backplane/engine';
import { isKernelError, KernelError } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { bytesOf, Store, sameBytes, world } from './world.ts';

const never = { writeDelayNs: 'never' } as const;

function* ignored(operation: Task<void>): Task<void> {
  try {
    yield* operation;
  } catch (e) {
    if (!isKernelError(e)) throw e;
  }
}

describe('the block cache', () => {
  it('fetches a block once, also for two readers at the same time', () => {
    const w = world();
    const store = new Store();
    store.blocks.set(3, bytesOf(7));
    const file = w.cache.object('f', store, never);
    w.run(function* () {
      let other: number | undefined;
      w.spawn(function* () {
        other = (yield* file.read(3))[0];
      });
      const own = yield* file.read(3);
      yield* sleep(10);
      expect([own[0], other]).toEqual([7, 7]);
    });
    expect(store.log).toEqual(['fetch 3']);
    expect([w.metric('readMisses'), w.metric('readHits')]).toEqual([1, 1]);
  });

  it('never changes bytes that it handed out', () => {
    const w = world();
    const file = w.cache.object('f', new Store(), never);
    const seen = w.run(function* () {
      yield* file.write(0, 0, bytesOf(1), { fetchFirst: false });
      const before = yield* file.read(0);
      yield* file.write(0, 10, bytesOf(2, 5), { fetchFirst: true });
      const after = yield* file.read(0);
      return [before[10], after[10], after[9]];
    });
    expect(seen).toEqual([1, 2, 1]);
  });

  it('fetches the rest of a block that is written in part, if that matters', () => {
    const w = world();
    const store = new Store();
    store.blocks.set(0, bytesOf(9));
    const file = w.cache.object('f', store, never);
    const block = w.run(function* () {
      yield* file.write(0, 100, bytesOf(1, 10), { fetchFirst: true });
      return yield* file.read(0);
    });
    expect([block[99], block[100], block[110], block.length]).toEqual([9, 1, 9, 4096]);
    expect(w.metric('writeFetches')).toBe(1);
  });

  it('recycles the block that was used longest ago', () => {
    const w = world({ frames: 3 });
    const store = new Store();
    for (let n = 0; n < 5; n++) store.blocks.set(n, bytesOf(n));
    const file = w.cache.object('f', store, never);
    const cached = w.run(function* () {
      for (const n of [0, 1, 2]) yield* file.read(n);
      yield* file.read(0);
      yield* file.read(3);
      return [0, 1, 2, 3].filter((n) => file.tryRead(n) !== undefined);
    });
    expect(cached).toEqual([0, 2, 3]);
  });

  it('writes dirty blocks back before it takes their place, when every block is dirty', () => {
    const w = world({ frames: 2 });
    const store = new Store();
    const file = w.cache.object('f', store, never);
    w.run(function* () {
      for (const n of [0, 1, 2]) yield* file.write(n, 0, bytesOf(n + 1), { fetchFirst: false });
    });
    expect(store.log).toEqual(['write 0']);
    expect(file.dirtyBlocks).toBe(2);
  });

  it('writes all dirty blocks of an object back once the oldest is old enough, at the next scan', () => {
    const w = world({ scanSeconds: 5 });
    const store = new Store();
    const file = w.cache.object('f', store, { writeDelayNs: seconds(30) });
    w.run(function* () {
      yield* file.write(1, 0, bytesOf(1), { fetchFirst: false });
      yield* sleep(seconds(20));
      yield* file.write(0, 0, bytesOf(2), { fetchFirst: false });
      yield* sleep(seconds(9));
      expect(store.log).toEqual([]);
      yield* sleep(seconds(7));
    });
    expect(store.log).toEqual(['write 0', 'write 1 last']);
    expect(file.dirtyBlocks).toBe(0);
  });

  it('writes back at once what is to go as soon as possible', () => {
    const w = world();
    const store = new Store();
    const file = w.cache.object('f', store, { writeDelayNs: 'asap' });
    w.run(function* () {
      yield* file.write(0, 0, bytesOf(1), { fetchFirst: false });
      yield* sleep(seconds(1));
    });
    expect(store.log).toEqual(['write 0 last']);
  });

  it('keeps a block dirty that was written again while it was written back', () => {
    const w = world();
    const store = new Store();
    const file = w.cache.object('f', store, never);
    w.run(function* () {
      yield* file.write(0, 0, bytesOf(1), { fetchFirst: false });
      w.spawn(() => file.flush());
      yield* sleep(10);
      yield* file.write(0, 0, bytesOf(2), { fetchFirst: false });
      yield* sleep(seconds(1));
      expect([store.blocks.get(0)?.[0], file.dirtyBlocks]).toEqual([1, 1]);
      yield* file.flush();
    });
    expect(store.blocks.get(0)?.[0]).toBe(2);
  });

  it('keeps a block dirty that took the number of one which was dropped while it was written back', () => {
    const w = world();
    const store = new Store();
    const file = w.cache.object('f', store, never);
    w.run(function* () {
      yield* file.write(0, 0, bytesOf(1), { fetchFirst: false });
      const flushing = w.spawn(() => file.flush());
      yield* sleep(10);
      file.drop('all');
      yield* file.write(0, 0, bytesOf(2), { fetchFirst: false });
      yield* flushing.join();
      expect([file.dirtyBlocks, w.metric('dirtyBlocks')]).toEqual([1, 1]);
      yield* file.flush();
    });
    expect(sameBytes(store.blocks.get(0), bytesOf(2))).toBe(true);
    expect(w.metric('dirtyBlocks')).toBe(0);
  });

  it('stores the last of the blocks under way once more, if nobody was told that none is left', () => {
    const w = world();
    const store = new Store();
    const file = w.cache.object('f', store, never);
    w.run(function* () {
      for (const n of [1, 2]) yield* file.write(n, 0, bytesOf(n), { fetchFirst: false });
      w.spawn(() => file.flush());
      yield* sleep(1);
      yield* file.write(0, 0, bytesOf(9), { fetchFirst: false });
      w.spawn(() => file.flush());
      yield* sleep(seconds(1));
    });
    // Blocks 1 and 0 are under way together, then 2 beside 0 no more.
    expect(store.log.at(-1)).toMatch(/ last$/);
    expect(store.log.filter((line) => line.endsWith(' last'))).toHaveLength(1);
    expect([store.blocks.size, file.dirtyBlocks]).toEqual([3, 0]);
  });

  it('tells so too when the other blocks that were dirty are dropped meanwhile', () => {
    const w = world();
    const store = new Store();
    const file = w.cache.object('f', store, never);
    w.run(function* () {
      for (const n of [0, 1]) yield* file.write(n, 0, bytesOf(n), { fetchFirst: false });
      w.spawn(() => file.flush());
      yield* sleep(1);
      file.drop('all', 1);
      yield* sleep(seconds(1));
    });
    expect(store.log).toEqual(['write 0', 'write 0 last']);
  });

  it('never lets an object become clean without having told, whoever writes back what and when', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Engine({ seed }).random('test');
      const w = world({ frames: 4 });
      let toldLast = false;
      let dirtyOthers = 0;
      const store = new Store();
      store.writeBack = function* (_, __, o) {
        yield* sleep(random.below(5000));
        if (random.below(8) === 0) throw new KernelError('noSpace');
        toldLast = o.lastDirty;
      };
      const file = w.cache.object('f', store, { writeDelayNs: 'asap' });
      w.run(function* () {
        for (let step = 0; step < 40; step++) {
          const kind = random.below(4);
          if (kind < 2) yield* ignored(file.write(random.below(8), 0, bytesOf(step), { fetchFirst: false }));
          else if (kind === 2) w.spawn(() => ignored(file.flush()));
          yield* sleep(random.below(4000));
          if (file.dirtyBlocks > 0) dirtyOthers++;
          else if (dirtyOthers > 0) expect(toldLast, `seed ${seed}, step ${step}`).toBe(true);
        }
      });
    }
  });

  it('keeps blocks dirty that could not be stored, and tries again', () => {
    const w = world();
    const store = new Store();
    store.failing = true;
    const file = w.cache.object('f', store, { writeDelayNs: seconds(10) });
    w.run(function* () {
      yield* file.write(0, 0, bytesOf(1), { fetchFirst: false });
      yield* sleep(seconds(40));
      expect([file.dirtyBlocks, store.log.length]).toEqual([1, 0]);
      store.failing = false;
      yield* sleep(seconds(10));
    });
    expect(store.log).toEqual(['write 0 last']);
    expect(w.metric('writeBackErrors')).toBeGreaterThan(0);
  });

  it('does not bring old bytes back when an object is dropped during a fetch', () => {
    const w = world();
    const store = new Store();
    store.blocks.set(0, bytesOf(1));
    const file = w.cache.object('f', store, never);
    const seen = w.run(function* () {
      w.spawn(function* () {
        yield* sleep(10);
        file.drop('all');
      });
      const bytes = yield* file.read(0);
      return [bytes[0], file.cachedBlocks];
    });
    expect(seen).toEqual([1, 0]);
  });

  it('discards dirty blocks from a place on, and keeps those before', () => {
    const w = world();
    const store = new Store();
    const file = w.cache.object('f', store, never);
    w.run(function* () {
      for (const n of [0, 1, 2]) yield* file.write(n, 0, bytesOf(n), { fetchFirst: false });
      file.drop('all', 1);
      yield* file.flush();
    });
    expect(store.log).toEqual(['write 0 last']);
  });

  it('gives a whole frame up: both of its blocks, the dirty one after writing it back', () => {
    const w = world({ frames: 2, frameBytes: 8192 });
    const store = new Store();
    const file = w.cache.object('f', store, never);
    const gave = w.run(function* () {
      yield* file.write(0, 0, bytesOf(1), { fetchFirst: false });
      yield* file.read(1);
      return yield* w.holder.giveUp();
    });
    expect([gave, w.memory.freeCount, file.cachedBlocks]).toEqual([true, 2, 0]);
    expect(store.blocks.get(0)?.[0]).toBe(1);
  });

  it('takes several frames for a block where pages are small', () => {
    const w = world({ frames: 8, frameBytes: 1024 });
    const file = w.cache.object('f', new Store(), never);
    w.run(function* () {
      yield* file.write(0, 0, bytesOf(1), { fetchFirst: false });
    });
    expect(w.memory.freeCount).toBe(4);
  });

  it('agrees with a plain array of bytes over random reads, writes and flushes', () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Engine({ seed }).random('test');
      const w = world({ frames: 1 + random.below(6) });
      const store = new Store();
      const model = new Uint8Array(8 * 4096);
      for (let n = 0; n < 8; n++) store.blocks.set(n, new Uint8Array(4096));
      const file = w.cache.object('f', store, { writeDelayNs: random.chance(0.5) ? seconds(2) : 'never' });
      w.run(function* () {
        for (let step = 0; step < 60; step++) {
          const n = random.below(8);
          const kind = random.below(10);
          if (kind < 5) {
            const at = random.below(4096);
            const bytes = bytesOf(1 + random.below(255), 1 + random.below(4096 - at));
            model.set(bytes, n * 4096 + at);
            yield* file.write(n, at, bytes, { fetchFirst: true });
          } else if (kind < 8) {
            const block = yield* file.read(n);
            if (!sameBytes(block, model.subarray(n * 4096, n * 4096 + 4096)))
              wrong.push(`seed ${seed}, step ${step}`);
          } else if (kind === 8) yield* file.flush();
          else yield* sleep(seconds(1));
        }
        yield* file.flush();
      });
      for (let n = 0; n < 8; n++)
        expect(store.blocks.get(n), `seed ${seed}`).toEqual(model.subarray(n * 4096, n * 4096 + 4096));
    }
    expect(wrong).toEqual([]);
  });
});
