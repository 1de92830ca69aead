/** What can be wrong with what is asked for. */
import { BackplaneError, nearest } from '@backplane/slots';

export const endless = (who: string, what: string): BackplaneError =>
  new BackplaneError('ENDLESS', {}, `${who} goes on for ever: ${what} and no end.`, '');

export const noSuchStore = (name: string, known: readonly string[]): BackplaneError =>
  new BackplaneError(
    'NO_SUCH_STORE',
    { name, known },
    `there is no storage "${name}" to crash.`,
    `--storage ${nearest(name, known) ?? known[0] ?? './my-store.ts'}`,
  );

export const noSuchWorkload = (name: string, known: readonly string[]): BackplaneError => {
  const near = nearest(name, known);
  return new BackplaneError(
    'NO_SUCH_WORKLOAD',
    { name, known },
    `there is no workload "${name}", and no such file.`,
    near === undefined
      ? `all, a file of operations, or one of ${known.join(', ')}`
      : `Did you mean "${near}"?`,
  );
};

/** An operation that means nothing to a storage alone. */
export const notBelow = (file: string, line: number, what: string, hint: string): BackplaneError =>
  new BackplaneError(
    'NOT_BELOW_SYSTEM_CALLS',
    { file, line },
    `${file}:${line}: ${what}, which a storage without a kernel has not.`,
    hint,
  );

export const badState = (file: string, why: string): BackplaneError =>
  new BackplaneError(
    'BAD_CRASH_STATE',
    { file },
    `${file}: the line that says where it crashed cannot be used: ${why}`,
    'Leave the line out, and every boundary of the file is crashed again.',
  );

export const wrongStore = (file: string, why: string): BackplaneError =>
  new BackplaneError(
    'WRONG_STORE',
    { file },
    `${file}: ${why}`,
    'export default defineStore({ name, board: () => myStorage(), promises: ... }), with defineStore from @backplane/crash',
  );
