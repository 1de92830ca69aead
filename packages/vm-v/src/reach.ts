/** What naming wants to know when a manager fails: one that is gone has no names, one that is silent may come back. */
import { sleep, type Task, task } from '@backplane/engine';
import {
  type Attempt,
  type EntityId,
  type Ipc,
  isKernelError,
  staleName,
  type Verdict,
} from '@backplane/slots';

/** Between two looks whether a manager that is silent is back. */
export const againNs = 1_000_000_000;

type Gone = typeof staleName | Extract<Attempt<never>, { readonly is: 'unreachable' }>;

export const reach: <R>(ipc: Ipc, manager: EntityId, ask: Task<R>) => Task<R | Gone> = task(function* reach<
  R,
>(ipc: Ipc, manager: EntityId, ask: Task<R>): Task<R | Gone> {
  try {
    return yield* ask;
  } catch (e) {
    if (!isKernelError(e, 'peerDown')) throw e;
    if ((yield* ipc.probe(manager)) === 'nonexistent') return staleName;
    return { is: 'unreachable', wait };
  }
});

function* wait(): Task<Verdict> {
  yield* sleep(againNs);
  return 'retry';
}
