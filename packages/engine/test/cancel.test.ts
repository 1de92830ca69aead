import { describe, expect, it } from 'vitest';
import {
  Channel,
  Condition,
  charge,
  currentThread,
  Engine,
  Mutex,
  settle,
  sleep,
  type Task,
  Timer,
  task,
  WaitQueue,
} from '../src/index.ts';
import { causeOf } from './run.ts';

describe('cancelling a thread', () => {
  it('ends its wait and runs its finally blocks, innermost first, each with all the time it needs', () => {
    const engine = new Engine();
    const seen: string[] = [];
    const level = task(function* level(depth: number): Task<void> {
      try {
        if (depth > 0) yield* level(depth - 1);
        else yield* new WaitQueue().wait();
        seen.push('went on');
      } finally {
        yield* sleep(10);
        seen.push(`level ${depth} cleaned up at ${engine.nowNs}`);
      }
      seen.push('went on');
    });
    const t = engine.root.spawn('t', level(3));
    new Timer(engine.root, 'kill', () => t.cancel()).set(100);
    engine.run();
    expect(seen).toEqual([
      'level 0 cleaned up at 110',
      'level 1 cleaned up at 120',
      'level 2 cleaned up at 130',
      'level 3 cleaned up at 140',
    ]);
    expect(t.ended).toBe(true);
  });

  it('goes round catch blocks', () => {
    const engine = new Engine();
    const seen: string[] = [];
    const t = engine.root.spawn(
      't',
      task(function* body(): Task<void> {
        try {
          yield* sleep(100);
        } catch {
          seen.push('caught');
        } finally {
          seen.push('finally');
        }
      })(),
    );
    engine.run(1);
    t.cancel();
    t.cancel();
    engine.run();
    expect([seen, engine.nowNs]).toEqual([['finally'], 1]);
  });

  it('before its first step ends it without running any of it', () => {
    const engine = new Engine();
    const seen: string[] = [];
    const t = engine.root.spawn(
      't',
      (function* (): Task<void> {
        seen.push('ran');
      })(),
    );
    t.cancel();
    engine.run();
    expect([seen, t.ended]).toEqual([[], true]);
  });

  it('by itself strikes at its next block', () => {
    const engine = new Engine();
    const seen: string[] = [];
    engine.root.spawn(
      't',
      (function* (): Task<void> {
        try {
          currentThread().cancel();
          seen.push('runs on');
          yield* sleep(5);
          seen.push('never');
        } finally {
          seen.push('finally');
        }
      })(),
    );
    engine.run();
    expect([seen, engine.nowNs]).toEqual([['runs on', 'finally'], 0]);
  });

  it('gives who joins it undefined, once its clean-up is done', () => {
    const engine = new Engine();
    const t = engine.root.spawn(
      't',
      task(function* body(): Task<number> {
        try {
          yield* sleep(100);
        } finally {
          yield* sleep(7);
        }
        return 1;
      })(),
    );
    let seen: unknown;
    engine.root.spawn(
      'killer',
      (function* (): Task<void> {
        yield* sleep(1);
        t.cancel();
        seen = [yield* t.join(), engine.nowNs];
      })(),
    );
    engine.run();
    expect(seen).toEqual([undefined, 8]);
  });

  it('does not lose a lock that was handed to it: its finally releases it', () => {
    const engine = new Engine();
    const mutex = new Mutex();
    const seen: string[] = [];
    const user = task(function* user(name: string, ns: number): Task<void> {
      yield* mutex.acquire();
      try {
        seen.push(`${name} in ${engine.nowNs}`);
        yield* sleep(ns);
        seen.push(`${name} done ${engine.nowNs}`);
      } finally {
        mutex.release();
      }
    });
    engine.root.spawn('a', user('a', 10));
    const b = engine.root.spawn('b', user('b', 10));
    engine.root.spawn('c', user('c', 10));
    // a's release has handed the lock to b, which has not run yet
    engine.root.spawn(
      'killer',
      (function* (): Task<void> {
        yield* sleep(10);
        b.cancel();
      })(),
    );
    engine.run();
    expect(seen).toEqual(['a in 0', 'a done 10', 'b in 10', 'c in 10', 'c done 20']);
    expect(mutex.held).toBe(false);
  });

  it('does not lose a message that was handed to it', () => {
    const engine = new Engine();
    const channel = new Channel<string>();
    const seen: string[] = [];
    const t = engine.root.spawn(
      'receiver',
      (function* (): Task<void> {
        for (;;) seen.push(yield* channel.receive());
      })(),
    );
    engine.run();
    channel.send('in flight');
    t.cancel();
    engine.run();
    channel.send('for somebody else');
    expect([seen, t.ended, channel.length]).toEqual([['in flight'], true, 1]);
  });

  it('of one that waits for a condition gives it the lock back for its finally', () => {
    const engine = new Engine();
    const mutex = new Mutex();
    const never = new Condition(mutex);
    const seen: string[] = [];
    const t = engine.root.spawn(
      'waiter',
      task(function* body(): Task<void> {
        yield* mutex.acquire();
        try {
          yield* never.wait();
        } finally {
          seen.push(`finally at ${engine.nowNs}`);
          mutex.release();
        }
      })(),
    );
    engine.root.spawn(
      'holder',
      (function* (): Task<void> {
        yield* mutex.acquire();
        yield* sleep(10);
        t.cancel();
        yield* sleep(10);
        mutex.release();
        seen.push(`released at ${engine.nowNs}`);
      })(),
    );
    engine.run();
    expect(seen).toEqual(['released at 20', 'finally at 20']);
    expect(mutex.held).toBe(false);
  });

  it('while it queues for the lock after a condition leaves it in the queue', () => {
    const engine = new Engine();
    const mutex = new Mutex();
    const changed = new Condition(mutex);
    const seen: string[] = [];
    const t = engine.root.spawn(
      'waiter',
      task(function* body(): Task<void> {
        yield* mutex.acquire();
        try {
          yield* changed.wait();
          seen.push('went on');
        } finally {
          seen.push(`finally at ${engine.nowNs}`);
          mutex.release();
        }
      })(),
    );
    engine.root.spawn(
      'holder',
      (function* (): Task<void> {
        yield* mutex.acquire();
        changed.signal();
        yield* sleep(10);
        t.cancel();
        yield* sleep(10);
        mutex.release();
      })(),
    );
    engine.run();
    expect([seen, mutex.held]).toEqual([['finally at 20'], false]);
  });

  it('that computes without end strikes when it has paid', () => {
    const engine = new Engine();
    const seen: string[] = [];
    const t = engine.root.spawn(
      'busy',
      (function* (): Task<void> {
        try {
          for (;;) {
            charge(100);
            yield* settle();
          }
        } finally {
          seen.push(`stopped at ${engine.nowNs}`);
        }
      })(),
    );
    new Timer(engine.root, 'kill', () => t.cancel()).set(250);
    engine.run();
    expect(seen).toEqual(['stopped at 300']);
  });

  it('tells an error out of its clean-up', () => {
    const engine = new Engine();
    const boom = new Error('cannot clean up');
    const fail = (): never => {
      throw boom;
    };
    const inner = task(function* inner(): Task<void> {
      try {
        yield* sleep(100);
      } finally {
        yield* sleep(1);
        fail();
      }
    });
    const seen: string[] = [];
    const t = engine.root.spawn(
      't',
      task(function* outer(): Task<void> {
        try {
          yield* inner();
        } finally {
          yield* sleep(1);
          seen.push(`outer at ${engine.nowNs}`);
        }
      })(),
    );
    engine.run(10);
    t.cancel();
    expect(causeOf(() => engine.run())).toBe(boom);
    expect(seen).toEqual(['outer at 12']);
  });
});

