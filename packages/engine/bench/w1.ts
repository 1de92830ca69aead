/**
 * Workload 1: processes that sleep random times. Many entries in the queue, and nothing else to do.
 *
 * `processes` of them, ids 0.., start at time 0 in order. Each, `sleeps` times: draw x, sleep 1 + (x >>> 12) ticks,
 * then h = h * 31 + id mod 2^32. Check: the end time and h.
 */
import { Engine, sleep, type Task, Timer, task } from '@backplane/engine';
import type { Outcome } from './workload.ts';
import { seedOf, xorshift } from './xorshift.ts';

export interface W1Size {
  readonly processes: number;
  readonly sleeps: number;
}

/** As threads that hold a chain of `depth` tasks all the time. */
export function w1({ processes, sleeps }: W1Size, depth: number = 1): Outcome {
  let h = 0;
  const engine = new Engine();
  const loop = task(function* loop(id: number): Task<void> {
    let x = seedOf(id);
    for (let k = 0; k < sleeps; k++) {
      x = xorshift(x);
      yield* sleep(1 + (x >>> 12));
      h = (Math.imul(h, 31) + id) | 0;
    }
  });
  const held = task(function* held(id: number, levels: number): Task<void> {
    if (levels <= 1) yield* loop(id);
    else yield* held(id, levels - 1);
  });
  for (let id = 0; id < processes; id++) {
    engine.root.spawn('process', depth === 1 ? loop(id) : held(id, depth - 1));
  }
  engine.run();
  return { units: processes * sleeps, check: `${engine.nowNs} ${h}` };
}

/** As timers: the same events without a stack. */
export function callbacks({ processes, sleeps }: W1Size): Outcome {
  let h = 0;
  const engine = new Engine();
  const start = (id: number): void => {
    let x = seedOf(id);
    let k = 0;
    const next = (): void => {
      if (k > 0) h = (Math.imul(h, 31) + id) | 0;
      if (k++ === sleeps) return;
      x = xorshift(x);
      timer.set(1 + (x >>> 12));
    };
    const timer = new Timer(engine.root, 'process', next);
    next();
  };
  for (let id = 0; id < processes; id++) start(id);
  engine.run();
  return { units: processes * sleeps, check: `${engine.nowNs} ${h}` };
}
