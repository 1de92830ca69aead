import type { Task } from '@backplane/engine';
import {
  type FrameHolder,
  isKernelError,
  type MemoryPolicy,
  type PagedObject,
  type Vm,
} from '@backplane/slots';
import { Frames, testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { residentVm } from '../src/index.ts';

function world(frames: number): {
  readonly vm: Vm;
  readonly memory: Frames;
  readonly holder: () => FrameHolder;
  run<T>(body: Task<T>): T;
} {
  const memory = new Frames(frames);
  const holders: FrameHolder[] = [];
  const policy: MemoryPolicy = {
    register(h) {
      holders.push(h);
      return () => {};
    },
    tryClaim: (by) => memory.allocate(by.name),
    *claim() {
      return undefined;
    },
  };
  const machine = testMachine();
  const vm = residentVm().create({ memory, memoryPolicy: policy, wrapped: new Map() } as never, machine);
  return {
    vm,
    memory,
    holder: () => holders[0] as FrameHolder,
    run<T>(body: Task<T>): T {
      const results: T[] = [];
      machine.scope.spawn(
        'test',
        (function* (): Task<void> {
          results.push(yield* body);
        })(),
      );
      machine.engine.run();
      return results[0] as T;
    },
  };
}

describe('address spaces', () => {
  it('start with zeros and keep what is written, across pages', () => {
    const w = world(8);
    const bytes = w.run(
      (function* () {
        const space = w.vm.space('p');
        space.map(0, 4, { writable: true });
        yield* space.write(4090, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
        return [...(yield* space.read(4088, 14))];
      })(),
    );
    expect(bytes).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0]);
  });

  it('tell their regions, joined where they touch, and which pages have content of their own', () => {
    const w = world(8);
    const told = w.run(
      (function* () {
        const space = w.vm.space('p');
        space.map(4, 2, { writable: true });
        space.map(0, 4, { writable: true });
        space.map(6, 1, { writable: false });
        yield* space.write(5 * 4096, new Uint8Array(1));
        yield* space.touch(0, 1, 'read');
        return { regions: space.regions(), touched: space.touched() };
      })(),
    );
    expect(told).toEqual({
      regions: [
        { first: 0, pages: 6, writable: true },
        { first: 6, pages: 1, writable: false },
      ],
      touched: [5],
    });
  });

  it('tell who watches what has been stored into since it last asked', () => {
    const w = world(8);
    const rounds = w.run(
      (function* () {
        const space = w.vm.space('p');
        space.map(0, 8, { writable: true });
        yield* space.touch(7, 1, 'write');
        const watch = space.watchWrites();
        yield* space.touch(3, 1, 'write');
        yield* space.touch(1, 1, 'write');
        yield* space.touch(2, 1, 'read');
        const first = watch.taken();
        yield* space.touch(1, 1, 'write');
        const second = watch.taken();
        watch.end();
        yield* space.touch(4, 1, 'write');
        return [first, second, watch.taken()];
      })(),
    );
    expect(rounds).toEqual([[1, 3], [1], []]);
  });

  it('are not bound to open objects', () => {
    const space = world(1).vm.space('p');
    const of = {} as PagedObject; // boundary: it is not looked at
    expect(() => space.map(0, 1, { writable: true, object: { of, firstPage: 0, private: false } })).toThrow(
      'unsupported',
    );
  });

  it('fault only the pages that are touched', () => {
    const w = world(8);
    const resident = w.run(
      (function* () {
        const space = w.vm.space('p');
        space.map(0, 100, { writable: true });
        yield* space.touch(10, 3, 'read');
        return space.residentPages;
      })(),
    );
    expect([resident, w.memory.freeCount]).toEqual([3, 5]);
  });

  it('refuse addresses outside of every region, and writes to what is read-only', () => {
    const w = world(8);
    const kinds = w.run(
      (function* () {
        const space = w.vm.space('p');
        space.map(0, 1, { writable: false });
        const seen: string[] = [];
        for (const attempt of [() => space.touch(0, 1, 'write'), () => space.touch(5, 1, 'read')]) {
          try {
            yield* attempt();
          } catch (e) {
            seen.push(isKernelError(e) ? e.kind : 'other');
          }
        }
        return seen;
      })(),
    );
    expect(kinds).toEqual(['permission', 'badArgument']);
  });

  it('give up the oldest clean page, fetch it again, and never give up a dirty one', () => {
    const w = world(8);
    const seen = w.run(
      (function* () {
        let fetches = 0;
        const space = w.vm.space('p');
        const source = {
          *fetch(page: number) {
            fetches++;
            return new Uint8Array(4096).fill(page);
          },
        };
        space.map(0, 2, { writable: true, source });
        yield* space.touch(0, 1, 'read');
        yield* space.touch(1, 1, 'write');
        const gave = [yield* w.holder().giveUp(), yield* w.holder().giveUp()];
        const again = (yield* space.read(0, 1))[0];
        return [gave, space.residentPages, again, fetches];
      })(),
    );
    expect(seen).toEqual([[true, false], 2, 0, 3]);
  });

  it('recycle their own clean pages when nobody gives any, and fail when all are dirty', () => {
    const w = world(2);
    const kind = w.run(
      (function* () {
        const space = w.vm.space('p');
        space.map(0, 10, { writable: true });
        yield* space.touch(0, 2, 'read');
        yield* space.touch(2, 2, 'write');
        try {
          yield* space.touch(4, 1, 'read');
        } catch (e) {
          return isKernelError(e) ? e.kind : 'other';
        }
        return 'no error';
      })(),
    );
    expect(kind).toBe('noSpace');
  });

  it('give every frame back when they are destroyed', () => {
    const w = world(4);
    w.run(
      (function* (): Task<void> {
        const space = w.vm.space('p');
        space.map(0, 4, { writable: true });
        yield* space.touch(0, 4, 'write');
        space.destroy();
      })(),
    );
    expect(w.memory.freeCount).toBe(4);
  });
});
