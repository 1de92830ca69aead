import { describe, expect, it } from 'vitest';
import {
  Condition,
  charge,
  Engine,
  type EngineError,
  type Executor,
  Mutex,
  type Scope,
  settle,
  sleep,
  type Task,
  type Thread,
  Timer,
  task,
  WaitQueue,
} from '../src/index.ts';
import { engineError } from './run.ts';

/** One processor, first come first served. */
class Processor implements Executor {
  readonly sold: string[] = [];
  private freeAtNs = 0;
  private readonly scope: Scope;

  constructor(scope: Scope) {
    this.scope = scope;
  }

  execute(thread: Thread, ns: number, category: number, paid: () => void): void {
    const { nowNs } = this.scope.engine;
    this.freeAtNs = Math.max(this.freeAtNs, nowNs) + ns;
    this.sold.push(`${thread.name} ${ns}/${category} at ${nowNs}`);
    new Timer(this.scope, 'executed', paid).setAt(this.freeAtNs);
  }
}

function stage(): {
  engine: Engine;
  machine: Scope;
  processor: Processor;
  seen: string[];
  say: (word: string) => void;
} {
  const engine = new Engine();
  const machine = engine.root.child('machine');
  const processor = new Processor(engine.root);
  const seen: string[] = [];
  return { engine, machine, processor, seen, say: (word) => seen.push(`${word} ${engine.nowNs}`) };
}

describe('accrued processor time, without an executor', () => {
  it('passes at settle, all of it at once', () => {
    const { engine, machine, say, seen } = stage();
    const t = machine.spawn(
      't',
      (function* (): Task<void> {
        charge(5);
        charge(10, 1);
        charge(5);
        say('charged');
        yield* settle();
        say('settled');
        yield* settle();
        say('owes nothing');
      })(),
    );
    engine.run();
    expect(seen).toEqual(['charged 0', 'settled 20', 'owes nothing 20']);
    expect([t.blocks, engine.events]).toEqual([0, 2]);
  });

  it('costs nothing when it is 0: settle does not even suspend', () => {
    const { engine, machine, seen, say } = stage();
    machine.spawn(
      't',
      (function* (): Task<void> {
        for (let i = 0; i < 100; i++) {
          charge(0, i);
          yield* settle();
        }
        say('done');
      })(),
    );
    engine.run();
    expect([seen, engine.events]).toEqual([['done 0'], 1]);
  });

  it('comes before a sleep', () => {
    const { engine, machine, seen, say } = stage();
    machine.spawn(
      't',
      (function* (): Task<void> {
        charge(30);
        yield* sleep(100);
        say('woke');
        yield* sleep(100);
        say('woke');
      })(),
    );
    engine.run();
    expect(seen).toEqual(['woke 130', 'woke 230']);
  });

  it('is paid while the thread waits: it goes on when it is woken and has paid', () => {
    const { engine, machine, seen, say } = stage();
    const queue = new WaitQueue<string>();
    for (const [name, owesNs] of [
      ['poor', 50],
      ['rich', 5],
    ] as const) {
      machine.spawn(
        name,
        (function* (): Task<void> {
          charge(owesNs);
          say(`${name} ${yield* queue.wait()}`);
        })(),
      );
    }
    new Timer(engine.root, 'wake', () => queue.wakeAll('woken')).set(20);
    engine.run();
    expect(seen).toEqual(['rich woken 20', 'poor woken 50']);
  });

  it('lengthens a limit, which counts the time of the thread', () => {
    const { engine, machine, seen, say } = stage();
    machine.spawn(
      't',
      (function* (): Task<void> {
        charge(30);
        say(`${yield* new WaitQueue().wait(100)}`);
      })(),
    );
    engine.run();
    expect(seen).toEqual(['undefined 130']);
  });

  it('puts who is woken no earlier than the waker: wake-ups and handed-over locks carry its time', () => {
    const { engine, machine, seen, say } = stage();
    const mutex = new Mutex();
    const changed = new Condition(mutex);
    machine.spawn(
      'first',
      (function* (): Task<void> {
        yield* mutex.acquire();
        yield* sleep(1);
        charge(40);
        mutex.release();
        say('first released');
        yield* settle();
        say('first settled');
      })(),
    );
    machine.spawn(
      'second',
      (function* (): Task<void> {
        yield* mutex.acquire();
        say('second in');
        charge(10);
        changed.signal();
        mutex.release();
      })(),
    );
    machine.spawn(
      'third',
      (function* (): Task<void> {
        yield* mutex.acquire();
        yield* changed.wait(1);
        say('third woke');
        mutex.release();
      })(),
    );
    engine.run();
    expect(seen).toEqual(['first released 1', 'second in 41', 'first settled 41', 'third woke 52']);
  });
});

