/** What naming wants to know when a manager fails: one that is gone has no names, one that is silent may come back. */
import { sleep, type Task, task } from '@backplane/engine';
import type { Unanswered } from '@backplane/file-service';
import { type EntityId, type Ipc, isKernelError, type Verdict } from '@backplane/slots';

/** Between two looks whether a manager that is silent is back. */
export const lookAgainNs = 1_000_000_000;

/** @param ask one operation at the manager, or at who asks it for us */
export const reach: <R>(by: Pick<Ipc, 'probe'>, manager: EntityId, ask: Task<R>) => Task<R | Unanswered> =
  task(function* reach<R>(by: Pick<Ipc, 'probe'>, manager: EntityId, ask: Task<R>): Task<R | Unanswered> {
    try {
      return yield* ask;
    } catch (e) {
      if (!isKernelError(e, 'peerDown')) throw e;
      const perhapsDone = !e.untaken;
      if ((yield* by.probe(manager)) === 'nonexistent') return { is: 'stale', perhapsDone };
      return { is: 'unreachable', perhapsDone, wait };
    }
  });

function* wait(): Task<Verdict> {
  yield* sleep(lookAgainNs);
  return 'retry';
}

/** An instance is gone: its manager is, or does not know it. */
export const isGone = (e: unknown): boolean => isKernelError(e, 'peerDown') || isKernelError(e, 'stale');
