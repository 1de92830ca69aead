/**
 * Registers: the few cells through which a generator, the primitive that it calls and the scheduler talk.
 *
 * They hold something only within one step of one thread. A process may load two copies of this module (two versions
 * in one dependency tree, a bundle beside its source); a thread run by one copy may then call primitives of the other.
 * So each set of registers lives once per process, under a global symbol, with the version of its layout.
 */
import { foreignCopy } from './errors.ts';

/** Raised when the fields of registers, threads, scopes or the agenda change their meaning. */
const LAYOUT = 1;

/** The one set of that name in the process, made by the first copy that asks. */
export function registers<T extends object>(name: string, make: () => T): T {
  const key = Symbol.for(`@backplane/engine ${name}`);
  // biome-ignore lint/style/noRestrictedGlobals: the one place that all copies of this module share
  const shared = globalThis as { [key: symbol]: { layout: number; set: T } | undefined };
  const found = shared[key];
  if (found === undefined) {
    const set = make();
    shared[key] = { layout: LAYOUT, set };
    return set;
  }
  if (found.layout !== LAYOUT) throw foreignCopy(LAYOUT, found.layout);
  return found.set;
}
