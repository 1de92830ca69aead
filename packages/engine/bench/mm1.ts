/**
 * Workload mm1: a queue with one server and a new thread for every customer. Threads are born and die.
 *
 * A source draws interarrival times (rate 0.8) and spawns a customer each; the customer takes the server, first in
 * first out, sleeps (rate 1) and leaves. One generator, seed id 7; an exponential time is -ln((x + 0.5) / 2^32) / rate.
 * Time is in units of 10^9 ticks, rounded. Check: the mean time in system (theory: 5).
 */
import { Engine, ln, Mutex, seconds, sleep, type Task, task } from '@backplane/engine';
import type { Outcome } from './workload.ts';
import { seedOf, xorshift } from './xorshift.ts';

export interface Mm1Size {
  readonly customers: number;
}

export function mm1({ customers }: Mm1Size): Outcome {
  let x = seedOf(7);
  let served = 0;
  let totalNs = 0;
  const engine = new Engine();
  const server = new Mutex();
  const drawNs = (rate: number): number => {
    x = xorshift(x);
    return seconds(-ln(((x >>> 0) + 0.5) / 4294967296) / rate);
  };
  const customer = task(function* customer(): Task<void> {
    const arrivedNs = engine.nowNs;
    yield* server.acquire();
    yield* sleep(drawNs(1));
    server.release();
    totalNs += engine.nowNs - arrivedNs;
    served++;
  });
  const source = task(function* source(): Task<void> {
    for (let i = 0; i < customers; i++) {
      yield* sleep(drawNs(0.8));
      engine.root.spawn('customer', customer());
    }
  });
  engine.root.spawn('source', source());
  engine.run();
  return { units: served, check: (totalNs / served / 1e9).toFixed(4) };
}
