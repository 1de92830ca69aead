import { describe, expect, it } from 'vitest';
import {
  Channel,
  Condition,
  call,
  charge,
  currentThread,
  Engine,
  type EngineError,
  Mutex,
  Semaphore,
  settle,
  sleep,
  type Task,
  Timer,
  task,
  WaitQueue,
} from '../src/index.ts';
import { causeOf, engineError, forget, run } from './run.ts';

const code = (f: () => unknown): string => {
  const error = engineError(f);
  return (error.cause as EngineError | undefined)?.code ?? error.code;
};

describe('a mistake is told', () => {
  it('a blocking call without yield*, at the next blocking call', () => {
    const queue = new WaitQueue();
    const mistakes: (() => unknown)[] = [
      () => sleep(5),
      () => queue.wait(),
      () => new Channel().receive(),
      () => call((function* (): Task<void> {})()),
    ];
    for (const mistake of mistakes) {
      const engine = new Engine();
      engine.root.child('client').spawn(
        'hasty',
        (function* (): Task<void> {
          forget(mistake());
          yield* sleep(1);
        })(),
      );
      const cause = causeOf(() => engine.run()) as EngineError;
      expect(cause.code).toBe('FORGOTTEN_YIELD');
      expect(cause.message).toContain('thread hasty of client');
      expect(cause.hint).toContain('yield*');
    }
  });

  it('a blocking call without yield*, at a marked task, at a bare yield, or at the end', () => {
    const nothing = task(function* nothing(): Task<void> {});
    const bodies: (() => Task<void>)[] = [
      function* () {
        forget(sleep(5));
        yield* nothing();
      },
      function* () {
        forget(sleep(5));
        yield;
      },
      function* () {
        forget(sleep(5));
      },
    ];
    for (const body of bodies) {
      const engine = new Engine();
      const t = engine.root.spawn('hasty', body());
      expect(code(() => engine.run())).toBe('FORGOTTEN_YIELD');
      expect(t.ended).toBe(true);
      engine.run();
      expect(engine.nowNs).toBe(0); // the sleep that was not slept left nothing behind
    }
  });

  it('and a caller that catches the error finds its thread in order', () => {
    const hasty = task(function* hasty(): Task<void> {
      yield* sleep(1);
      forget(sleep(5));
      yield* sleep(1);
    });
    const at = run(function* (engine) {
      try {
        yield* hasty();
      } catch {
        yield* sleep(10);
      }
      return engine.nowNs;
    });
    expect(at).toBe(11);
  });

  it('a bare yield', () => {
    const engine = new Engine();
    const bare = engine.root.spawn(
      'bare',
      (function* (): Task<void> {
        yield;
      })(),
    );
    const error = engineError(() => engine.run());
    expect([error.code, bare.ended]).toEqual(['BARE_YIELD', true]);
    expect(error.message).toContain('thread bare of');
  });

  it('blocking, charging or asking for the thread outside of one', () => {
    const engine = new Engine();
    const calls: (() => unknown)[] = [
      () => sleep(1),
      () => settle(),
      () => charge(1),
      () => currentThread(),
      () => new Mutex().acquire(),
      () => new Semaphore(1).acquire(),
      () => new Channel().receive(),
      () => new WaitQueue().wait(),
    ];
    for (const one of calls) expect(code(one)).toBe('OUTSIDE_THREAD');
    for (const one of calls) {
      new Timer(engine.root.child('client'), 'tick', () => forget(one())).set(1);
      const error = engineError(() => engine.run());
      expect(error.message).toContain('timer tick of client failed');
      expect((error.cause as EngineError).code).toBe('OUTSIDE_THREAD');
    }
  });

  it('a lock that is released or used by who does not hold it, or taken twice', () => {
    const mutex = new Mutex();
    const condition = new Condition(mutex);
    const bodies: [string, () => Task<void>][] = [
      [
        'NOT_HELD',
        function* () {
          mutex.release();
        },
      ],
      [
        'NOT_HELD',
        function* () {
          yield* condition.wait(5);
        },
      ],
      [
        'ALREADY_HELD',
        function* () {
          yield* mutex.acquire();
          yield* mutex.acquire();
        },
      ],
    ];
    for (const [expected, body] of bodies) {
      const engine = new Engine();
      engine.root.spawn('thread', body());
      expect(code(() => engine.run())).toBe(expected);
    }
    expect(code(() => new Mutex().release())).toBe('NOT_HELD');
  });

  it('marking what is not a generator function', () => {
    const plain = (): never => {
      throw new Error('never called');
    };
    expect(code(() => task(plain))).toBe('NOT_A_TASK');
  });

  it('running the engine from within', () => {
    const engine = new Engine();
    new Timer(engine.root, 'tick', () => engine.run()).set(1);
    expect(code(() => engine.run())).toBe('RUN_INSIDE_RUN');
  });

  it('numbers out of range', () => {
    const engine = new Engine();
    expect(code(() => new Engine({ seed: 1.5 }))).toBe('BAD_SEED');
    expect(code(() => new Semaphore(-1))).toBe('BAD_ARGUMENT');
    expect(code(() => engine.random('x').below(0))).toBe('BAD_ARGUMENT');
    expect(code(() => engine.random('x').below(2.5))).toBe('BAD_ARGUMENT');
    expect(code(() => engine.random('x').pick([]))).toBe('BAD_ARGUMENT');
    for (const [ns, category] of [
      [-1, 0],
      [0.5, 0],
      [Number.NaN, 0],
      [1, -1],
      [1, 0.5],
    ] as const) {
      const error = engineError(() =>
        run(function* () {
          charge(ns, category);
        }),
      );
      expect((error.cause as EngineError).code).toBe('BAD_CHARGE');
    }
  });

  it('with the brand by which other packages know a developer error', () => {
    const error = engineError(() => sleep(1));
    expect(error).toMatchObject({ backplane: 'BackplaneError', code: 'OUTSIDE_THREAD', data: {} });
    expect(error.hint).not.toBe('');
  });
});
