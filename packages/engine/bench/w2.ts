/**
 * Workload 2: monitors. Locks, conditions and the ready ring.
 *
 * `groups` monitors with a buffer of 8, each with 4 producers (ids 8g .. 8g+3) and 4 consumers (8g+4 .. 8g+7) that move
 * `items` items each. Producer: sleep 1 + (x >>> 22); lock; while full wait; sleep 50 with the lock; count++; signal
 * notEmpty; unlock. Consumer: lock; while empty wait; sleep 50 with the lock; count--; signal notFull; unlock; sleep
 * 1 + (x >>> 22). Check: the end time.
 */
import { Condition, Engine, Mutex, sleep, type Task, task } from '@backplane/engine';
import type { Outcome } from './workload.ts';
import { seedOf, xorshift } from './xorshift.ts';

const CAPACITY = 8;
const WORK = 50;

class Monitor {
  readonly lock: Mutex = new Mutex();
  readonly notFull: Condition = new Condition(this.lock);
  readonly notEmpty: Condition = new Condition(this.lock);
  count = 0;
}

export interface W2Size {
  readonly groups: number;
  readonly items: number;
}

export function w2({ groups, items }: W2Size): Outcome {
  let consumed = 0;
  const engine = new Engine();
  const produce = task(function* produce(m: Monitor, id: number): Task<void> {
    let x = seedOf(id);
    for (let k = 0; k < items; k++) {
      x = xorshift(x);
      yield* sleep(1 + (x >>> 22));
      yield* m.lock.acquire();
      while (m.count === CAPACITY) yield* m.notFull.wait();
      yield* sleep(WORK);
      m.count++;
      m.notEmpty.signal();
      m.lock.release();
    }
  });
  const consume = task(function* consume(m: Monitor, id: number): Task<void> {
    let x = seedOf(id);
    for (let k = 0; k < items; k++) {
      yield* m.lock.acquire();
      while (m.count === 0) yield* m.notEmpty.wait();
      yield* sleep(WORK);
      m.count--;
      consumed++;
      m.notFull.signal();
      m.lock.release();
      x = xorshift(x);
      yield* sleep(1 + (x >>> 22));
    }
  });
  for (let g = 0; g < groups; g++) {
    const m = new Monitor();
    for (let j = 0; j < 4; j++) engine.root.spawn('producer', produce(m, 8 * g + j));
    for (let j = 4; j < 8; j++) engine.root.spawn('consumer', consume(m, 8 * g + j));
  }
  engine.run();
  return { units: consumed, check: `${engine.nowNs}` };
}
