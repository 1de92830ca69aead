import { expect, expectTypeOf, it } from 'vitest';
import {
  Channel,
  Condition,
  call,
  Engine,
  Mutex,
  sleep,
  type Task,
  Thread,
  task,
  tasks,
  WaitQueue,
} from '../src/index.ts';
import { run } from './run.ts';

it('yield* gives the type of what is waited for', () => {
  const channel = new Channel<string>();
  const queue = new WaitQueue<number>();
  const silent = new WaitQueue();
  const mutex = new Mutex();
  const condition = new Condition(mutex);
  const size = task(function* size(name: string, times: number = 1): Task<number> {
    return name.length * times;
  });
  function* pair(): Task<[string, number]> {
    return ['x', yield* size('xy')];
  }
  class Disk {
    static {
      tasks(Disk);
    }
    *read(sector: number): Task<Uint8Array> {
      return new Uint8Array(sector);
    }
  }
  const body = function* (engine: Engine): Task<string> {
    channel.send('message');
    expectTypeOf(yield* channel.receive()).toEqualTypeOf<string>();
    expectTypeOf(yield* queue.wait(1)).toEqualTypeOf<number | undefined>();
    expectTypeOf(yield* silent.wait(1)).toEqualTypeOf<undefined | void>();
    yield* mutex.acquire();
    expectTypeOf(yield* condition.wait(1)).toEqualTypeOf<boolean>();
    mutex.release();
    expectTypeOf(yield* size('abc', 2)).toEqualTypeOf<number>();
    expectTypeOf(yield* pair()).toEqualTypeOf<[string, number]>();
    expectTypeOf(yield* call(pair())).toEqualTypeOf<[string, number]>();
    expectTypeOf(yield* new Disk().read(3)).toEqualTypeOf<Uint8Array>();
    const t = engine.root.spawn('pair', pair());
    expectTypeOf(t).toEqualTypeOf<Thread<[string, number]>>();
    expectTypeOf(yield* t.join()).toEqualTypeOf<[string, number]>();
    expectTypeOf(yield* sleep(1)).toEqualTypeOf<void>();
    return 'done';
  };
  expectTypeOf(run(body)).toEqualTypeOf<string>();
  expectTypeOf(size).parameters.toEqualTypeOf<[name: string, times?: number | undefined]>();
  expect(run(body)).toBe('done');
});

it('wrong uses do not compile', () => {
  const engine = new Engine();
  const wrong = function* (): Task<void> {
    // @ts-expect-error: a task is not its result
    const n: number = (function* (): Task<number> {
      return 1;
    })();
    // @ts-expect-error: a promise is not a task
    yield* Promise.resolve(n);
    // @ts-expect-error: a channel of strings
    new Channel<string>().send(5);
    // @ts-expect-error: a value is handed over
    new WaitQueue<number>().wakeOne();
    new WaitQueue().wakeOne();
    // @ts-expect-error: read only
    engine.root.name = 'x';
  };
  // @ts-expect-error: only generator functions
  const mark = (): unknown => task(() => 5);
  // @ts-expect-error: a body is a task, not a function
  const spawn = (): unknown => engine.root.spawn('t', wrong);
  expect([typeof mark, typeof spawn, Thread.name]).toEqual(['function', 'function', 'Thread']);
});
