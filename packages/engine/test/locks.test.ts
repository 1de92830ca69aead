import { describe, expect, it } from 'vitest';
import {
  Channel,
  Condition,
  Engine,
  Gate,
  Mutex,
  Semaphore,
  sleep,
  type Task,
  Timer,
  WaitQueue,
} from '../src/index.ts';
import { run } from './run.ts';

/** An engine, a list of what was seen, and a way to spawn threads that write to it. */
function stage(): {
  engine: Engine;
  seen: string[];
  say: (word: string) => void;
  spawn: (name: string, body: () => Task<unknown>) => void;
} {
  const engine = new Engine();
  const seen: string[] = [];
  return {
    engine,
    seen,
    say: (word) => seen.push(`${word} ${engine.nowNs}`),
    spawn: (name, body) => engine.root.spawn(name, body()),
  };
}

describe('a mutex', () => {
  it('lets one thread in at a time, in the order in which they came', () => {
    const { engine, seen, say, spawn } = stage();
    const mutex = new Mutex();
    for (const name of ['a', 'b', 'c']) {
      spawn(name, function* () {
        yield* mutex.acquire();
        say(`${name} in`);
        yield* sleep(10);
        mutex.release();
        say(`${name} out`);
      });
    }
    engine.run();
    expect(seen).toEqual(['a in 0', 'a out 10', 'b in 10', 'b out 20', 'c in 20', 'c out 30']);
    expect(mutex.held).toBe(false);
  });

  it('is handed over: who releases it and wants it again queues behind', () => {
    const { engine, seen, say, spawn } = stage();
    const mutex = new Mutex();
    for (const name of ['greedy', 'patient']) {
      spawn(name, function* () {
        for (let i = 0; i < 2; i++) {
          yield* mutex.acquire();
          say(name);
          yield* sleep(1);
          mutex.release();
        }
      });
    }
    engine.run();
    expect(seen).toEqual(['greedy 0', 'patient 1', 'greedy 2', 'patient 3']);
  });

  it('that is free does not suspend', () => {
    const { engine, spawn } = stage();
    const mutex = new Mutex();
    spawn('t', function* () {
      for (let i = 0; i < 5; i++) {
        yield* mutex.acquire();
        mutex.release();
      }
    });
    engine.run();
    expect(engine.events).toBe(1);
  });

  it('may be tried and released by a timer', () => {
    const { engine, seen, say, spawn } = stage();
    const mutex = new Mutex();
    const release = new Timer(engine.root, 'release', () => mutex.release());
    new Timer(engine.root, 'try', () => {
      say(`${mutex.tryAcquire()} ${mutex.tryAcquire()}`);
      release.set(10);
    }).set(5);
    spawn('t', function* () {
      yield* sleep(6);
      yield* mutex.acquire();
      say('in');
    });
    engine.run();
    expect(seen).toEqual(['true false 5', 'in 15']);
  });
});

describe('a condition', () => {
  it('wakes one waiter for a signal, all for a broadcast, each with the lock held', () => {
    const { engine, seen, say, spawn } = stage();
    const mutex = new Mutex();
    const changed = new Condition(mutex);
    for (const name of ['a', 'b', 'c']) {
      spawn(name, function* () {
        yield* mutex.acquire();
        say(`${name} ${yield* changed.wait()} ${mutex.held}`);
        yield* sleep(1);
        mutex.release();
      });
    }
    spawn('signaller', function* () {
      yield* sleep(10);
      changed.signal();
      yield* sleep(10);
      changed.broadcast();
    });
    engine.run();
    expect(seen).toEqual(['a true true 10', 'b true true 20', 'c true true 21']);
  });

  it('loses no wake-up: a signal under the lock reaches who waits or tests later', () => {
    const { engine, spawn } = stage();
    const mutex = new Mutex();
    const notEmpty = new Condition(mutex);
    let count = 0;
    let taken = 0;
    for (let i = 0; i < 4; i++) {
      spawn('consumer', function* () {
        for (let k = 0; k < 25; k++) {
          yield* mutex.acquire();
          while (count === 0) yield* notEmpty.wait();
          count--;
          taken++;
          mutex.release();
        }
      });
      spawn('producer', function* () {
        for (let k = 0; k < 25; k++) {
          yield* sleep(1 + ((7 * i + k) % 5));
          yield* mutex.acquire();
          count++;
          notEmpty.signal();
          mutex.release();
        }
      });
    }
    engine.run();
    expect([taken, count]).toEqual([100, 0]);
  });

  it('times out with false, at its instant, and takes the lock back first', () => {
    const { engine, seen, say, spawn } = stage();
    const mutex = new Mutex();
    const never = new Condition(mutex);
    spawn('waiter', function* () {
      yield* mutex.acquire();
      say(`${yield* never.wait(10)}`);
      mutex.release();
    });
    spawn('holder', function* () {
      yield* sleep(5);
      yield* mutex.acquire();
      yield* sleep(20);
      mutex.release();
    });
    engine.run();
    expect(seen).toEqual(['false 25']);
  });

  it('does not take back its answer when the time runs out while it waits for the lock', () => {
    const { engine, seen, say, spawn } = stage();
    const mutex = new Mutex();
    const changed = new Condition(mutex);
    spawn('waiter', function* () {
      yield* mutex.acquire();
      say(`${yield* changed.wait(10)}`);
      mutex.release();
    });
    spawn('signaller', function* () {
      yield* mutex.acquire();
      yield* sleep(9);
      changed.signal();
      yield* sleep(9);
      mutex.release();
    });
    engine.run();
    expect(seen).toEqual(['true 18']);
  });

  it('is a hint: another may have taken the lock and what was waited for', () => {
    const { engine, seen, say, spawn } = stage();
    const mutex = new Mutex();
    const notEmpty = new Condition(mutex);
    let count = 0;
    spawn('waiter', function* () {
      yield* mutex.acquire();
      while (count === 0) {
        yield* notEmpty.wait();
        say(`woken, count ${count}`);
      }
      mutex.release();
    });
    spawn('producer', function* () {
      yield* sleep(1);
      count++;
      notEmpty.signal(); // the waiter is ready now, but has not run
      yield* mutex.acquire();
      count--;
      mutex.release();
      yield* sleep(1);
      count++;
      notEmpty.signal();
    });
    engine.run();
    expect(seen).toEqual(['woken, count 0 1', 'woken, count 1 2']);
  });
});

