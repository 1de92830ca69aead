/** A check: a clause of a contract, and how to see whether it holds. It belongs to no test runner. */
import { BackplaneError, type Plain } from '@backplane/slots';

export interface Check {
  /** The clause, as a sentence. */
  readonly name: string;
  /** @throws BackplaneError `NOT_CONFORMING` with what was expected and what was found, or whatever the board threw */
  readonly run: () => void;
}

/** For those who have no test runner: the names of the checks that failed, with why. */
export function runChecks(
  checks: readonly Check[],
): readonly { readonly name: string; readonly error: unknown }[] {
  const failed: { name: string; error: unknown }[] = [];
  for (const { name, run } of checks) {
    try {
      run();
    } catch (error) {
      failed.push({ name, error });
    }
  }
  return failed;
}

export const notConforming = (what: string, expected: Plain, found: Plain): BackplaneError =>
  new BackplaneError(
    'NOT_CONFORMING',
    { what, expected, found },
    `${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}.`,
    'The text of the contract is on the interface of the slot, in @backplane/slots.',
  );

/** @throws BackplaneError `NOT_CONFORMING` unless both are equal by value */
export function same(what: string, found: Plain, expected: Plain): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw notConforming(what, expected, found);
}

/** @throws BackplaneError `NOT_CONFORMING` unless it holds */
export function holds(what: string, found: boolean): void {
  if (!found) throw notConforming(what, true, false);
}

/** @throws BackplaneError `NOT_CONFORMING` unless `found` is between the bounds, both included */
export function within(what: string, found: number, least: number, most: number): void {
  if (!(found >= least && found <= most)) throw notConforming(what, [least, most], found);
}