describe('cancelling a scope', () => {
  it('cancels every thread in it and within, disarms its timers, and ends dead', () => {
    const engine = new Engine();
    const job = engine.root.child('job');
    const part = job.child('part');
    const seen: string[] = [];
    const body = task(function* body(name: string): Task<void> {
      try {
        yield* sleep(100);
      } finally {
        yield* sleep(5);
        seen.push(`${name} ${engine.nowNs}`);
      }
    });
    for (const scope of [job, part]) {
      scope.spawn('a', body(`${scope.name} a`));
      scope.spawn('b', body(`${scope.name} b`));
      new Timer(scope, 'tick', () => seen.push('tick')).set(50);
    }
    engine.root.spawn('beside', body('beside'));
    engine.run(10);
    job.cancel();
    expect([job.alive, part.alive, engine.root.alive]).toEqual([false, false, true]);
    engine.run();
    expect(seen).toEqual(['job a 15', 'job b 15', 'part a 15', 'part b 15', 'beside 105']);
    const late = part.spawn('late', body('late'));
    expect(late.ended).toBe(true);
  });

  it('lets the clean-up use threads and timers of its own', () => {
    const engine = new Engine();
    const job = engine.root.child('job');
    const seen: string[] = [];
    const flush = task(function* flush(): Task<string> {
      yield* sleep(20);
      return 'flushed';
    });
    job.spawn(
      'main',
      task(function* main(): Task<void> {
        try {
          yield* sleep(100);
        } finally {
          new Timer(job, 'retransmit', () => seen.push(`again ${engine.nowNs}`)).set(15);
          seen.push(`${yield* job.spawn('flush', flush()).join()} ${engine.nowNs}`);
        }
      })(),
    );
    engine.run(10);
    job.cancel();
    engine.run();
    expect(seen).toEqual(['again 25', 'flushed 30']);
    new Timer(job, 'late', () => seen.push('late')).set(1);
    engine.run();
    expect(seen).toHaveLength(2);
  });

  it('then crashing it stops the clean-up where it is', () => {
    const engine = new Engine();
    const machine = engine.root.child('machine');
    const job = machine.child('job');
    const seen: string[] = [];
    job.spawn(
      'main',
      task(function* main(): Task<void> {
        try {
          yield* sleep(100);
        } finally {
          seen.push('begins');
          yield* sleep(100);
          seen.push('never');
        }
      })(),
    );
    engine.run(10);
    job.cancel();
    engine.run(20);
    machine.crash();
    engine.run();
    expect([seen, engine.nowNs]).toEqual([['begins'], 20]);
  });
});

it('an unmarked task that blocks in its finally while being cancelled is the documented exception: its caller goes on', () => {
  const engine = new Engine();
  const seen: string[] = [];
  function* unmarked(): Task<void> {
    try {
      yield* sleep(100);
    } finally {
      yield* sleep(5);
      seen.push('cleaned up');
    }
  }
  const t = engine.root.spawn(
    't',
    (function* (): Task<void> {
      yield* unmarked();
      seen.push('went on');
    })(),
  );
  engine.run(1);
  t.cancel();
  engine.run();
  expect(seen).toEqual(['cleaned up', 'went on']);
});
