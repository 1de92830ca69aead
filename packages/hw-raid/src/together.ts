/** Several requests at once. */
import type { Scope, Task } from '@backplane/engine';
import { isKernelError } from '@backplane/slots';

/** Runs tasks side by side, to the ends of all; one alone runs in place. Results in the order of the tasks. */
export function* together<T>(scope: Scope, bodies: readonly Task<T>[]): Task<readonly T[]> {
  const [first] = bodies;
  if (bodies.length === 1 && first !== undefined) return [yield* first];
  const threads = bodies.map((body) => scope.spawn('array', body));
  const results: T[] = [];
  for (const t of threads) results.push(yield* t.join());
  return results;
}

/** What a request brings; null: it failed with `ioError`. */
export function* unlessFailed<T>(request: Task<T>): Task<T | null> {
  try {
    return yield* request;
  } catch (e) {
    if (isKernelError(e, 'ioError')) return null;
    throw e;
  }
}
