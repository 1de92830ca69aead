/**
 * Processor time. Kernel code accrues what its instructions cost and goes on; the debt is paid when the thread
 * suspends, or at `settle`, so that twenty small costs make one event.
 *
 * Rule of use: settle before anything that others can observe at its own time and that does not suspend: a frame on
 * the wire, an entry in a table. A thread that is woken or handed a lock meanwhile starts no earlier than the waker's
 * own time; what lies free (a lock, a message without a receiver) is there at once.
 */
import { blocker, currentThread } from './current.ts';
import { badCharge } from './errors.ts';
import { type Op, ready } from './task.ts';

/**
 * Accrues processor time on the running thread: an addition now, paid when it suspends or settles.
 *
 * @param ns       whole nanoseconds; 0 costs nothing
 * @param category small whole number, for whoever keeps the books; 0 = user, or unspecified
 * @throws EngineError OUTSIDE_THREAD, BAD_CHARGE
 */
export function charge(ns: number, category: number = 0): void {
  const t = currentThread();
  if (ns === 0) return;
  if (!(ns > 0 && Math.floor(ns) === ns && category >= 0 && Math.floor(category) === category)) {
    throw badCharge(t.where, ns, category);
  }
  t.books().charge(ns, category);
}

/** Pays what was accrued: through the executor of the thread's scope, or by letting the time pass. */
export function settle(): Op<void> {
  const t = blocker();
  const { ledger } = t;
  if (ledger === null || ledger.owedNs === 0) return ready(undefined);
  ledger.sleepNs = 0;
  return t.suspend();
}