describe('accrued processor time, with an executor', () => {
  it('is bought when the thread suspends, category by category in order of first charge', () => {
    const { engine, machine, processor, seen, say } = stage();
    machine.executor = processor;
    machine.spawn(
      't',
      (function* (): Task<void> {
        charge(10, 2);
        charge(5);
        charge(7, 2);
        charge(1, 3);
        yield* settle();
        say('settled');
        charge(4);
        yield* sleep(100);
        say('woke');
      })(),
    );
    engine.run();
    expect(processor.sold).toEqual(['t 17/2 at 0', 't 5/0 at 17', 't 1/3 at 22', 't 4/0 at 23']);
    expect(seen).toEqual(['settled 23', 'woke 127']);
  });

  it('makes threads wait for each other: the second pays after the first', () => {
    const { engine, machine, processor, seen, say } = stage();
    machine.executor = processor;
    const queue = new WaitQueue();
    for (const name of ['a', 'b', 'c']) {
      machine.spawn(
        name,
        (function* (): Task<void> {
          charge(100);
          if (name === 'c') yield* queue.wait();
          else yield* settle();
          say(name);
        })(),
      );
    }
    new Timer(engine.root, 'wake', () => queue.wakeOne()).set(5);
    engine.run();
    expect(seen).toEqual(['a 100', 'b 200', 'c 300']);
  });

  it('begins a sleep when the debt is paid, however long that took', () => {
    const { engine, machine, processor, seen, say } = stage();
    machine.executor = processor;
    for (const name of ['a', 'b']) {
      machine.spawn(
        name,
        (function* (): Task<void> {
          charge(100);
          yield* sleep(10);
          say(name);
        })(),
      );
    }
    engine.run();
    expect(seen).toEqual(['a 110', 'b 210']);
  });

  it('comes from the nearest scope that has one, wherever the thread is now', () => {
    const { engine, machine, processor, seen, say } = stage();
    const boot = machine.child('boot');
    const program = boot.child('program');
    const other = new Processor(engine.root);
    machine.executor = processor;
    expect([boot.executor, machine.executor === processor]).toEqual([null, true]);
    const away = engine.root.child('away');
    away.executor = other;
    const t = program.spawn(
      't',
      (function* (): Task<void> {
        charge(10);
        charge(10, 1);
        yield* settle(); // moves away while it pays the first part
        charge(10);
        yield* settle();
        away.executor = null;
        charge(10);
        yield* settle(); // nobody sells: the time just passes
        say('done');
      })(),
    );
    new Timer(engine.root, 'migrate', () => away.adopt(t)).set(5);
    engine.run();
    expect(processor.sold).toEqual(['t 10/0 at 0']);
    expect(other.sold).toEqual(['t 10/1 at 10', 't 10/0 at 20']);
    expect(seen).toEqual(['done 40']);
  });

  it('is inherited by scopes that existed before it was set, and by those made after', () => {
    const { engine, processor } = stage();
    const early = engine.root.child('early').child('program');
    engine.root.executor = processor;
    const late = engine.root.child('late');
    const body = task(function* body(): Task<void> {
      charge(1);
      yield* settle();
    });
    early.spawn('early', body());
    late.spawn('late', body());
    engine.run();
    expect(processor.sold).toEqual(['early 1/0 at 0', 'late 1/0 at 0']);
  });

  it('is paid before clean-up when the thread is cancelled, and forgotten when it crashes', () => {
    const { engine, machine, processor, seen, say } = stage();
    machine.executor = processor;
    const queue = new WaitQueue();
    const body = task(function* body(name: string): Task<void> {
      try {
        charge(50);
        yield* queue.wait();
      } finally {
        say(`${name} cleans up`);
      }
    });
    const killed = machine.spawn('killed', body('killed'));
    const doomed = machine.child('doomed');
    doomed.spawn('crashed', body('crashed'));
    new Timer(engine.root, 'both', () => {
      killed.cancel();
      doomed.crash();
    }).set(20);
    engine.run();
    expect([seen, engine.nowNs]).toEqual([['killed cleans up 50'], 100]);
  });

  it('may be executed at once, but not twice', () => {
    const { engine, machine, seen, say } = stage();
    let again = (): void => {};
    machine.executor = {
      execute(_thread, _ns, _category, paid) {
        again = paid;
        paid();
      },
    };
    machine.spawn(
      't',
      (function* (): Task<void> {
        charge(50, 1);
        charge(50, 2);
        yield* settle();
        say('settled');
        yield* sleep(10);
        say('slept');
        yield* new WaitQueue().wait();
      })(),
    );
    engine.run();
    expect(seen).toEqual(['settled 0', 'slept 10']);
    const error: EngineError = engineError(() => again());
    expect(error.code).toBe('PAID_TWICE');
  });
});
