import { describe, expect, it, vi } from 'vitest';
import {
  Channel,
  charge,
  currentThread,
  Engine,
  Gate,
  Mutex,
  type Scope,
  sleep,
  type Task,
  Timer,
  task,
  tasks,
  WaitQueue,
} from '../src/index.ts';
import { engineError } from './run.ts';

/** The part of Node by which a test can ask for a garbage collection. */
declare const process: {
  getBuiltinModule(name: 'node:v8'): { setFlagsFromString(flags: string): void };
  getBuiltinModule(name: 'node:vm'): { runInNewContext(code: string): () => void };
};
process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
const collectGarbage = process.getBuiltinModule('node:vm').runInNewContext('gc');

describe('a crash', () => {
  it('runs no further statement of the scope, no finally, no timer, whatever its threads wait for', () => {
    const engine = new Engine();
    const machine = engine.root.child('machine');
    const seen: string[] = [];
    const mutex = new Mutex();
    const channel = new Channel<number>();
    const queue = new WaitQueue();
    const gate = new Gate();
    const waits: Record<string, () => Task<unknown>> = {
      *sleep() {
        yield* sleep(100);
      },
      *mutex() {
        yield* mutex.acquire();
      },
      *channel() {
        yield* channel.receive();
      },
      *limited() {
        yield* queue.wait(100);
      },
      *gate() {
        yield* gate.pass();
      },
      *ready() {
        yield* sleep(50); // woken by the crash's own instant: ready or due when the power fails
      },
    };
    new Timer(engine.root, 'power failure', () => machine.crash()).set(50);
    expect(mutex.tryAcquire()).toBe(true);
    const threads = Object.entries(waits).map(([name, wait]) =>
      machine.spawn(
        name,
        task(function* () {
          try {
            yield* wait();
            seen.push(`${name} woke`);
          } finally {
            seen.push(`${name} finally`);
          }
        })(),
      ),
    );
    new Timer(machine, 'tick', () => seen.push('tick')).set(60);
    engine.run(50);
    expect(threads.map((t) => t.ended)).toEqual([true, true, true, true, true, true]);
    mutex.release();
    channel.send(1);
    queue.wakeAll();
    gate.open();
    engine.run();
    expect([seen, engine.nowNs, channel.length, queue.length, mutex.held]).toEqual([[], 50, 1, 0, false]);
  });

  it('reaches the scopes within, spares those beside, and leaves the dead ones dead', () => {
    const engine = new Engine();
    const seen: string[] = [];
    const cluster = engine.root.child('cluster');
    const machine = cluster.child('machine');
    const program = machine.child('boot').child('program');
    const beside = cluster.child('beside');
    const tick = (scope: Scope): Timer => new Timer(scope, 'tick', () => seen.push(`${scope.path} ticked`));
    const timers = [program, beside].map(tick);
    for (const t of timers) t.set(10);
    machine.crash();
    expect([machine.alive, program.alive, beside.alive, cluster.alive]).toEqual([false, false, true, true]);
    const born = program.spawn(
      'late',
      (function* (): Task<void> {
        seen.push('late ran');
      })(),
    );
    for (const t of timers) t.set(20);
    const orphan = program.child('orphan');
    tick(orphan).set(5);
    engine.run();
    expect(seen).toEqual(['cluster/beside ticked']);
    expect([born.ended, orphan.alive, timers[0]?.armed]).toEqual([true, false, false]);
    machine.crash();
    program.cancel();
  });

  it('of a thread by itself lets it run on to its next suspension, and no further', () => {
    const engine = new Engine();
    const machine = engine.root.child('machine');
    const seen: string[] = [];
    const t = machine.spawn(
      'suicide',
      (function* (): Task<void> {
        yield* sleep(1);
        machine.crash();
        seen.push(`still here, ended ${currentThread().ended}`);
        try {
          yield* sleep(1);
          seen.push('never');
        } finally {
          seen.push('never either');
        }
      })(),
    );
    const failing = engine.root.child('other');
    failing.spawn(
      'fails',
      (function* (): Task<void> {
        yield* sleep(2);
        failing.crash();
        throw new Error('of a dead machine');
      })(),
    );
    engine.run();
    expect([seen, t.ended, engine.nowNs]).toEqual([['still here, ended true'], true, 2]);
  });

  it('wakes who waits elsewhere for the end of one of its threads', () => {
    const engine = new Engine();
    const machine = engine.root.child('machine');
    const within = machine.child('program');
    const seen: string[] = [];
    const victim = within.spawn(
      'victim',
      (function* (): Task<number> {
        yield* sleep(100);
        return 1;
      })(),
    );
    for (const scope of [engine.root, machine]) {
      scope.spawn(
        'joiner',
        (function* (): Task<void> {
          seen.push(`${scope.name} got ${yield* victim.join()} at ${engine.nowNs}`);
        })(),
      );
    }
    new Timer(engine.root, 'power failure', () => machine.crash()).set(5);
    engine.run();
    expect(seen).toEqual(['root got undefined at 5']);
  });

  it('leaves nothing of the machine in memory, though its timers were set for years', async () => {
    const engine = new Engine();
    const machine = { scope: engine.root.child('machine') as Scope | null };
    const mutex = new Mutex();
    const queue = new WaitQueue();
    class Board {
      readonly pages: Uint8Array = new Uint8Array(1000);
      static {
        tasks(Board);
      }
      *serve(): Task<number> {
        charge(1);
        yield* mutex.acquire();
        yield* queue.wait(1e15);
        return this.pages.length;
      }
    }
    const references: WeakRef<Board>[] = [];
    const boot = (scope: Scope): void => {
      for (let i = 0; i < 10; i++) {
        const board = new Board();
        references.push(new WeakRef(board));
        scope.spawn('server', board.serve());
        const timer = new Timer(scope, 'daily', () => board.pages.fill(1));
        timer.set(8.64e13);
      }
    };
    boot(machine.scope ?? engine.root);
    engine.run(10);
    machine.scope?.crash();
    machine.scope = null;
    engine.root.spawn('other', (function* (): Task<void> {})());
    engine.run(20);
    await vi.waitUntil(() => {
      collectGarbage();
      return references.every((r) => r.deref() === undefined);
    });
    engine.run(30); // the engine still lives
  });
});

