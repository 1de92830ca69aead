/** Waiting for a program's end, wherever it is by then. */
import { sleep, type Task, task } from '@backplane/engine';
import { type EntityId, type Ipc, isKernelError, wellKnown } from '@backplane/slots';
import { type Asking, ask, awaitProgram } from '@backplane/v-operations';

/** What is said of a program whose host has died. */
const lostStatus = 137;

const againNs = 100_000_000;

/** @param ipc of the host where the asker is now: it may move, too. Returns the status that the program ended with */
export const statusOf: (ipc: () => Ipc, asking: Asking, root: EntityId) => Task<number> = task(
  function* statusOf(ipc: () => Ipc, asking: Asking, root: EntityId): Task<number> {
    for (;;) {
      try {
        const managers = ipc().wellKnownGroup(wellKnown.programManagers);
        return (yield* ask(asking, managers, awaitProgram, { root }, { beside: root })).status;
      } catch (e) {
        if (!isKernelError(e)) throw e;
        // On its way nobody has it, and who is asked on one host does not hear that it came to another meanwhile.
        if (e.kind !== 'stale' && (yield* ipc().probe(root)) !== 'here') return lostStatus;
        yield* sleep(againNs);
      }
    }
  },
);
