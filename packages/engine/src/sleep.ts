/** Waiting for an instant. */
import { blocker } from './current.ts';
import type { Op } from './task.ts';
import { instantAfter } from './time.ts';

/**
 * Lets virtual time pass: the thread goes on `ns` nanoseconds after it has paid what it owes. `sleep(0)` lets
 * everything run that is due at this instant.
 *
 * @throws EngineError OUTSIDE_THREAD, BAD_TIME
 */
export function sleep(ns: number): Op<void> {
  const t = blocker();
  const { agenda, ledger } = t;
  const atNs = instantAfter(agenda.nowNs, ns);
  if (ledger !== null && ledger.owedNs > 0) ledger.sleepNs = ns;
  else agenda.queue.push(atNs, t);
  return t.block();
}
