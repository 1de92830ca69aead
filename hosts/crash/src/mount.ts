/** A boot during which the disk fails to read a sector. */
import { isKernelError } from '@backplane/slots';
import { Boot, Panic } from './boot.ts';
import { type Failing, failingRead } from './faults.ts';
import type { Image } from './medium.ts';
import type { StoreUnderTest } from './store.ts';
import { type Tree, walk } from './tree.ts';
import type { Violation } from './violation.ts';

export interface Mounted {
  /** What was to be seen; null when it said that it cannot be attached. */
  readonly tree: Tree | null;
  readonly violations: readonly Violation[];
  /** What the disk held when the power failed once more. */
  readonly left: Image;
}

/** @param image not changed */
export function mountFailing(
  store: StoreUnderTest,
  image: Image,
  { read, lasting }: { readonly read: number; readonly lasting: boolean },
): Mounted {
  const failing: Failing = { index: read, lasting };
  const left = image.copy();
  const violations: Violation[] = [];
  let tree: Tree | null = null;
  try {
    const boot = new Boot(store, left);
    boot.disk.faults = failingRead(failing);
    boot.recover();
    tree = boot.run(walk(boot.storage));
    // What it takes for right goes to the disk.
    boot.run(boot.storage.sync());
  } catch (e) {
    if (e instanceof Panic) violations.push({ kind: e.how === 'hangs' ? 'hang' : 'panic', text: e.message });
    else if (!isKernelError(e)) throw e;
    else if (e.kind !== 'ioError')
      violations.push({ kind: 'outcome', text: `a boot with a failed read ended with ${e.message}` });
  }
  return { tree, violations, left };
}

/** How often a boot reads, and whoever walks through the files after it. */
export function readsOf(store: StoreUnderTest, image: Image): number {
  const boot = new Boot(store, image.copy());
  try {
    boot.recover();
    boot.run(walk(boot.storage));
  } catch (e) {
    // What is wrong with it is said where it is judged.
    if (!(e instanceof Panic) && !isKernelError(e)) throw e;
  }
  return boot.disk.reads;
}