describe('a wait queue', () => {
  it('wakes in order, with a value, and says whether anybody waited', () => {
    const { engine, seen, say, spawn } = stage();
    const queue = new WaitQueue<number>();
    for (const name of ['a', 'b', 'c']) {
      spawn(name, function* () {
        say(`${name} ${yield* queue.wait()}`);
      });
    }
    engine.run();
    expect([queue.length, queue.wakeOne(1), queue.length]).toEqual([3, true, 2]);
    queue.wakeAll(2);
    expect([queue.length, queue.wakeOne(3)]).toEqual([0, false]);
    engine.run();
    expect(seen).toEqual(['a 1 0', 'b 2 0', 'c 2 0']);
  });

  it('gives undefined when the time runs out; who timed out is not in the queue any more', () => {
    const { engine, seen, say, spawn } = stage();
    const queue = new WaitQueue<string>();
    spawn('hasty', function* () {
      say(`hasty ${yield* queue.wait(5)}`);
    });
    spawn('patient', function* () {
      say(`patient ${yield* queue.wait(50)}`);
    });
    spawn('waker', function* () {
      yield* sleep(10);
      say(`waiting ${queue.length}`);
      queue.wakeOne('x');
    });
    engine.run();
    expect(seen).toEqual(['hasty undefined 5', 'waiting 1 10', 'patient x 10']);
    expect(engine.nowNs).toBe(10); // the time-out of the one that was woken is gone
  });

  it('does not grow when a thread waits with a limit for ever', () => {
    const { engine, spawn } = stage();
    const queue = new WaitQueue();
    spawn('daemon', function* () {
      for (let i = 0; i < 100_000; i++) yield* queue.wait(10);
    });
    engine.run();
    expect([queue.length, engine.nowNs]).toEqual([0, 1_000_000]);
  });
});

describe('a channel', () => {
  it('gives messages in order of sending to receivers in order of asking', () => {
    const { engine, seen, say, spawn } = stage();
    const channel = new Channel<number>();
    for (const name of ['a', 'b']) {
      spawn(name, function* () {
        for (let i = 0; i < 2; i++) say(`${name} ${yield* channel.receive()}`);
      });
    }
    spawn('sender', function* () {
      yield* sleep(1);
      for (const x of [1, 2, 3, 4]) channel.send(x);
      yield* sleep(1);
    });
    engine.run();
    expect(seen).toEqual(['a 1 1', 'a 3 1', 'b 2 1', 'b 4 1']);
  });

  it('keeps what nobody has received', () => {
    const channel = new Channel<string | undefined>();
    channel.send('x');
    channel.send(undefined);
    expect([channel.length, channel.tryReceive(), channel.length]).toEqual([2, 'x', 1]);
    const rest = run(function* () {
      return [yield* channel.receive(), channel.length, channel.tryReceive()];
    });
    expect(rest).toEqual([undefined, 0, undefined]);
  });
});

describe('a semaphore', () => {
  it('lets in as many as it has units, in order, and hands a unit to who waits', () => {
    const { engine, seen, say, spawn } = stage();
    const semaphore = new Semaphore(2);
    for (const name of ['a', 'b', 'c', 'd']) {
      spawn(name, function* () {
        yield* semaphore.acquire();
        say(name);
        yield* sleep(10);
        semaphore.release();
        if (name === 'a') say(`overtakes ${semaphore.tryAcquire()}`);
      });
    }
    engine.run();
    expect(seen).toEqual(['a 0', 'b 0', 'overtakes false 10', 'c 10', 'd 10']);
    expect([semaphore.tryAcquire(), semaphore.tryAcquire(), semaphore.tryAcquire()]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('a gate', () => {
  it('holds threads while it is closed; all that wait when it opens pass', () => {
    const { engine, seen, say, spawn } = stage();
    const gate = new Gate();
    for (const name of ['a', 'b']) {
      spawn(name, function* () {
        yield* gate.pass();
        say(name);
        yield* gate.pass();
        say(`${name} again`);
      });
    }
    new Timer(engine.root, 'open', () => {
      gate.open();
      gate.close();
    }).set(5);
    new Timer(engine.root, 'open again', () => gate.open()).set(9);
    engine.run();
    expect(seen).toEqual(['a 5', 'b 5', 'a again 9', 'b again 9']);
    expect([gate.isOpen, new Gate(true).isOpen]).toEqual([true, true]);
  });
});
