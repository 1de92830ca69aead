import { describe, expect, it } from 'vitest';
import {
  Channel,
  Condition,
  charge,
  Engine,
  Gate,
  Mutex,
  type Scope,
  Semaphore,
  settle,
  sleep,
  type Task,
  type Thread,
  Timer,
  task,
  WaitQueue,
} from '../src/index.ts';
import { forSeeds, Seeded } from './seeded.ts';

interface Setting {
  /** Which tasks are marked. */
  readonly marking: 'all' | 'none' | 'every other';
  readonly crashes: number;
  readonly cancels: number;
  /** Whether `finally` blocks block. */
  readonly slowFinally: boolean;
}

interface Outcome {
  readonly lines: readonly string[];
  readonly hash: string;
  readonly nowNs: number;
  /** Locks and units that are still held when every thread has been cancelled at the end. */
  readonly held: number;
}

/**
 * Runs a random program: threads on three machines that call tasks to a random depth, block on everything there is,
 * throw, catch, clean up, spawn and join, while timers crash machines and cancel threads.
 */
function program(seed: number, { marking, crashes, cancels, slowFinally }: Setting): Outcome {
  const random = new Seeded(seed);
  const engine = new Engine({ seed });
  const lines: string[] = [];
  const mutexes = [0, 1, 2].map(() => new Mutex());
  const monitors = mutexes.map((mutex) => ({ mutex, changed: new Condition(mutex) }));
  const semaphore = new Semaphore(2);
  const queue = new WaitQueue<number>();
  const channel = new Channel<number>();
  const gate = new Gate();
  const machines = [0, 1, 2].map((i) => engine.root.child(`machine${i}`));
  const threads: Thread[] = [];

  type Steps = (name: string, own: Seeded, depth: number) => Task<number>;
  const make = (): Steps =>
    function* steps(name, own, depth) {
      const say = (what: string): void => {
        lines.push(`${engine.nowNs} ${name}/${depth} ${what}`);
      };
      const within = function* (): Task<void> {
        if (depth > 0) yield* call(name, own, depth - 1);
        else yield* sleep(own.below(10));
      };
      const cleanUp = function* (): Task<void> {
        if (slowFinally) yield* sleep(own.below(5));
        say('cleaned up');
      };
      for (let left = 1 + own.below(3); left > 0; left--) {
        const action = own.below(13);
        say(`does ${action}`);
        if (action === 0) {
          yield* sleep(own.below(20));
        } else if (action === 1) {
          say(`got ${depth > 0 ? yield* call(name, own, depth - 1) : 0}`);
        } else if (action === 2) {
          const m = mutexes[0] as Mutex;
          if (depth < 3) continue; // always the first lock a thread takes, so nobody waits in a circle
          yield* m.acquire();
          try {
            yield* sleep(own.below(10));
          } finally {
            try {
              yield* cleanUp();
            } finally {
              m.release(); // though cancelled while it cleans up
            }
          }
        } else if (action === 3) {
          const { mutex, changed } = monitors[1 + own.below(2)] as (typeof monitors)[0];
          yield* mutex.acquire();
          try {
            say(`${yield* changed.wait(own.below(30))}`);
          } finally {
            mutex.release();
          }
        } else if (action === 4) {
          for (const { changed } of monitors)
            if (own.below(2) === 0) changed.signal();
            else changed.broadcast();
        } else if (action === 5) {
          say(`${yield* queue.wait(own.below(30))}`);
        } else if (action === 6) {
          queue.wakeOne(own.below(100));
          channel.send(own.below(100));
          if (own.below(3) === 0) say(`${yield* channel.receive()}`);
        } else if (action === 7) {
          if (depth < 3) continue;
          yield* semaphore.acquire();
          try {
            yield* sleep(own.below(10));
          } finally {
            semaphore.release();
          }
        } else if (action === 8) {
          try {
            yield* within();
            throw new Error('planned');
          } catch (e) {
            say(`caught ${(e as Error).message}`);
          } finally {
            yield* cleanUp();
          }
        } else if (action === 9) {
          charge(own.below(10), own.below(3));
        } else if (action === 10) {
          yield* settle();
        } else if (action === 11) {
          gate.open();
          yield* gate.pass();
          if (own.below(2) === 0) gate.close();
        } else if (depth > 0) {
          const child = machines[own.below(3)]?.spawn(
            `${name}'`,
            call(`${name}'`, new Seeded(own.below(1e6)), depth - 1),
          );
          if (child !== undefined && own.below(2) === 0) say(`joined ${yield* child.join()}`);
        }
      }
      if (depth > 0 && own.below(8) === 0) throw new Error('planned');
      return depth;
    };
  const plain = make();
  const marked = task(make());
  let calls = 0;
  const call: Steps = (name, own, depth) => {
    const mark = marking === 'all' || (marking === 'every other' && calls++ % 2 === 0);
    return (mark ? marked : plain)(name, own, depth);
  };

  const top = task(function* top(name: string, own: Seeded): Task<void> {
    for (let i = 0; i < 6; i++) {
      try {
        yield* call(name, own, 4);
      } catch (e) {
        lines.push(`${engine.nowNs} ${name} ${(e as Error).message}`);
      }
    }
  });
  const start = (machine: Scope, name: string): void => {
    threads.push(machine.spawn(name, top(name, new Seeded(random.below(1e9)))));
  };
  for (let i = 0; i < 8; i++) start(random.pick(machines), `t${i}`);
  const at = (what: () => void): void => new Timer(engine.root, 'fault', what).set(random.below(150));
  for (let i = 0; i < cancels; i++) at(() => random.pick(threads).cancel());
  for (let i = 0; i < crashes; i++) {
    at(() => {
      const which = random.below(3);
      machines[which]?.crash();
      machines[which] = engine.root.child(`machine${which}'`);
      lines.push(`${engine.nowNs} machine${which} crashed`);
      start(machines[which] as Scope, `r${i}`);
    });
  }

  const run = (untilNs?: number): void => {
    for (;;) {
      try {
        engine.run(untilNs);
        return;
      } catch (e) {
        lines.push(`${engine.nowNs} ${(e as Error).message}`);
      }
    }
  };
  run(5000);
  const hash = engine.traceHash();
  const { nowNs } = engine;
  const before = [...lines];
  engine.root.cancel();
  run();
  let held = mutexes.filter((m) => m.held).length;
  if (!semaphore.tryAcquire() || !semaphore.tryAcquire() || semaphore.tryAcquire()) held++;
  return { lines: before, hash, nowNs, held };
}