describe('adopting a thread', () => {
  it('takes it out of reach of its old scope, into that of the new one', () => {
    const engine = new Engine();
    const [home, away] = [engine.root.child('home'), engine.root.child('away')];
    const seen: string[] = [];
    const migrant = home.spawn(
      'migrant',
      (function* (): Task<void> {
        for (;;) {
          yield* sleep(10);
          seen.push(`${currentThread().scope.name} ${engine.nowNs}`);
        }
      })(),
    );
    new Timer(engine.root, 'migrate', () => away.adopt(migrant)).set(15);
    new Timer(engine.root, 'home fails', () => home.crash()).set(25);
    new Timer(engine.root, 'away fails', () => away.crash()).set(45);
    engine.run();
    expect(seen).toEqual(['home 10', 'away 20', 'away 30', 'away 40']);
    expect([home.threads(), away.threads(), migrant.ended]).toEqual([[], [], true]);
  });

  it('is refused by a dead scope and by another engine', () => {
    const engine = new Engine();
    const dead = engine.root.child('dead');
    const t = engine.root.spawn('t', (function* (): Task<void> {})());
    dead.crash();
    expect(engineError(() => dead.adopt(t)).message).toBe(
      'thread t of root cannot move to "dead", which is dead.',
    );
    expect(engineError(() => new Engine().root.adopt(t)).code).toBe('FOREIGN_ENGINE');
    engine.run();
    engine.root.child('alive').adopt(t); // it has ended: nothing to move
    expect(t.scope).toBe(engine.root);
  });
});

it('a scope lists its threads in order of arrival, for whoever asks who waits where', () => {
  const engine = new Engine();
  const gate = new Gate();
  const waiting = task(function* waiting(): Task<void> {
    yield* gate.pass();
  });
  const machine = engine.root.child('machine');
  new Timer(machine, 'tick', () => {}).set(1e9);
  for (const name of ['a', 'b', 'c']) machine.spawn(name, waiting());
  engine.run(1);
  machine.threads()[1]?.cancel();
  engine.run(2);
  expect(machine.threads().map((t) => `${t.name}: ${t.trace()}`)).toEqual(['a: waiting', 'c: waiting']);
});
