/** The running thread: null between threads, in timers, and outside of run(). */
import { forgottenYield, outsideThread } from './errors.ts';
import { registers } from './registers.ts';
import { R } from './task.ts';
import type { Thread } from './thread.ts';

interface CurrentRegister {
  thread: Thread | null;
}

export const current: CurrentRegister = registers('thread', () => ({ thread: null }));

/**
 * The running thread.
 *
 * @throws EngineError OUTSIDE_THREAD
 */
export function currentThread(): Thread {
  const { thread } = current;
  if (thread === null) throw outsideThread();
  return thread;
}

/** The running thread, which is about to try what may block; so the blocking call before it must have blocked. */
export function blocker(): Thread {
  const { thread } = current;
  if (thread === null) throw outsideThread();
  if (R.pending !== null) throw forgottenYield(thread.where);
  return thread;
}
