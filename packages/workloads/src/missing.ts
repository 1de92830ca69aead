/** Looking for something that may not be there. */
import type { Task } from '@backplane/engine';
import { isKernelError } from '@backplane/slots';

/** Does a look at a name succeed? False where the name, or a directory on the way to it, is missing. */
export function* isThere(look: Task<unknown>): Task<boolean> {
  try {
    yield* look;
    return true;
  } catch (e) {
    if (!isKernelError(e, 'notFound') && !isKernelError(e, 'notDirectory')) throw e;
    return false;
  }
}
