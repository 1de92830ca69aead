import { isKernelError, type PagedObject } from '@backplane/slots';
import { describe, expect, it } from 'vitest';
import { World } from './world.ts';

const pageBytes = 4096;

describe('an address space', () => {
  it('starts with zeros and keeps what is written, across pages', () => {
    const w = new World(8);
    const bytes = w.run(function* () {
      const space = w.space();
      space.map(0, 4, { writable: true });
      yield* space.write(4090, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
      return [...(yield* space.read(4088, 14))];
    });
    expect(bytes).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0]);
  });

  it('tells its regions, joined where they touch, and which pages have content of their own', () => {
    const w = new World(8);
    const told = w.run(function* () {
      const space = w.space();
      space.map(4, 2, { writable: true });
      space.map(0, 4, { writable: true });
      space.map(6, 1, { writable: false });
      yield* space.write(5 * pageBytes, new Uint8Array(1));
      yield* space.touch(0, 1, 'read');
      return { regions: space.regions(), touched: space.touched() };
    });
    expect(told).toEqual({
      regions: [
        { first: 0, pages: 6, writable: true },
        { first: 6, pages: 1, writable: false },
      ],
      touched: [5],
    });
  });

  it('refuses regions that overlap, addresses outside of all, stores into what is read-only, and foreign objects', () => {
    const w = new World(8);
    const kinds = w.run(function* () {
      const space = w.space();
      space.map(0, 2, { writable: false });
      const of = {} as PagedObject; // boundary: of another memory
      const seen: string[] = [];
      for (const attempt of [
        function* () {
          space.map(1, 1, { writable: true });
        },
        () => space.touch(0, 1, 'write'),
        () => space.read(2 * pageBytes, 1),
        function* () {
          space.map(5, 1, { writable: true, object: { of, firstPage: 0, private: false } });
        },
      ]) {
        try {
          yield* attempt();
        } catch (e) {
          seen.push(isKernelError(e) ? e.kind : 'other');
        }
      }
      return seen;
    });
    expect(kinds).toEqual(['badArgument', 'permission', 'badArgument', 'badArgument']);
  });

  it('loses what is unmapped, and keeps the rest of the region', () => {
    const w = new World(8);
    const seen = w.run(function* () {
      const space = w.space();
      space.map(0, 5, { writable: true });
      for (let n = 0; n < 5; n++) yield* space.write(n * pageBytes, Uint8Array.of(n + 1));
      space.unmap(1, 2);
      const kept = [(yield* space.read(0, 1))[0], (yield* space.read(4 * pageBytes, 1))[0]];
      space.map(1, 1, { writable: true });
      return [kept, (yield* space.read(pageBytes, 1))[0], space.regions(), space.residentPages];
    });
    expect(seen).toEqual([
      [1, 5],
      0,
      [
        { first: 0, pages: 2, writable: true },
        { first: 3, pages: 2, writable: true },
      ],
      3,
    ]);
    expect(w.memory.freeCount).toBe(4);
  });

  it('tells who watches what has been stored into since it last asked', () => {
    const w = new World(8);
    const rounds = w.run(function* () {
      const space = w.space();
      space.map(0, 8, { writable: true });
      yield* space.touch(7, 1, 'write');
      const watch = space.watchWrites();
      yield* space.touch(3, 1, 'write');
      yield* space.write(pageBytes, Uint8Array.of(1));
      yield* space.touch(2, 1, 'read');
      const first = watch.taken();
      watch.end();
      yield* space.touch(4, 1, 'write');
      return [first, watch.taken()];
    });
    expect(rounds).toEqual([[1, 3], []]);
  });

  it('fetches from its source once more what was clean and has gone, and never gives up a dirty page without a paging file', () => {
    const w = new World(8);
    const seen = w.run(function* () {
      let fetches = 0;
      const space = w.space();
      const source = {
        *fetch(page: number) {
          fetches++;
          return new Uint8Array(pageBytes).fill(page + 1);
        },
      };
      space.map(0, 2, { writable: true, source });
      yield* space.touch(0, 1, 'read');
      yield* space.touch(1, 1, 'write');
      const gave = [yield* w.holder.giveUp(), yield* w.holder.giveUp()];
      const again = [(yield* space.read(0, 1))[0], (yield* space.read(pageBytes, 1))[0]];
      return [gave, again, fetches];
    });
    expect(seen).toEqual([[true, false], [1, 2], 3]);
  });

  it('gives up pages in the order of their use, and says when the oldest was used', () => {
    const w = new World(4);
    const left = w.run(function* () {
      const space = w.space();
      space.map(0, 4, { writable: true });
      for (const n of [0, 1, 2, 3, 0, 2]) yield* space.touch(n, 1, 'read');
      yield* w.holder.giveUp();
      yield* w.holder.giveUp();
      const before = w.machine.metric('vm.faults');
      yield* space.touch(0, 1, 'read');
      yield* space.touch(2, 1, 'read');
      return [space.residentPages, w.machine.metric('vm.faults') === before, w.holder.oldestUseNs()];
    });
    expect(left).toEqual([2, true, 0]);
  });

  it('gives every frame back when it is destroyed', () => {
    const w = new World(4);
    w.run(function* () {
      const space = w.space();
      space.map(0, 4, { writable: true });
      yield* space.touch(0, 4, 'write');
      space.destroy();
    });
    expect([w.memory.freeCount, w.holder.frames()]).toEqual([4, 0]);
  });
});
