import { describe, expect, it } from 'vitest';
import { currentThread, Engine, ms, sleep, type Task, task, WaitQueue } from '../src/index.ts';
import { engineError, run } from './run.ts';

describe('a thread', () => {
  it('starts at the present instant, after what is already ready', () => {
    const engine = new Engine();
    const seen: string[] = [];
    const say = task(function* say(word: string): Task<void> {
      seen.push(`${word} at ${engine.nowNs}`);
      if (word === 'first') engine.root.spawn('third', say('third'));
    });
    engine.run(10);
    engine.root.spawn('first', say('first'));
    engine.root.spawn('second', say('second'));
    expect(seen).toEqual([]);
    engine.run();
    expect(seen).toEqual(['first at 10', 'second at 10', 'third at 10']);
  });

  it('sleeps for exactly the time it says', () => {
    const times = run(function* (engine) {
      const at: number[] = [];
      for (const ns of [1, 0, ms(3), 7]) {
        yield* sleep(ns);
        at.push(engine.nowNs);
      }
      return at;
    });
    expect(times).toEqual([1, 1, ms(3) + 1, ms(3) + 8]);
  });

  it('that sleeps 0 lets all run that is due', () => {
    const engine = new Engine();
    const seen: string[] = [];
    const two = task(function* two(name: string): Task<void> {
      seen.push(`${name}1`);
      yield* sleep(0);
      seen.push(`${name}2`);
    });
    engine.root.spawn('a', two('a'));
    engine.root.spawn('b', two('b'));
    engine.run();
    expect(seen).toEqual(['a1', 'b1', 'a2', 'b2']);
  });

  it('among those that wake at the same instant, runs in the order in which they went to sleep', () => {
    const engine = new Engine();
    const seen: number[] = [];
    for (const [id, steps] of [
      [0, [5, 5]],
      [1, [10]],
      [2, [3, 7]],
      [3, [10]],
    ] as const) {
      engine.root.spawn(
        `t${id}`,
        (function* (): Task<void> {
          for (const ns of steps) yield* sleep(ns);
          seen.push(id);
        })(),
      );
    }
    engine.run();
    expect([seen, engine.nowNs]).toEqual([[1, 3, 2, 0], 10]);
  });

  it('knows itself, its scope and what its owner hung on it', () => {
    const engine = new Engine();
    const machine = engine.root.child('client');
    let seen: unknown;
    let itself: unknown;
    const t = machine.spawn(
      'worker',
      (function* (): Task<void> {
        yield* sleep(1);
        itself = currentThread();
        seen = [currentThread().name, currentThread().scope.name, currentThread().local];
      })(),
    );
    t.local = { pid: 7 };
    engine.run();
    expect(itself).toBe(t);
    expect(seen).toEqual(['worker', 'client', { pid: 7 }]);
  });

  it('counts the times it blocked', () => {
    const engine = new Engine();
    const queue = new WaitQueue();
    const t = engine.root.spawn(
      't',
      (function* (): Task<void> {
        yield* sleep(1);
        yield* queue.wait();
        yield* sleep(0);
      })(),
    );
    engine.run();
    expect([t.blocks, t.ended]).toEqual([2, false]);
    queue.wakeOne();
    engine.run();
    expect([t.blocks, t.ended]).toEqual([3, true]);
  });

  it('names the tasks on its stack, innermost first, while it waits', () => {
    const engine = new Engine();
    const queue = new WaitQueue();
    const receive = task(function* receive(): Task<void> {
      yield* queue.wait();
    });
    const call = task(function* call(): Task<void> {
      yield* receive();
    });
    const read = task(function* read(): Task<void> {
      yield* call();
      yield* sleep(1);
    });
    const t = engine.root.spawn('reader', read());
    engine.run();
    expect(t.trace()).toBe('receive < call < read');
    queue.wakeOne();
    engine.run(0);
    expect(t.trace()).toBe('read');
    engine.run();
    expect(t.trace()).toBe('(ended)');
  });
});

describe('join', () => {
  const answer = task(function* answer(ns: number): Task<number> {
    yield* sleep(ns);
    return 42;
  });

  it('gives what the body returned, before and after its end', () => {
    const seen = run(function* (engine) {
      const t = engine.root.spawn('answer', answer(5));
      const early = yield* t.join();
      const at = engine.nowNs;
      const late = yield* t.join();
      return [early, at, late, engine.nowNs];
    });
    expect(seen).toEqual([42, 5, 42, 5]);
  });

  it('wakes all that wait, in order', () => {
    const engine = new Engine();
    const seen: string[] = [];
    const t = engine.root.spawn('answer', answer(5));
    for (const name of ['a', 'b', 'c']) {
      engine.root.spawn(
        name,
        (function* (): Task<void> {
          seen.push(`${name} ${yield* t.join()}`);
        })(),
      );
    }
    engine.run();
    expect(seen).toEqual(['a 42', 'b 42', 'c 42']);
  });

  it('receives the error of the body, the same object, and the run goes on', () => {
    const boom = new Error('boom');
    const caught = run(function* (engine) {
      const t = engine.root.spawn(
        'fails',
        (function* (): Task<void> {
          yield* sleep(1);
          throw boom;
        })(),
      );
      try {
        yield* t.join();
      } catch (e) {
        yield* sleep(1);
        return e;
      }
      return undefined;
    });
    expect(caught).toBe(boom);
  });

  it('of oneself is refused', () => {
    const error = engineError(() =>
      run(function* () {
        yield* currentThread().join();
      }),
    );
    expect(error.message).toContain('joins itself');
  });
});

describe('an error that nobody catches', () => {
  const inner = task(function* inner(): Task<void> {
    yield* sleep(1);
    throw new RangeError('no such sector');
  });
  const outer = task(function* outer(): Task<void> {
    yield* inner();
  });

  it('stops the run, and names scope, thread and the chain of waiting tasks', () => {
    const engine = new Engine();
    engine.root.child('server').child('boot1').spawn('reader', outer());
    const error = engineError(() => engine.run());
    expect(error.code).toBe('THREAD_FAILED');
    expect(error.message).toBe('thread reader of server/boot1 failed in inner < outer: no such sector');
    expect(error.cause).toBeInstanceOf(RangeError);
  });

  it('leaves the rest to go on when run() is called again', () => {
    const engine = new Engine();
    const t = engine.root.spawn('reader', outer());
    const other = engine.root.spawn(
      'other',
      (function* (): Task<number> {
        yield* sleep(5);
        return engine.nowNs;
      })(),
    );
    expect(() => engine.run()).toThrow('no such sector');
    expect([t.ended, other.ended, engine.nowNs]).toEqual([true, false, 1]);
    engine.run();
    expect([other.ended, engine.nowNs]).toEqual([true, 5]);
  });

  it('passes through the frames as in any program: caught, rethrown, finally', () => {
    const seen: string[] = [];
    const middle = task(function* middle(): Task<string> {
      try {
        yield* inner();
        return 'unreachable';
      } catch (e) {
        seen.push(`caught ${(e as Error).message}`);
        yield* sleep(1);
        throw new Error('rethrown', { cause: e });
      } finally {
        yield* sleep(1);
        seen.push('finally');
      }
    });
    const result = run(function* () {
      try {
        return yield* middle();
      } catch (e) {
        return (e as Error).message;
      }
    });
    expect([seen, result]).toEqual([['caught no such sector', 'finally'], 'rethrown']);
  });
});
