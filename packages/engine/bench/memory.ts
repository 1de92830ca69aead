/**
 * Memory: what a blocked thread costs, `depth` marked tasks deep.
 *
 * Needs a global `gc` (node --expose-gc) and the heap statistics of Node. Check: bytes per thread.
 */
import { Engine, Gate, type Task, task } from '@backplane/engine';
import type { Outcome } from './workload.ts';

/** The part of Node that a measurement needs; `gc` is there with --expose-gc. */
declare const process: { memoryUsage(): { readonly heapUsed: number } };
declare const gc: (() => void) | undefined;

export interface MemorySize {
  readonly threads: number;
  readonly depth: number;
}

export function memory({ threads, depth }: MemorySize): Outcome {
  const engine = new Engine();
  const gate = new Gate();
  const down = task(function* down(levels: number): Task<void> {
    if (levels <= 1) yield* gate.pass();
    else yield* down(levels - 1);
  });
  const heapBytes = (): number => {
    if (typeof gc === 'function') gc();
    return process.memoryUsage().heapUsed;
  };
  const before = heapBytes();
  for (let i = 0; i < threads; i++) engine.root.spawn('blocked', down(depth));
  engine.run();
  const bytes = (heapBytes() - before) / threads;
  gate.open();
  engine.run();
  return { units: threads, check: `${Math.round(bytes)} bytes` };
}