/** Messages name tasks, and only marked ones have names. */
const anonymous = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/failed in .*: /, 'failed: '));

describe('random programs', () => {
  it('take the same steps at the same instants, marked, unmarked or mixed', () => {
    let steps = 0;
    forSeeds(60, (_, seed) => {
      const setting = { crashes: 3, cancels: 0, slowFinally: true };
      const all = program(seed, { ...setting, marking: 'all' });
      const none = program(seed, { ...setting, marking: 'none' });
      const other = program(seed, { ...setting, marking: 'every other' });
      expect(anonymous(none.lines)).toEqual(anonymous(all.lines));
      expect(anonymous(other.lines)).toEqual(anonymous(all.lines));
      expect([none.hash, other.hash]).toEqual([all.hash, all.hash]);
      steps += all.lines.length;
    });
    expect(steps).toBeGreaterThan(10_000);
  });

  it('do so when threads are cancelled whose clean-up does not block', () => {
    forSeeds(60, (_, seed) => {
      const setting = { crashes: 1, cancels: 6, slowFinally: false };
      const all = program(seed, { ...setting, marking: 'all' });
      const none = program(seed, { ...setting, marking: 'none' });
      expect(anonymous(none.lines)).toEqual(anonymous(all.lines));
      expect(none.hash).toBe(all.hash);
    });
  });

  it('lose no lock and no unit, whoever is cancelled when, though clean-up blocks', () => {
    forSeeds(150, (_, seed) => {
      const { held } = program(seed, { marking: 'all', crashes: 0, cancels: 12, slowFinally: true });
      expect(held).toBe(0);
    });
  });

  it('run again give the same steps and the same hash; another seed gives others', () => {
    const setting: Setting = { marking: 'all', crashes: 3, cancels: 6, slowFinally: true };
    const hashes = new Set<string>();
    forSeeds(30, (_, seed) => {
      const first = program(seed, setting);
      expect(program(seed, setting)).toEqual(first);
      hashes.add(first.hash);
    });
    expect(hashes.size).toBe(30);
  });
});
