import type { Engine, Task } from '@backplane/engine';
import { isKernelError, type ObjectKind, type OpenObject, type Streams, type Waiter } from '@backplane/slots';
import { testMachine } from '@backplane/slots/testing';
import { describe, expect, it } from 'vitest';
import { pipes } from '../src/index.ts';

interface World {
  readonly engine: Engine;
  readonly read: OpenObject;
  readonly write: OpenObject;
  /** Tickets of the waiters that were woken. */
  readonly woken: number[];
  run<T>(body: Task<T>): T | string;
}

const waiter = (ticket: number): Waiter => ({ host: 1 as Waiter['host'], ticket });

function world(): World {
  const machine = testMachine();
  const woken: number[] = [];
  const kinds: ObjectKind[] = [];
  const streams = {
    kind: (k: ObjectKind) => kinds.push(k),
    wake: (w: Waiter) => woken.push(w.ticket),
  } as unknown as Streams;
  const transport = { serve: () => () => {}, peers: { onDead: () => () => {} } };
  pipes().create({ streams, transport, wrapped: new Map() } as never, machine);
  const pair = kinds[0]?.pair?.();
  if (pair === undefined) throw new Error('no pipe');
  return {
    engine: machine.engine,
    ...pair,
    woken,
    run<T>(body: Task<T>): T | string {
      const results: (T | string)[] = [];
      machine.scope.spawn(
        'test',
        (function* (): Task<void> {
          try {
            results.push(yield* body);
          } catch (e) {
            if (!isKernelError(e)) throw e;
            results.push(e.kind);
          }
        })(),
      );
      machine.engine.run();
      return results[0] as T | string;
    },
  };
}

const bytes = (n: number): Uint8Array => new Uint8Array(n).map((_, i) => i);

describe('a pipe', () => {
  it('passes bytes in order, around the end of its buffer', () => {
    const w = world();
    for (let i = 0; i < 5; i++) {
      w.run(w.write.write(0, bytes(3000), waiter(1)));
      const got = w.run(w.read.read(0, 4096, waiter(2))) as { readonly bytes: Uint8Array };
      expect([...got.bytes]).toEqual([...bytes(3000)]);
    }
  });

  it('would block its reader when empty, and wakes him when something comes', () => {
    const w = world();
    expect(w.run(w.read.read(0, 10, waiter(7)))).toBe('wouldBlock');
    w.run(w.write.write(0, bytes(1), waiter(8)));
    expect(w.woken).toEqual([7]);
  });

  it('takes a write of at most a buffer whole or not at all', () => {
    const w = world();
    w.run(w.write.write(0, bytes(4000), waiter(1)));
    expect(w.run(w.write.write(0, bytes(200), waiter(2)))).toBe('wouldBlock');
    w.run(w.read.read(0, 104, waiter(3)));
    expect(w.woken).toEqual([2]);
    expect(w.run(w.write.write(0, bytes(200), waiter(2)))).toEqual({ count: 200, next: 0 });
  });

  it('takes what fits of a longer write', () => {
    const w = world();
    expect(w.run(w.write.write(0, bytes(5000), waiter(1)))).toEqual({ count: 4096, next: 0 });
  });

  it('ends for the reader when the writer is gone, after what is left', () => {
    const w = world();
    w.run(w.write.write(0, bytes(2), waiter(1)));
    w.run(w.write.close());
    expect((w.run(w.read.read(0, 10, waiter(2))) as { readonly bytes: Uint8Array }).bytes).toHaveLength(2);
    expect((w.run(w.read.read(0, 10, waiter(2))) as { readonly bytes: Uint8Array }).bytes).toHaveLength(0);
  });

  it('is broken for the writer when the reader is gone, who is woken to find out', () => {
    const w = world();
    w.run(w.write.write(0, bytes(4096), waiter(1)));
    expect(w.run(w.write.write(0, bytes(1), waiter(2)))).toBe('wouldBlock');
    w.run(w.read.close());
    expect(w.woken).toEqual([2]);
    expect(w.run(w.write.write(0, bytes(1), waiter(2)))).toBe('brokenPipe');
  });

  it('says what is ready, and leaves a waiter for what is not', () => {
    const w = world();
    expect(w.run(w.read.poll(waiter(5)))).toEqual({ read: false, write: false, exception: false });
    expect(w.run(w.write.poll(waiter(6)))).toEqual({ read: false, write: true, exception: false });
    w.run(w.write.write(0, bytes(1), waiter(1)));
    expect(w.woken).toEqual([5]);
    expect(w.run(w.read.poll(waiter(5)))).toEqual({ read: true, write: false, exception: false });
  });

  it('has no place to seek to, no size to set and nothing to store', () => {
    const w = world();
    expect(w.read.traits.seekable).toBe(false);
    expect(w.run(w.write.truncate(0))).toBe('badArgument');
    expect(w.run(w.write.sync())).toBe('badArgument');
  });
});
