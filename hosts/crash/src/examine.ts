/**
 * What becomes of a disk: it is attached, looked over from outside, walked through, and used. Depends on the image and the
 * storage alone, so that each image is looked at once.
 */
import { type FileId, isKernelError, type Storage } from '@backplane/slots';
import { Boot, Panic } from './boot.ts';
import type { Journal } from './journal.ts';
import type { Image } from './medium.ts';
import type { StoreUnderTest } from './store.ts';
import { difference, type Tree, walk } from './tree.ts';
import type { Violation } from './violation.ts';

export interface Outcome {
  /** What the storage shows after recovery; null when it could not be attached, and `violations` say why. */
  readonly tree: Tree | null;
  readonly violations: readonly Violation[];
}

const probeName = 'crash-test.probe';
const probeBytes: Uint8Array = new Uint8Array(5000).fill(0x50);

/**
 * @param image not changed
 * @param o.again a second boot has to show the same, and what was made after the first
 * @param o.journal gets what recovery writes
 */
export function examine(
  store: StoreUnderTest,
  image: Image,
  o: { readonly again: boolean; readonly journal?: Journal },
): Outcome {
  const { medium } = image;
  const mark = medium.mark;
  try {
    return look(store, image.copy(), o);
  } finally {
    if (o.journal === undefined) medium.forget(mark);
  }
}

function look(
  store: StoreUnderTest,
  image: Image,
  o: { readonly again: boolean; readonly journal?: Journal },
): Outcome {
  const violations: Violation[] = [];
  const say = (kind: string, text: string): void => void violations.push({ kind, text });
  let tree: Tree | null = null;
  try {
    const boot = new Boot(store, image, o.journal ?? null);
    boot.recover();
    o.journal?.begin(0);
    // Whether it could be attached shows in the first operation.
    const seen = boot.run(walk(boot.storage));
    audit(store, image, say);
    tree = seen;
    if (seen.unreadable.length === 0 && o.journal === undefined) use(store, boot, image, seen, say, o);
  } catch (e) {
    if (e instanceof Panic) say(e.how === 'hangs' ? 'hang' : 'panic', e.message);
    else if (isKernelError(e)) say('refused', e.message);
    else throw e;
  }
  return { tree, violations };
}

function audit(store: StoreUnderTest, image: Image, say: (kind: string, text: string) => void): void {
  for (const f of store.format?.audit(image) ?? []) say('audit', `${f.kind}, ${f.where}: ${f.text}`);
}

/** It has to go on working: a file is made, confirmed, and found again by the next boot, which finds all else as it was. */
function use(
  store: StoreUnderTest,
  boot: Boot,
  image: Image,
  tree: Tree,
  say: (kind: string, text: string) => void,
  o: { readonly again: boolean },
): void {
  const { storage } = boot;
  let made = false;
  try {
    const file = boot.run(
      storage.create(storage.root, probeName, { type: 'file', mode: 0o600, uid: 0, gid: 0 }),
    );
    made = true;
    boot.run(storage.write(file, 0, probeBytes, 'delayed'));
    boot.run(storage.sync(file));
  } catch (e) {
    if (!isKernelError(e)) throw e;
    if (e.kind !== 'noSpace') {
      say('unusable', `after recovery a new file cannot be written: ${e.message}`);
      return;
    }
    if (!made) return;
  }
  if (!o.again) return;
  const again = new Boot(store, image);
  again.recover();
  if (made) {
    const found = again.run(again.storage.lookup(again.storage.root, probeName));
    const why = found === undefined ? 'is not there' : probeDiffers(again, found);
    if (why !== null && storage.usage().blocksFree > 4) {
      say('unusable', `a file that was made and confirmed after recovery ${why}`);
      return;
    }
    if (found !== undefined) again.run(remove(again.storage));
  }
  const why = difference(tree, again.run(walk(again.storage)));
  if (why !== null) say('unsteady', `a second boot shows something else: ${why}`);
}

function probeDiffers(boot: Boot, file: FileId): string | null {
  const bytes = boot.run(boot.storage.read(file, 0, probeBytes.length + 1));
  return Buffer.compare(bytes, probeBytes) === 0 ? null : 'has other bytes';
}

function* remove(storage: Storage): ReturnType<Storage['reclaim']> {
  const { file } = yield* storage.unlink(storage.root, probeName, { directory: false });
  yield* storage.reclaim(file);
}
