/** What naming wants to know when a manager fails: one that is gone has no names, one that is silent may come back. */
import { currentThread, ms, sleep, type Task, task } from '@backplane/engine';
import type { Unanswered } from '@backplane/file-service';
import { type EntityId, type Ipc, isKernelError, type Verdict } from '@backplane/slots';

/** Between two looks whether a manager that is silent is back. */
export const lookAgainNs = 1_000_000_000;

/** VMTP repeats no request earlier: who is said so soon not to be there was not there when it was asked first. */
const repeatedNs = /* @__PURE__ */ ms(300);

/** @param ask one operation at the manager, or at who asks it for us */
export const reach: <R>(by: Pick<Ipc, 'probe'>, manager: EntityId, ask: Task<R>) => Task<R | Unanswered> =
  task(function* reach<R>(by: Pick<Ipc, 'probe'>, manager: EntityId, ask: Task<R>): Task<R | Unanswered> {
    const { engine } = currentThread().scope;
    const startNs = engine.nowNs;
    try {
      return yield* ask;
    } catch (e) {
      if (!isKernelError(e, 'peerDown')) throw e;
      const perhapsDone = engine.nowNs - startNs >= repeatedNs;
      if ((yield* by.probe(manager)) === 'nonexistent') return { is: 'stale', perhapsDone };
      return { is: 'unreachable', perhapsDone: true, wait };
    }
  });

function* wait(): Task<Verdict> {
  yield* sleep(lookAgainNs);
  return 'retry';
}

/** An instance is gone: its manager is, or does not know it. */
export const isGone = (e: unknown): boolean => isKernelError(e, 'peerDown') || isKernelError(e, 'stale');
