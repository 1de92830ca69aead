import { sleep, type Task } from '@backplane/engine';
import {
  type AddressSpace,
  isKernelError,
  type NameView,
  type Naming,
  type Stream,
  type Streams,
  type SystemCalls,
  type Vm,
} from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { spriteSystemCalls } from '../src/index.ts';

/** Streams without files: they count their references. */
function world(o: { readonly descriptorsMax?: number } = {}) {
  const machine = testMachine();
  const open = new Map<Stream, number>();
  const streams = {
    *open(): Task<Stream> {
      const s = { id: 'x', object: { how: {} }, offset: 0, shared: false } as unknown as Stream;
      open.set(s, 1);
      return s;
    },
    share(s: Stream): Stream {
      open.set(s, (open.get(s) ?? 0) + 1);
      return s;
    },
    *close(s: Stream): Task<void> {
      yield* sleep(1);
      const left = (open.get(s) ?? 0) - 1;
      if (left === 0) open.delete(s);
      else open.set(s, left);
    },
  } as unknown as Streams;
  const view: NameView = { inherit: () => view } as NameView;
  let spaces = 0;
  const vm: Vm = {
    space: () => {
      spaces++;
      return {
        destroy: () => {
          spaces--;
        },
      } as AddressSpace;
    },
  };
  const board: SystemCalls = spriteSystemCalls({ descriptorsMax: o.descriptorsMax ?? 8 }).create(
    { naming: { view: () => view } as unknown as Naming, streams, vm, wrapped: new Map() } as never,
    machine,
  );
  return { machine, board, open, spaces: () => spaces };
}

describe('processes', () => {
  it('have identifiers that tell their home and are not used again soon', () => {
    const w = world();
    const first = w.board.start('a', function* () {
      return 0;
    });
    w.machine.engine.run();
    const second = w.board.start('b', function* () {
      return 0;
    });
    expect([Math.floor(first.processId / 0x100) % 0x100, first.processId === second.processId]).toEqual([
      1,
      false,
    ]);
  });

  it('give the lowest free descriptor, and run out of them', () => {
    const w = world({ descriptorsMax: 3 });
    const seen: unknown[] = [];
    w.board.start('p', function* (sys) {
      for (let i = 0; i < 3; i++) seen.push(yield* sys.open('/f', { read: true }));
      yield* sys.close(1);
      seen.push(yield* sys.open('/f', { read: true }));
      try {
        yield* sys.open('/f', { read: true });
      } catch (e) {
        seen.push(isKernelError(e) ? e.kind : 'other');
      }
      return 0;
    });
    w.machine.engine.run();
    expect(seen).toEqual([0, 1, 2, 1, 'tooManyOpen']);
  });

  it('leave nothing behind however they end: return, error, exit, kill', () => {
    const w = world();
    const statuses: number[] = [];
    const endings = [
      w.board.start('returns', function* (sys) {
        yield* sys.open('/f', { read: true });
        return 4;
      }),
      w.board.start('fails', function* (sys) {
        yield* sys.open('/f', { read: true });
        yield* sys.close(77);
        return 0;
      }),
      w.board.start('exits', function* (sys) {
        yield* sys.open('/f', { read: true });
        return yield* sys.exit(9);
      }),
      w.board.start('is killed', function* (sys) {
        yield* sys.open('/f', { read: true });
        yield* sys.sleep(1e12);
        return 0;
      }),
    ];
    w.machine.scope.spawn(
      'killer',
      (function* (): Task<void> {
        yield* sleep(100);
        endings[3]?.kill();
        for (const p of endings) statuses.push(yield* p.join());
      })(),
    );
    w.machine.engine.run();
    expect(statuses).toEqual([4, 1, 9, 137]);
    expect([w.open.size, w.spaces(), w.board.processes]).toEqual([0, 0, 0]);
  });

  it('share descriptors with their children, each closing his own', () => {
    const w = world();
    const counts: number[] = [];
    w.board.start('parent', function* (sys) {
      yield* sys.open('/f', { read: true });
      yield* sys.spawn('child', function* (c) {
        yield* c.sleep(100);
        return 0;
      });
      counts.push([...w.open.values()][0] ?? 0);
      yield* sys.wait();
      counts.push([...w.open.values()][0] ?? 0);
      return 0;
    });
    w.machine.engine.run();
    expect(counts).toEqual([2, 1]);
  });

  it('wait for their children, and know when they have none', () => {
    const w = world();
    const seen: unknown[] = [];
    w.board.start('parent', function* (sys) {
      const late = yield* sys.spawn('late', function* (c) {
        yield* c.sleep(1000);
        return 2;
      });
      yield* sys.spawn('early', function* () {
        return 1;
      });
      seen.push((yield* sys.wait()).status, (yield* sys.wait(late)).status);
      try {
        yield* sys.wait();
      } catch (e) {
        seen.push(isKernelError(e) ? e.kind : 'other');
      }
      return 0;
    });
    w.machine.engine.run();
    expect(seen).toEqual([1, 2, 'noProcess']);
  });

  it('stop the run when a program breaks an invariant', () => {
    const w = world();
    w.board.start('broken', function* () {
      throw new TypeError('a defect');
    });
    expect(() => w.machine.engine.run()).toThrow(/a defect/);
  });
});
